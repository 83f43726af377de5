// One cluster follows another: what differs, what is done about it, and what goes wrong on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "slurm/account_writer.h"
#include "slurm/fake_accounting.h"

namespace asbb::slurm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using What = TreeChange::What;

// "add user alice in proj001", and why it is left where it is.
std::vector<std::string> told(const std::vector<TreeChange>& changes) {
  std::vector<std::string> lines;
  for (const TreeChange& change : changes) {
    std::string line = to_string(change.what);
    if (!change.user.empty()) line += " " + change.user + " in";
    line += " " + change.account;
    if (!change.field.empty()) line += " " + change.field + " " + change.now + "->" + change.then;
    if (change.is_left()) line += " left: " + change.why_left;
    lines.push_back(line);
  }
  return lines;
}

class Following : public ::testing::Test {
 protected:
  Following() {
    here_.account("onprem", "lab");
    here_.account("onprem", "nih-r01", "lab");
    here_.account("onprem", "proj001");
    here_.user("onprem", "alice", "nih-r01");
    here_.user("onprem", "alice", "proj001");
    here_.cluster("onprem").users["alice"].default_account = "proj001";
    here_.user("onprem", "bob", "nih-r01");
    there_.cluster("cloud");
  }

  AccountTree from() { return *read_account_tree(here_, {"onprem", "", ""}); }
  AccountTree to() { return *read_account_tree(there_, {"cloud", "", ""}); }
  std::vector<TreeChange> changes() { return changes_between(from(), to(), rules_); }
  FollowOutcome follow() { return slurm::follow(there_, {"cloud", "", ""}, from(), rules_); }

  FakeAccounting here_;
  FakeAccounting there_;
  FollowRules rules_;
};

TEST_F(Following, AnEmptyClusterGetsTheWholeTreeParentsFirst) {
  here_.texts["lab"] = {"the lab, with a=b", "science"};
  const FollowOutcome outcome = follow();
  EXPECT_THAT(outcome.said, IsEmpty());
  EXPECT_THAT(outcome.missing, IsEmpty());
  EXPECT_EQ(there_.changes.at(0),
            (std::vector<std::string>{"sacctmgr", "-i", "add", "account", "name=lab",
                                      "cluster=cloud", "parent=root",
                                      "description=the lab, with a=b", "organization=science"}));
  const AccountTree tree = to();
  EXPECT_EQ(tree.accounts.at("nih-r01").parent, "lab");
  EXPECT_EQ(tree.accounts.at("lab").description, "the lab, with a=b");
  EXPECT_EQ(tree.users.at("alice").default_account, "proj001");
  EXPECT_EQ(tree.users_of("nih-r01"), (std::vector<std::string>{"alice", "bob"}));
  const std::size_t commands = there_.changes.size();
  EXPECT_THAT(changes(), IsEmpty());
  EXPECT_THAT(follow().made, IsEmpty());
  EXPECT_EQ(there_.changes.size(), commands) << "a second run changes nothing";
}

TEST_F(Following, OneSlurmdbdForBothWorksAsWell) {
  here_.cluster("cloud");
  const FollowOutcome outcome = slurm::follow(here_, {"cloud", "", ""}, from(), rules_);
  EXPECT_THAT(outcome.missing, IsEmpty());
  EXPECT_EQ(here_.cluster("cloud").accounts.size(), 3U);
  EXPECT_EQ(here_.cluster("onprem").accounts.size(), 3U);
}

TEST_F(Following, AnotherParentADefaultAndATextFollow) {
  follow();
  there_.cluster("cloud").accounts["nih-r01"].parent = "proj001";
  there_.cluster("cloud").users["alice"].default_account = "nih-r01";
  there_.texts["lab"].first = "old";
  EXPECT_THAT(
      told(changes()),
      ElementsAre("move account nih-r01 parent proj001->lab", "describe lab description old->lab",
                  "set default alice in proj001 default account nih-r01->proj001"));
  EXPECT_THAT(follow().missing, IsEmpty());
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(Following, ParentsThatChangedPlacesDoSo) {
  follow();
  there_.cluster("cloud").accounts["nih-r01"].parent = "root";
  there_.cluster("cloud").accounts["lab"].parent = "nih-r01";
  EXPECT_THAT(follow().missing, IsEmpty());
  EXPECT_EQ(to().accounts.at("nih-r01").parent, "lab");
}

TEST_F(Following, NothingIsRemovedWithoutPrune) {
  follow();
  there_.account("cloud", "old");
  there_.account("cloud", "older", "old");
  there_.user("cloud", "carol", "older");
  there_.user("cloud", "bob", "proj001");
  const std::size_t commands = there_.changes.size();
  EXPECT_THAT(told(changes()),
              ElementsAre(HasSubstr("remove user bob in proj001 left: only cluster cloud has it"),
                          HasSubstr("remove user carol in older left"),
                          HasSubstr("remove account older parent old-> left"),
                          HasSubstr("remove account old parent root-> left")));
  follow();
  EXPECT_EQ(there_.changes.size(), commands);

  rules_.prune = true;
  EXPECT_THAT(follow().missing, IsEmpty());
  EXPECT_FALSE(to().accounts.contains("old"));
  EXPECT_FALSE(to().users.contains("carol"));
  EXPECT_FALSE(to().users.at("bob").is_in("proj001"));
}

TEST_F(Following, PruneChangesTheDefaultAccountBeforeItRemovesIt) {
  follow();
  there_.user("cloud", "bob", "proj001");
  there_.cluster("cloud").users["bob"].default_account = "proj001";
  rules_.prune = true;
  const FollowOutcome outcome = follow();
  EXPECT_THAT(outcome.said, IsEmpty());
  EXPECT_EQ(to().users.at("bob").default_account, "nih-r01");
  EXPECT_FALSE(to().users.at("bob").is_in("proj001"));
}

TEST_F(Following, AnAccountStaysWhenSomethingBelowItCouldNotBeRemoved) {
  follow();
  there_.account("cloud", "old");
  there_.account("cloud", "older", "old");
  there_.user("cloud", "carol", "older");
  there_.refuses = "name=carol";  // a job of hers runs
  rules_.prune = true;
  const FollowOutcome outcome = follow();
  EXPECT_THAT(outcome.said, ElementsAre(HasSubstr("code 1")));
  EXPECT_EQ(outcome.missing.size(), 3U);
  EXPECT_TRUE(to().accounts.contains("old")) << "sacctmgr would have removed all below it";
  EXPECT_TRUE(to().users.contains("carol"));
}

TEST_F(Following, AnAccountWithAChildOfAStrangeNameIsNotPruned) {
  there_.account("cloud", "old");
  there_.account("cloud", "a b", "old");
  rules_.prune = true;
  follow();
  EXPECT_TRUE(to().accounts.contains("a b"));
  EXPECT_TRUE(to().accounts.contains("old"));
}

TEST_F(Following, StrangeNamesAreLeftAndSaid) {
  for (const char* name : {"-dash", "a b", "a=b", "x,y", "a[1-2]", "\xC3\xBCn\xC3\xAF", "q`uote"}) {
    here_.account("onprem", name);
  }
  here_.account("onprem", "below", "a b");
  here_.user("onprem", "mal,ory", "proj001");
  const FollowOutcome outcome = follow();
  EXPECT_THAT(outcome.missing, IsEmpty());
  EXPECT_EQ(to().accounts.size(), 3U);
  EXPECT_FALSE(to().users.contains("mal"));
  int left = 0;
  for (const TreeChange& change : changes()) left += change.is_left() ? 1 : 0;
  EXPECT_EQ(left, 9);
  EXPECT_THAT(told(changes()).front(), HasSubstr("which sacctmgr would read otherwise"));
}

TEST_F(Following, RowsThatCannotBeReadAreNamed) {
  here_.clusters["onprem"].more_rows = {"onprem|a|b", "l|||lab|||||||||||||"};
  EXPECT_THAT(from().problems, ElementsAre(HasSubstr("'onprem|a|b'"), HasSubstr("'l|||lab")));
}

TEST_F(Following, UsersOfOnePartitionAndInOtherLettersAreLeft) {
  here_.cluster("onprem").users["dave"].name = "dave";
  here_.cluster("onprem").users["dave"].partitions["proj001"] = {"gpu"};
  here_.user("onprem", "Erin", "proj001");
  there_.account("cloud", "proj001");
  there_.user("cloud", "erin", "proj001");
  follow();
  EXPECT_THAT(told(changes()),
              ElementsAre(HasSubstr("add user Erin in proj001 left: user 'erin' is there already"),
                          HasSubstr("add user dave in proj001 left: it is for partition gpu alone"),
                          HasSubstr("remove user erin in proj001 left")));
}

TEST_F(Following, TheAccountRootIsNeverTouched) {
  there_.user("cloud", "asbb", "root");
  rules_.prune = true;
  follow();
  EXPECT_TRUE(to().users.contains("asbb"));
  for (const auto& command : there_.changes) {
    EXPECT_THAT(command, ::testing::Not(::testing::Contains("name=root")));
  }
}

TEST_F(Following, LimitsAreMappedByTheirRules) {
  Limits& limits = here_.cluster("onprem").accounts["lab"].limits;
  limits = {{"MaxJobs", {{"", 10}}},
            {"GrpTRES", {{"cpu", 64}, {"gres/gpu", 1}}},
            {"MaxWall", {{"", 600}}}};
  here_.cluster("onprem").users["bob"].accounts["nih-r01"]["MaxJobs"] = {{"", 3}};
  rules_.limits = {{"MaxJobs", {LimitRule::Kind::copy}},
                   {"GrpTRES", {LimitRule::Kind::scale, Micros(500'000)}},
                   {"MaxSubmitJobs", {LimitRule::Kind::fixed, {}, {{"", 100}}}}};
  EXPECT_THAT(follow().missing, IsEmpty());
  const AccountTree tree = to();
  EXPECT_EQ(tree.accounts.at("lab").limits, (Limits{{"MaxJobs", {{"", 10}}},
                                                    {"GrpTRES", {{"cpu", 32}, {"gres/gpu", 1}}},
                                                    {"MaxSubmitJobs", {{"", 100}}}}));
  EXPECT_EQ(tree.accounts.at("proj001").limits, (Limits{{"MaxSubmitJobs", {{"", 100}}}}));
  EXPECT_EQ(tree.users.at("bob").accounts.at("nih-r01"), (Limits{{"MaxJobs", {{"", 3}}}}));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(Following, ALimitThatIsThereIsOverwrittenOnlyWhenThatIsAskedFor) {
  here_.cluster("onprem").accounts["lab"].limits = {{"GrpTRES", {{"cpu", 64}}}};
  rules_.limits = {{"GrpTRES", {LimitRule::Kind::copy}}, {"MaxJobs", {LimitRule::Kind::copy}}};
  there_.account("cloud", "lab");
  there_.cluster("cloud").accounts["lab"].limits = {{"GrpTRES", {{"cpu", 8}, {"mem", 512}}},
                                                    {"MaxJobs", {{"", 2}}}};
  follow();
  EXPECT_THAT(told(changes()),
              ElementsAre(HasSubstr("set limit lab MaxJobs 2-> left: it is set there already"),
                          HasSubstr("set limit lab GrpTRES cpu=8,mem=512->cpu=64 left")));
  EXPECT_EQ(to().accounts.at("lab").limits.at("GrpTRES").at("cpu"), 8);

  rules_.existing = FollowRules::Existing::overwrite;
  EXPECT_THAT(follow().missing, IsEmpty());
  EXPECT_EQ(to().accounts.at("lab").limits, (Limits{{"GrpTRES", {{"cpu", 64}}}}));
}

TEST_F(Following, WithoutRulesLimitsAreLeftAlone) {
  here_.cluster("onprem").accounts["lab"].limits = {{"MaxJobs", {{"", 10}}}};
  follow();
  EXPECT_THAT(to().accounts.at("lab").limits, IsEmpty());
}

TEST_F(Following, ASlurmdbdThatStopsInTheMiddleIsSaidAndARerunCompletesIt) {
  for (int at = 0; at < 6; ++at) {
    FakeAccounting fresh;
    fresh.cluster("cloud");
    fresh.changes_left = at;
    const FollowOutcome outcome = slurm::follow(fresh, {"cloud", "", ""}, from(), rules_);
    EXPECT_THAT(outcome.broken_off, HasSubstr("Connection refused")) << at;
    fresh.changes_left = 1'000;
    const FollowOutcome again = slurm::follow(fresh, {"cloud", "", ""}, from(), rules_);
    EXPECT_THAT(again.missing, IsEmpty()) << at;
    EXPECT_EQ(fresh.cluster("cloud").users["alice"].default_account, "proj001") << at;
    EXPECT_EQ(outcome.made.size() > 0, at > 0) << at;
  }
}

TEST_F(Following, WhatSacctmgrSaysItDidIsNotBelieved) {
  there_.ignores = "name=proj001";
  const FollowOutcome outcome = follow();
  EXPECT_THAT(told(outcome.missing), ::testing::Contains(HasSubstr("add account proj001")));
  EXPECT_THAT(told(outcome.made), ::testing::Not(::testing::Contains(HasSubstr("proj001"))));
  EXPECT_TRUE(to().accounts.contains("nih-r01")) << "the others are done";
}

TEST_F(Following, AClusterThatSlurmdbdDoesNotKnowIsSaid) {
  const auto tree = read_account_tree(here_, {"nowhere", "", ""});
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().kind, ErrorKind::not_found);
  EXPECT_THAT(tree.error().message, HasSubstr("'nowhere'"));
}

TEST(PlainNames, AreThoseThatSacctmgrTakesAsTheyAre) {
  for (const char* name : {"proj001", "nih-r01", "a.b_c", "x@y", "root"}) {
    EXPECT_TRUE(is_plain_name(name)) << name;
  }
  for (const char* name :
       {"", "-a", "a b", "a,b", "a=b", "a|b", "a[1]", "\"a", "a\n", "\xC3\xBC"}) {
    EXPECT_FALSE(is_plain_name(name)) << name;
  }
  EXPECT_FALSE(is_plain_name(std::string(129, 'a')));
}

}  // namespace
}  // namespace asbb::slurm
