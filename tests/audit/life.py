"""A little life of a ledger: every kind of movement at least once. Made through a running service."""

import json
import uuid

ACCOUNT = ("--start=2020-01-01", "--end=2099-12-31")


def ask(service, path, **body):
    status, content = service.request("POST", path, json.dumps(body), {
        "Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex})
    if status not in (200, 201):
        raise RuntimeError(f"{path}: {status} {content!r}")
    return json.loads(content)


def hold(service, account, cpus, partition="gpu-aws"):
    answer = ask(service, "/api/v1/budget/check", account=account, partition=partition, nodes=1, cpus=cpus,
                 wall_time="02:00:00")
    if not answer["available"]:
        raise RuntimeError(f"no hold: {answer}")
    return answer["transaction_id"]


def settle(service, transaction, cost):
    ask(service, "/api/v1/budget/reconcile", job_id=f"job/{transaction}", actual_cost=cost, transaction_id=transaction)


def more_rules(service, charged):
    """A cost that another account bears, money in another unit, and a budget that was carried over."""
    service.asbb("account", "create", "--name=overhead", "--budget=5", *ACCOUNT)
    service.asbb("write-off", "proj001", f"--transaction={charged}", "--amount=0.25", "--reason=not billed")
    service.asbb("account", "update", "proj001", "--budget=10", "--unit=core-hours", *ACCOUNT)
    service.asbb("account", "update", "proj001", "--may-convert=yes")
    service.asbb("rates", "set", "USD", "core-hours", "2.5")
    service.asbb("convert", "proj001", "--amount=3", "--unit=USD", "--to=core-hours", "--reason=the cloud is full")
    service.asbb("account", "create", "--name=carrier", "--budget=7", "--start=2020-01-01", "--end=2020-12-31",
                 "--carry-over=50%")
    service.asbb("account", "update", "carrier", "--budget=1", *("--start=2021-01-01", "--end=2099-12-31"))


def live(service):
    """At least 25 entries."""
    service.asbb("prices", "import", "prices.yaml")
    for account in ("proj001", "proj002"):
        service.asbb("account", "create", f"--name={account}", "--budget=1000", *ACCOUNT)
    service.asbb("account", "update", "proj002", "--budget=900")
    holds = [hold(service, "proj001", cpus) for cpus in (1, 2, 3, 4, 5)]
    settle(service, holds[0], "0.25")
    settle(service, holds[1], "40.5")
    settle(service, holds[2], "0")
    service.asbb("refund", "proj001", f"--transaction={holds[1]}", "--amount=10.25", "--reason=a node failed; again, twice")
    service.asbb("deposit", "proj001", "--amount=33.3", "--reason=second instalment")
    service.asbb("withdraw", "proj002", "--amount=7", "--reason=returned")
    service.asbb("transfer", "proj001", "proj002", "--amount=50", "--reason=agreed")
    service.asbb("adjust", "proj002", "--amount=12.5", "--reason=an invoice of May")
    service.asbb("adjust", "proj002", "--amount=-2.5", "--reason=too much")
    more_rules(service, holds[1])
    settle(service, hold(service, "proj002", 2), "1.75")
    hold(service, "proj002", 6)
