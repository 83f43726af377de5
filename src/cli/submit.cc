#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "cli/account_slurm.h"
#include "cli/commands.h"
#include "cli/sbatch_context.h"
#include "cli/submit_choice.h"

namespace asbb::cli {
namespace {

struct SubmitFlags {
  std::optional<std::string> cluster;
  std::optional<std::string> account;
  bool cloud = false;
  bool onprem = false;
  bool cheapest = false;
  bool soonest = false;
  bool dry_run = false;
  std::vector<std::string> words;

  [[nodiscard]] bool chooses() const { return cluster || cloud || onprem || cheapest || soonest; }
};

// What is wrong with the flags by themselves; empty when nothing is.
std::string misuse_of(const SubmitFlags& flags) {
  const bool by_kind = flags.cloud || flags.onprem;
  const bool by_rank = flags.cheapest || flags.soonest;
  if (flags.cloud && flags.onprem) return "--cloud and --onprem: give one of them";
  if (flags.cheapest && flags.soonest) return "--cheapest and --soonest: give one of them";
  if (flags.cluster && (by_kind || by_rank)) {
    return "--cluster names the cluster: leave out --cloud, --onprem, --cheapest and --soonest";
  }
  const auto is_no_name = [](const std::optional<std::string>& name) {
    return name && (name->empty() || name->starts_with('-'));
  };
  if (is_no_name(flags.cluster)) return "--cluster: the name of a cluster is expected";
  if (is_no_name(flags.account)) return "--account: the name of an account is expected";
  return {};
}

class Submitter {
 public:
  Submitter(Context& context, const SubmitFlags& flags)
      : context_(context), flags_(flags), own_(own_cluster(context)) {}

  int run() {
    std::vector<std::string> words = flags_.words;
    if (flags_.account) words.insert(words.begin(), "--account=" + *flags_.account);
    job_ = read_submit_job(context_, std::move(words));
    if (flags_.chooses() && job_.names_clusters) {
      return context_.misused(
          "--clusters (-M) of sbatch names the cluster already: leave it out, or asbb's own flag");
    }
    const auto clusters = context_.call<std::vector<api::ClusterInfo>>("GET", "/api/v1/clusters");
    if (!clusters) return without_service(clusters.error());
    clusters_ = *clusters;
    return flags_.chooses() ? choose() : as_it_stands();
  }

 private:
  // A line for people, which nobody reads who reads sbatch's answer by a program.
  void say(const std::string& sentence) {
    if (!job_.is_quiet) context_.err() << "asbb: " << harmless(sentence) << "\n";
  }

  int fail_with(const std::string& sentence, int code = exit_failed) {
    context_.err() << "asbb: " << harmless_lines(sentence) << "\n";
    return code;
  }

  int without_service(const api::Problem& problem) {
    constexpr int first_of_server = 500;
    const bool is_away = problem.code == api::unreachable_code || problem.status >= first_of_server;
    if (!is_away) return context_.failed(problem);
    const bool is_choice = flags_.chooses() && !flags_.cluster;
    if (is_choice) {
      return fail_with(
          "the cluster cannot be chosen, because the budget service does not answer (" +
          problem.message + "); name one with --cluster, and its controller decides");
    }
    say("the budget service does not answer, so there is no quote; the controller decides");
    Route route;
    if (flags_.cluster) route = {to_lower(*flags_.cluster), true, {}};
    return hand_over(route);
  }

  // Quotes the job on that way; what is missing is a problem of the offer.
  void quote(Offer& offer) {
    const auto request = quote_request(job_, offer.route, own_);
    if (!request) {
      offer.problem = request.error().message;
      return;
    }
    const auto answer = context_.call<api::Quote>("POST", "/api/v1/quote", api::to_json(*request));
    if (!answer) {
      offer.problem = answer.error().message;
    } else {
      offer.quote = *answer;
    }
  }

  // The job as its words say, wherever it may run.
  int as_it_stands() {
    Offer offer;
    offer.cluster.name = own_;
    offer.is_wanted = true;
    quote(offer);
    if (!offer.quote) {
      say("no quote: " + offer.problem + "; the controller decides");
      return hand_over(offer.route);
    }
    if (!offer.is_granted()) {
      std::vector<Offer> others = job_.names_clusters ? std::vector<Offer>() : all_offers();
      std::erase_if(others, [&](const Offer& other) { return other.cluster.name == own_; });
      return refuse(*offer.quote, others);
    }
    const auto named = job_.options->find("clusters");
    const std::string where = named == job_.options->end() ? own_ : named->second;
    say((where.empty() ? "" : where + ": ") + cost_text(*offer.quote));
    return hand_over(offer.route);
  }

  std::vector<Offer> all_offers() {
    std::vector<Offer> offers;
    for (const api::ClusterInfo& cluster : clusters_) {
      Offer& offer = offers.emplace_back();
      offer.cluster = cluster;
      const auto route = route_to(cluster, clusters_, own_, job_);
      if (!route) {
        offer.problem = route.error().message;
        continue;
      }
      offer.route = *route;
      quote(offer);
    }
    return offers;
  }

  int choose() {
    std::vector<Offer> offers = all_offers();
    if (flags_.cluster) {
      const auto wanted = want_cluster(offers, *flags_.cluster);
      if (!wanted) return context_.misused(wanted.error().message);
    } else if (const auto problem = want_kind(offers); !problem.empty()) {
      return fail_with(problem);
    }
    if (!job_.options && !flags_.cluster) return without_options(offers, job_.options.error());
    if (flags_.cheapest || flags_.soonest) {
      // Their answers would be waited for in vain, and their prices are not known.
      for (Offer& offer : offers) {
        if (offer.cluster.is_usable) continue;
        offer.quote.reset();
        offer.problem = offer.cluster.problem;
      }
    }
    const bool is_named = flags_.cluster && find_wanted(offers).quote == std::nullopt;
    if (is_named) return named_without_quote(find_wanted(offers));
    const auto choice = rank(offers);
    show(offers);
    if (!choice) return no_choice(offers, choice.error());
    const Offer& chosen = offers[choice->index];
    if (!chosen.cluster.is_usable) say(chosen.cluster.name + ": " + chosen.cluster.problem);
    say(chosen.cluster.name + " is chosen" + (choice->reason.empty() ? "" : ": " + choice->reason));
    note_version(chosen.cluster);
    return hand_over(chosen.route);
  }

  // Controllers and clients of Slurm understand each other for a few releases only, and what sbatch
  // says when they do not names neither.
  void note_version(const api::ClusterInfo& cluster) {
    if (job_.is_quiet || cluster.name == own_ || cluster.slurm_version.empty()) return;
    const std::string here = sbatch_release();
    if (here.empty() || here == release_of(cluster.slurm_version)) return;
    say("cluster " + cluster.name + " has Slurm " + cluster.slurm_version +
        ", and sbatch here is of " + here +
        ": if its controller refuses that, submit where Slurm has its version");
  }

  static const Offer& find_wanted(const std::vector<Offer>& offers) {
    return *std::find_if(offers.begin(), offers.end(),
                         [](const Offer& offer) { return offer.is_wanted; });
  }

  // Marks what --cloud and --onprem leave; why there is nothing.
  [[nodiscard]] std::string want_kind(std::vector<Offer>& offers) const {
    bool has_one = false;
    for (Offer& offer : offers) {
      const bool fits =
          flags_.cloud ? offer.cluster.is_cloud : !flags_.onprem || !offer.cluster.is_cloud;
      offer.is_wanted = fits;
      has_one = has_one || fits;
    }
    if (has_one) return {};
    if (offers.empty()) return "the budget service watches no cluster: see slurm.clusters";
    return flags_.cloud
               ? "--cloud: no cluster is known as cloud; an administrator says so with 'sacctmgr "
                 "modify cluster NAME set features=cloud'"
               : "--onprem: every cluster that is known is cloud";
  }

  // The job is one that sbatch may understand all the same.
  int without_options(const std::vector<Offer>& offers, const Error& unread) {
    if (flags_.cheapest || flags_.soonest) {
      return fail_with("the cluster cannot be chosen, because the job cannot be priced: " +
                       unread.message + "; name one with --cluster, and its controller decides");
    }
    const auto usable = std::find_if(offers.begin(), offers.end(), [](const Offer& offer) {
      return offer.is_wanted && offer.cluster.is_usable && !offer.route.cluster.empty();
    });
    return named_without_quote(usable == offers.end() ? find_wanted(offers) : *usable);
  }

  int named_without_quote(const Offer& wanted) {
    if (wanted.route.cluster.empty()) return fail_with(wanted.problem);
    say("no quote: " + wanted.problem + "; the controller decides");
    note_version(wanted.cluster);
    return hand_over(wanted.route);
  }

  Result<Choice> rank(std::vector<Offer>& offers) {
    if (flags_.cheapest) {
      const auto rates =
          context_.call<std::vector<api::ConversionRate>>("GET", "/api/v1/conversion-rates");
      if (!rates) return fail(ErrorKind::unavailable, rates.error().message);
      return choose_cheapest(offers, *rates);
    }
    if (!flags_.soonest) return choose_first(offers);
    const auto can_run = [](const Offer& offer) { return offer.is_wanted && offer.is_granted(); };
    const bool has_several = std::count_if(offers.begin(), offers.end(), can_run) > 1;
    const Instant asked_at = context_.now();
    if (has_several) {
      if (const auto room = leaves_room_to_ask(offers); !room) return tl::unexpected(room.error());
      for (Offer& offer : offers) {
        if (!can_run(offer)) continue;
        const auto start = ask_start(context_, job_, offer.route);
        if (start) {
          offer.start = *start;
        } else {
          offer.problem = start.error().message;
        }
      }
    }
    return choose_soonest(offers, asked_at);
  }

  // One line for each cluster.
  void show(const std::vector<Offer>& offers) {
    for (const Offer& offer : offers) {
      std::string line = offer.cluster.name + ": ";
      if (offer.is_granted()) {
        line += cost_text(*offer.quote);
        if (offer.start) line += ", would start at " + to_second_text(*offer.start) + " UTC";
        if (!offer.problem.empty()) line += "; its controller says: " + offer.problem;
      } else if (offer.quote) {
        const std::string& message = offer.quote->message;
        line += "not now: " + message.substr(0, message.find('\n'));
      } else {
        line += "left out: " + offer.problem;
      }
      say(line);
    }
  }

  int no_choice(const std::vector<Offer>& offers, const Error& error) {
    const auto refused = std::find_if(offers.begin(), offers.end(), [](const Offer& offer) {
      return offer.is_wanted && offer.quote && !offer.is_granted();
    });
    const bool can_none = std::none_of(offers.begin(), offers.end(), [](const Offer& offer) {
      return offer.is_wanted && offer.is_granted();
    });
    if (can_none && refused != offers.end()) return refuse(*refused->quote, offers);
    return fail_with(error.message);
  }

  // With what another cluster could do.
  int refuse(const api::Quote& quote, const std::vector<Offer>& others) {
    std::string text = quote.message;
    for (const api::QuoteFit& fit : quote.fits) {
      text += "with " + fit.arguments + " it would fit, and hold " +
              (fit.unit.empty() ? "nothing" : to_display(fit.hold_amount, fit.unit)) + "\n";
    }
    for (const Offer& other : others) {
      if (!other.is_granted() || !other.cluster.is_usable) continue;
      std::vector<std::string> line = {"asbb", "submit", "--cluster=" + other.cluster.name};
      line.insert(line.end(), job_.words.begin(), job_.words.end());
      text += other.cluster.name + " can take it, for " + cost_text(*other.quote) + ": " +
              shell_line(line) + "\n";
    }
    while (text.ends_with('\n')) text.pop_back();
    return fail_with(text, exit_refused);
  }

  int hand_over(const Route& route) {
    const std::vector<std::string> line = sbatch_line(job_, route);
    if (flags_.dry_run) {
      const std::string before =
          route.slurm_conf.empty() ? "" : "SLURM_CONF=" + shell_line({route.slurm_conf}) + " ";
      context_.out() << before << shell_line(line) << "\n";
      return exit_done;
    }
    context_.out().flush();
    context_.err().flush();
    return context_.failed(become_sbatch(job_, route));
  }

  Context& context_;
  const SubmitFlags& flags_;
  const std::string own_;
  SubmitJob job_;
  std::vector<api::ClusterInfo> clusters_;
};

}  // namespace

void add_submit(Command& root, Context& context) {
  auto flags = std::make_shared<SubmitFlags>();
  root.add("submit", "Chooses a cluster for a job, shows what it costs, and hands it to sbatch.")
      .take({"--cloud", "", "On a cluster that is cloud."}, flags->cloud)
      .take({"--onprem", "", "On a cluster that is not."}, flags->onprem)
      .take({"--cheapest", "", "Where it costs least; of two units by the rates in force."},
            flags->cheapest)
      .take({"--soonest", "", "Where its controller would start it first."}, flags->soonest)
      .take({"--cluster", "NAME", "On this cluster."}, flags->cluster)
      .take({"-A,--account", "ACCOUNT", "Which pays; the user's default one when left out."},
            flags->account)
      .take({"--dry-run", "", "Prints the line for sbatch, and submits nothing."}, flags->dry_run)
      .take_words({"SBATCH_ARGUMENTS", "",
                   "What sbatch is given, from the first word on that is none of these flags."},
                  {&flags->words, {"-c", "--output"}})
      .note(
          "sbatch gets its words as they stand, the script too, and says what it says; its exit "
          "code is that of this command. What asbb tells is on the standard error, and nothing "
          "of it with --parsable or --quiet but errors. Without a flag the job goes where sbatch "
          "would send it. --cloud and --onprem may stand with --cheapest or --soonest.")
      .note(
          "-c and --output are sbatch's here; asbb's own --output stands before 'submit'. With "
          "exit "
          "code 3 and a line that says so the job was not submitted, because nobody would pay for "
          "it; sbatch --wait ends with the job's own exit code, which may be 3 as well.")
      .example("asbb submit --cheapest -A proj001 --time=2:00:00 job.sh")
      .example("asbb submit --cloud --dry-run --ntasks=4 --wrap 'srun hostname'")
      .action([&context, flags] {
        const std::string misuse = misuse_of(*flags);
        if (!misuse.empty()) return context.misused(misuse);
        return Submitter(context, *flags).run();
      });
}

}  // namespace asbb::cli
