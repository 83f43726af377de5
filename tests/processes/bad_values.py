#!/usr/bin/python3
"""A value that the service refuses is named with the flag that was typed, not with the API's field; nothing is changed.

    tests/processes/bad_values.py PROGRAMS
"""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import ScratchService  # noqa: E402

LONG = "x" * 20000
NEW = "account create --name=proj003 --budget=5 --start=2025-01-01 --end=2025-12-31"
# The line, and how what it says has to begin.
TABLE = (
    ("account create --name=bad/name --budget=5 --start=2025-01-01 --end=2025-12-31", "--name: 'bad/name'"),
    ("account create --name= --budget=5 --start=2025-01-01 --end=2025-12-31", "--name: ''"),
    (f"{NEW} --account=bad/name", "--account: 'bad/name'"),
    ("account create --name=proj003 --budget=5 --start=2025-12-31 --end=2025-01-01", "--end '2025-01-01'"),
    ("account create --name=proj003 --budget=5 --start=2025-13-01 --end=2025-12-31", "--start: '2025-13-01'"),
    ("account create --name=proj003 --budget=5bad! --start=2025-01-01 --end=2025-12-31", "--budget"),
    (f"{NEW} --unit=bad!", "--unit"),
    (f"{NEW} --parent=nobody", "--parent 'nobody'"),
    (f"{NEW} --parent=bad/name", "--parent: 'bad/name'"),
    (f"{NEW} --hold-percentage=0.5", "--hold-percentage: '0.5'"),
    (f"{NEW} --credit-limit=99999999999999", "--credit-limit: '99999999999999'"),
    (f"{NEW} --credit-limit=-1", "--credit-limit"),
    (f"{NEW} --alias=-x", "--alias"),
    (f"{NEW} --owner={LONG}", "--owner"),
    (f"{NEW} --description={LONG}", "--description"),
    (f"{NEW} --carry-over=150%", "--carry-over: '150%'"),
    ("account update proj001 --parent=proj001", "--parent 'proj001'"),
    ("account update proj001 --parent=nobody", "--parent 'nobody'"),
    ("account update proj001 --hold-percentage=0.1", "--hold-percentage: '0.1'"),
    (f"account update proj001 --name={LONG}", "--name: 'x"),
    (f"account update proj001 --owner={LONG}", "--owner"),
    (f"account update proj001 --reason={LONG} --name=x", "--reason: 'x"),
    ("account update proj001 --start=2026-01-01 --end=2025-01-01", "--end '2025-01-01'"),
    ("account set-limit proj001 --partition=bad/part --limit=5", "--partition 'bad/part'"),
    (f"account set-limit proj001 --partition=gpu-aws --limit=20 --reason={LONG}", "--reason: 'x"),
    ("account set-limit proj001 --partition=gpu-aws --limit=20 --unit=core-hours",
     "Account 'proj001' has no budget"),
    ("adjust proj001 --amount=1 --reason=", "--reason: a reason is expected"),
    (f"adjust proj001 --amount=1 --reason={LONG}", "--reason: 'x"),
    ("adjust proj001 --amount=1 --reason=x --unit=core-hours", "Account 'proj001' has no budget in core-hours"),
    (f"adjust proj001 --amount=1 --reason=x --request-id={LONG}", "--request-id: 'x"),
    ("deposit proj001 --amount=1 --reason=x --unit=core-hours", "Account 'proj001' has no budget in core-hours"),
    (f"deposit proj001 --amount=1 --reason={LONG}", "--reason: 'x"),
    ("withdraw proj001 --amount=1 --reason=x --unit=core-hours", "Account 'proj001' has no budget in core-hours"),
    ("withdraw proj001 --amount=1 --reason=", "--reason: a reason is expected"),
    ("transfer --from=proj001 --to=proj002 --amount=1 --reason=", "--reason: a reason is expected"),
    (f"transfer proj001 proj002 --amount=1 --reason=x --request-id={LONG}", "--request-id: 'x"),
    ("transfer --from=proj001 --to=bad/name --amount=1 --reason=x", "--to"),
    ("transfer proj001 bad/name --amount=1 --reason=x", "TO"),
    ("refund render/7 --amount=1 --reason=", "--reason: a reason is expected"),
    (f"refund render/7 --amount=1 --reason={LONG}", "--reason: 'x"),
    (f"write-off render/7 --amount=1 --reason={LONG}", "--reason: 'x"),
    ("convert proj001 --amount=1 --unit=USD --to=USD --reason=x", "--to 'USD'"),
    ("convert proj001 --amount=1 --unit=USD --to=bad! --reason=x", "--to 'bad!'"),
    ("convert proj001 --amount=1 --unit=bad! --to=USD --reason=x", "--unit 'bad!'"),
    ("rates set USD USD 2", "TO 'USD'"),
    ("rates set USD bad! 2", "TO 'bad!'"),
    ("rates set bad! USD 2", "FROM 'bad!'"),
    (f"rates set USD core-hours 2 --reason={LONG}", "--reason: 'x"),
    ("rates set USD core-hours 2 --effective-from=2025-99-01", "--effective-from: '2025-99-01'"),
    ("reconcile 7 --cluster=nowhere", "--cluster: 'nowhere'"),
    (f"reconcile 7 --actual-cost=1 --reason={LONG}", "--reason: 'x"),
    ("reconcile abc", "JOB: 'abc'"),
    ("job-context --job-id=abc", "--job-id: 'abc'"),
    ("job-context --job-id=7 --cluster=nowhere", "--cluster: 'nowhere'"),
    ("slurm notify --cluster=nowhere --job-id=7", "--cluster: 'nowhere'"),
    ("transactions list --type=odd", "--type: 'odd'"),
    ("transactions list --from=2025-99-01", "--from: '2025-99-01'"),
    (f"transactions list --job={'x' * 2000}", "--job"),
    ("usage show proj001 --start=2025-99-01", "--start: '2025-99-01'"),
)
# Fields of the API that nobody types.
FIELDS = re.compile(r"\b(?:slurm_account|start_date|end_date|to_unit|from_unit|to_account|budget_limit|job_id|"
                    r"request_id|transaction_id|hold_percentage|credit_limit|carry_over|effective_from|actual_cost)\b")


def spend(service):
    headers = {"Content-Type": "application/json"}
    ask = {"account": "proj001", "partition": "gpu-aws", "nodes": 1, "cpus": 1, "wall_time": "01:00:00"}
    _, answer = service.request("POST", "/api/v1/budget/check", json.dumps(ask), headers)
    told = {"job_id": "render/7", "actual_cost": 4, "transaction_id": json.loads(answer)["transaction_id"]}
    assert service.request("POST", "/api/v1/budget/reconcile", json.dumps(told), headers)[0] == 200


def main():
    wrong = []
    with ScratchService(sys.argv[1]) as service:
        service.asbb("prices", "import", "prices.yaml")
        for name in ("proj001", "proj002"):
            service.asbb("account", "create", f"--name={name}", "--budget=50", "--start=2020-01-01", "--end=2099-12-31")
        spend(service)
        before = service.asbb("transactions", "list", "--output=csv", "--all")
        for line, begins in TABLE:
            result = subprocess.run([service.programs / "asbb", *shlex.split(line)], env=service.environment(),
                                    text=True, cwd=service.path, capture_output=True, timeout=60, check=False)
            unquoted = re.sub("'[^']*'", "''", result.stderr)
            is_named = result.stderr.startswith(f"asbb: {begins}") and not FIELDS.search(unquoted)
            if result.returncode not in (1, 2, 3) or not is_named:
                found = f"asbb {line}\n  {begins} ... is expected; {result.returncode} {result.stderr}"
                wrong.append(found.replace(LONG, "x..."))
        if service.asbb("transactions", "list", "--output=csv", "--all") != before:
            wrong.append("the ledger was changed")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(TABLE)} lines name the flag that was typed")


if __name__ == "__main__":
    main()
