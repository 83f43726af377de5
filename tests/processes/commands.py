#!/usr/bin/python3
"""What single commands do to a running service and its ledger.

    tests/processes/commands.py PROGRAMS
"""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import ScratchService  # noqa: E402

NOBODY = 65534


def check(is_right, what):
    if not is_right:
        raise AssertionError(what)


def expect(service, command, code, *said):
    result = service.run(command)
    missing = [words for words in said if words not in result.stdout]
    check(result.returncode == code and not missing, f"{command}: {result.returncode}, {missing} not in {result.stdout}")
    return result.stdout


def used(service, account):
    return json.loads(service.asbb("account", "show", account, "--output=json"))["budgets"][0]["used"]


def charge(service, account, job, amount):
    """The job of another program."""
    headers = {"Content-Type": "application/json"}
    ask = {"account": account, "partition": "gpu-aws", "nodes": 1, "cpus": 1, "wall_time": "01:00:00"}
    _, answer = service.request("POST", "/api/v1/budget/check", json.dumps(ask), headers)
    told = {"job_id": job, "actual_cost": amount, "transaction_id": json.loads(answer)["transaction_id"]}
    status, answer = service.request("POST", "/api/v1/budget/reconcile", json.dumps(told), headers)
    check(status == 200, answer)


def money_of_other_programs(service):
    charge(service, "proj001", "render/7", 4)
    charge(service, "proj001", "4711", 2)
    check(used(service, "proj001") == 6, "charged")
    expect(service, "asbb refund render/7 --percent=50 --reason=slow", 0, "proj001")
    expect(service, "asbb refund 4711 --amount=1 --reason=slow", 0, "proj001")
    check(used(service, "proj001") == 3, "given back")
    expect(service, "asbb write-off render/7 --reason=failed", 0, "proj001")
    check(used(service, "proj001") == 1, "written off")
    charge(service, "proj001", "render/7", 3)
    expect(service, "asbb refund render/7 --percent=50 --reason=slow", 2, "say which with --transaction")
    check(used(service, "proj001") == 4, "nobody knows which")


def transfers(service):
    before = used(service, "proj001")
    expect(service, "asbb transfer --from=proj001 --to=proj002 --amount=5 --reason=agreed --unit=USD", 0, "Moved 5.00 USD")
    limits = [json.loads(service.asbb("account", "show", name, "--output=json"))["budgets"][0]["limit"]
              for name in ("proj001", "proj002")]
    check(limits == [45, 55] and used(service, "proj001") == before, limits)


def archive(service):
    service.asbb("audit", "export", "--file=archive.jsonl")
    expect(service, "asbb audit verify --archive=archive.jsonl", 0, "The ledger verifies")


def doctor(service):
    """It said of budgets that each belongs to an account of Slurm, and had seen none."""
    result = service.run("asbb doctor --output=json")
    found = {one["name"]: (one["status"], one["found"]) for one in json.loads(result.stdout)["checks"]}
    check(found["budgets"] == ("warning", "not checked: not all clusters were read yet"), found["budgets"])


def full_disk(service):
    result = subprocess.run("asbb doctor >/dev/full", shell=True, env=service.environment(), text=True,
                            stderr=subprocess.PIPE, check=False)
    check(result.returncode == 1 and "could not be written completely" in result.stderr, result)


def dry_migration(service):
    """It was refused while the service runs, though it changes nothing."""
    expect(service, "asbb database migrate --dry-run", 0, "is at version")
    expect(service, "asbb database migrate", 1, "service")


def for_programs(service):
    """The same columns whatever the accounts have; what there is not is an empty field."""
    service.asbb("account", "create", "--name=empty")
    found = service.asbb("account", "list", "--output=csv").splitlines()
    check(found[0] == "account,status,unit,limit,used,held,available,last_day", found)
    check("empty,active,,,,,," in found and "proj002,active,USD,55,0,0,55,2099-12-31" in found, found)


def closed_accounts(service):
    service.asbb("account", "create", "--name=gone", "--budget=50", "--start=2020-01-01", "--end=2099-12-31")
    headers = {"Content-Type": "application/json"}
    ask = {"account": "gone", "partition": "gpu-aws", "nodes": 1, "cpus": 1, "wall_time": "01:00:00"}
    _, answer = service.request("POST", "/api/v1/budget/check", json.dumps(ask), headers)
    expect(service, "asbb account list --status=closed", 0, "No account is closed.")
    expect(service, "asbb account delete gone", 0, "Account gone is closed", "Its open hold stays until its job ends")
    expect(service, "asbb account delete gone", 0, "was closed already")
    check("gone" not in expect(service, "asbb account list", 0), "listed among those that are open")
    expect(service, "asbb account list --status=closed", 0, "gone")
    expect(service, "asbb account show gone", 0, "closed")
    expect(service, "asbb account set-limit gone --partition=gpu-aws --limit=5", 3, "is closed")
    told = {"job_id": "7", "actual_cost": 2, "transaction_id": json.loads(answer)["transaction_id"]}
    status, answer = service.request("POST", "/api/v1/budget/reconcile", json.dumps(told), headers)
    check(status == 200 and used(service, "gone") == 2, answer)


def stop(service):
    process = service.process
    expect(service, "asbb service stop --url=http://127.0.0.1:1", 2, "on its own machine")
    if os.geteuid() == 0:
        service.path.chmod(0o755)
        other = subprocess.run([service.programs / "asbb", "service", "stop", f"--socket={service.socket}"], text=True,
                               capture_output=True, user=NOBODY, env={}, check=False)
        check(other.returncode == 1 and "only that user and root may stop it" in other.stderr, other)
    check(process.poll() is None, "it goes on")
    expect(service, "asbb service stop", 0, f"The service (process {process.pid}) has stopped.")
    check(process.wait(timeout=5) == 0, "it ended by itself, all written")
    expect(service, "asbb service stop", 1, "the service is not running: nobody listens on")


def main():
    with ScratchService(sys.argv[1]) as service:
        for account in ("proj001", "proj002"):
            service.asbb("account", "create", f"--name={account}", "--budget=50", "--start=2020-01-01", "--end=2099-12-31")
        service.asbb("account", "create", "--name=overhead", "--budget=0", "--start=2020-01-01", "--end=2099-12-31")
        service.asbb("prices", "import", "prices.yaml")
        for part in (money_of_other_programs, transfers, archive, doctor, full_disk, dry_migration, for_programs,
                     closed_accounts, stop):
            part(service)
            print("holds:", part.__name__)


if __name__ == "__main__":
    main()
