#include "base/text.h"
#include "http/exchange.h"
#include "http/routes.h"

namespace asbb::http {
namespace {

constexpr std::int64_t accounts_limit_max = 10'000;
constexpr std::int64_t accounts_offset_max = 1'000'000'000;
constexpr std::size_t import_bytes_max = 4 * 1024 * 1024;

Result<std::int64_t> parse_number(const std::string& name, const std::string& value,
                                  std::int64_t least, std::int64_t most) {
  const auto number = parse_whole(value, least, most);
  if (!number) {
    return fail(
        ErrorKind::invalid,
        name + " must be a number from " + std::to_string(least) + " to " + std::to_string(most),
        name);
  }
  return *number;
}

Result<service::AccountsQuery> parse_accounts_query(const api::QueryParameters& parameters) {
  service::AccountsQuery query;
  for (const auto& [name, value] : parameters) {
    Result<std::int64_t> number = 0;
    if (name == "limit") {
      number = parse_number(name, value, 1, accounts_limit_max);
      query.limit = number.value_or(query.limit);
    } else if (name == "offset") {
      number = parse_number(name, value, 0, accounts_offset_max);
      query.offset = number.value_or(query.offset);
    } else if (name == "status" && (value == "active" || value == "inactive" ||
                                    value == "suspended" || value == "closed")) {
      query.status = value;
    } else if (name == "status") {
      return fail(ErrorKind::invalid, "status is one of active, inactive, suspended, closed", name);
    } else {
      return fail(ErrorKind::invalid, "the parameters here are status, limit, offset", name);
    }
    if (!number) return tl::unexpected(number.error());
  }
  return query;
}

void add_reading_routes(Router& router, service::Operations& operations) {
  const auto list = [&router, &operations](const SharedCall& call) {
    const auto query = parse_accounts_query(call->query);
    if (!query) {
      return respond<api::Account>(router, call, service::problem(query.error()));
    }
    respond(router, call, operations.accounts(call->caller, *query));
  };
  router.add({"GET", "/api/v1/accounts", list});

  const auto show = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.account(call->caller, call->captures[0]));
  };
  router.add({"GET", "/api/v1/accounts/{account}", show});

  const auto holds = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.open_holds(call->caller, call->captures[0]));
  };
  router.add({"GET", "/api/v1/accounts/{account}/holds", holds});
}

}  // namespace

namespace {

void add_money_routes(Router& router, service::Operations& operations) {
  const auto adjust = [&router, &operations](const SharedCall& call) {
    with_body<api::Adjustment>(router, call, [&](const api::Adjustment& request) {
      operations.adjust(call->caller, call->captures[0], with_key(request, *call),
                        promise_of<api::Account>(router, call));
    });
  };
  router.add({"POST", "/api/v1/accounts/{account}/adjustments", adjust});

  const auto deposit = [&router, &operations](const SharedCall& call) {
    with_body<api::MoneyMove>(router, call, [&](const api::MoneyMove& request) {
      operations.deposit(call->caller, call->captures[0], with_key(request, *call),
                         promise_of<api::Account>(router, call));
    });
  };
  router.add({"POST", "/api/v1/accounts/{account}/deposits", deposit});

  const auto withdraw = [&router, &operations](const SharedCall& call) {
    with_body<api::MoneyMove>(router, call, [&](const api::MoneyMove& request) {
      operations.withdraw(call->caller, call->captures[0], with_key(request, *call),
                          promise_of<api::Account>(router, call));
    });
  };
  router.add({"POST", "/api/v1/accounts/{account}/withdrawals", withdraw});

  const auto transfer = [&router, &operations](const SharedCall& call) {
    with_body<api::MoneyTransfer>(router, call, [&](const api::MoneyTransfer& request) {
      operations.transfer(call->caller, call->captures[0], with_key(request, *call),
                          promise_of<api::Account>(router, call));
    });
  };
  router.add({"POST", "/api/v1/accounts/{account}/transfers", transfer});

  const auto refund = [&router, &operations](const SharedCall& call) {
    with_body<api::MoneyRefund>(router, call, [&](const api::MoneyRefund& request) {
      operations.refund(call->caller, call->captures[0], with_key(request, *call),
                        promise_of<api::Account>(router, call));
    });
  };
  router.add({"POST", "/api/v1/accounts/{account}/refunds", refund, default_body_bytes_max, true});
}

void add_moved_cost_routes(Router& router, service::Operations& operations) {
  const auto write_off = [&router, &operations](const SharedCall& call) {
    with_body<api::MoneyWriteOff>(router, call, [&](const api::MoneyWriteOff& request) {
      operations.write_off(call->caller, call->captures[0], with_key(request, *call),
                           promise_of<api::Account>(router, call));
    });
  };
  router.add(
      {"POST", "/api/v1/accounts/{account}/write-offs", write_off, default_body_bytes_max, true});

  const auto convert = [&router, &operations](const SharedCall& call) {
    with_body<api::MoneyConversion>(router, call, [&](const api::MoneyConversion& request) {
      operations.convert(call->caller, call->captures[0], with_key(request, *call),
                         promise_of<api::Account>(router, call));
    });
  };
  router.add({"POST", "/api/v1/accounts/{account}/conversions", convert});
}

}  // namespace

void add_account_routes(Router& router, service::Operations& operations) {
  add_reading_routes(router, operations);
  const auto create = [&router, &operations](const SharedCall& call) {
    with_body<api::AccountCreate>(router, call, [&](const api::AccountCreate& request) {
      operations.create_account(call->caller, request, promise_of<api::Account>(router, call, 201));
    });
  };
  router.add({"POST", "/api/v1/accounts", create});

  const auto import = [&router, &operations](const SharedCall& call) {
    with_body<api::AccountImport>(router, call, [&](const api::AccountImport& request) {
      operations.import_accounts(call->caller, request,
                                 promise_of<api::AccountImportAnswer>(router, call, 201));
    });
  };
  router.add({"POST", "/api/v1/accounts/import", import, import_bytes_max});

  const auto update = [&router, &operations](const SharedCall& call) {
    with_body<api::AccountUpdate>(router, call, [&](const api::AccountUpdate& request) {
      operations.update_account(call->caller, call->captures[0], request,
                                promise_of<api::Account>(router, call));
    });
  };
  router.add({"PUT", "/api/v1/accounts/{account}", update});

  const auto close = [&router, &operations](const SharedCall& call) {
    operations.close_account(call->caller, call->captures[0],
                             promise_of<service::Nothing>(router, call));
  };
  router.add({"DELETE", "/api/v1/accounts/{account}", close});

  const auto set_limit = [&router, &operations](const SharedCall& call) {
    with_body<api::PartitionLimitSet>(router, call, [&](const api::PartitionLimitSet& request) {
      operations.set_partition_limit(call->caller, call->captures[0], call->captures[1], request,
                                     promise_of<api::Account>(router, call));
    });
  };
  router.add({"PUT", "/api/v1/accounts/{account}/partition-limits/{partition}", set_limit});

  add_money_routes(router, operations);
  add_moved_cost_routes(router, operations);
}

}  // namespace asbb::http
