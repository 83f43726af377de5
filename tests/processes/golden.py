#!/usr/bin/python3
"""What commands print, as a table, as CSV and as JSON, against the files in tests/golden.

    tests/processes/golden.py PROGRAMS            every command of SCENARIO, in its order, on a new ledger
    tests/processes/golden.py PROGRAMS --update   writes the files anew: read the difference before it is committed

Moments, names of transactions and the folder of the test are written as zeros or by one name; all else is compared.
"""

import getpass
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import ScratchService  # noqa: E402

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
KNOWN_DAYS = {"2020-01-01", "2024-12-31", "2025-01-01", "2025-12-31", "2099-12-31"}
FORMS = ("table", "csv", "json")

# A name for the file, then the command; what changes the ledger runs once for each form, or once when it says so.
SCENARIO = (
    ("account-list-empty", "account list"),
    ("transactions-empty", "transactions list"),
    ("prices-list-empty", "prices list"),
    ("prices-import", "prices import prices.yaml", "table"),
    ("prices-list", "prices list"),
    ("account-create", "account create --name=proj001 --budget=50 --start=2020-01-01 --end=2099-12-31 "
                       "--description='First project' --owner=pi@example.org --alias=p1", "table"),
    ("account-create-json", "account create --name=proj002 --budget=100core-hours --budget=20USD --start=2020-01-01 "
                            "--end=2099-12-31 --parent=proj001", "json"),
    ("account-create-csv", "account create --name=overhead --budget=10 --start=2020-01-01 --end=2099-12-31", "csv"),
    ("account-create-twice", "account create --name=proj001"),
    ("account-update", "account update proj001 --name='Project one' --hold-percentage=1.2"),
    ("account-update-nothing", "account update proj001"),
    ("account-set-limit", "account set-limit proj001 --partition=gpu-aws --limit=20"),
    ("account-list", "account list"),
    ("account-list-closed", "account list --status=closed"),
    ("account-show", "account show proj001"),
    ("account-show-two-units", "account show proj002"),
    ("account-show-unknown", "account show proj01"),
    ("account-tree", "account tree"),
    ("budgets", "budgets"),
    ("adjust", "adjust proj001 --amount=2.5 --reason='invoice 7'", "table"),
    ("adjust-csv", "adjust proj001 --amount=-0.5 --reason='a credit note'", "csv"),
    ("deposit", "deposit proj001 --amount=5 --reason=gift", "table"),
    ("withdraw", "withdraw proj001 --amount=1 --reason='too much'", "csv"),
    ("transfer", "transfer --from=proj001 --to=overhead --amount=3 --unit=USD --reason=agreed", "table"),
    ("transfer-too-much", "transfer --from=proj001 --to=overhead --amount=3000 --unit=USD --reason=agreed"),
    ("refund", "refund render/7 --percent=50 --reason=slow", "table"),
    ("refund-unknown", "refund 4711 --amount=1 --reason=slow"),
    ("write-off", "write-off render/7 --reason=failed", "table"),
    ("transactions", "transactions proj001"),
    ("transactions-charges", "transactions list --account=proj001 --type=charge,refund"),
    ("transactions-show", "transactions show 1"),
    ("usage-show", "usage show proj001 --by=partition,user,account"),
    ("usage-summary-by", "usage summary --start=2020-01-01 --end=2099-12-31"),
    ("rates-list-empty", "rates list"),
    ("alerts-list", "alerts list"),
    ("alerts-rules", "alerts rules"),
    ("recover", "recover --dry-run"),
    ("audit-verify", "audit verify"),
    ("database-status", "database status"),
    ("account-delete", "account delete proj002", "table"),
    ("account-delete-again", "account delete proj002"),
    ("url-none", "account list --url=foo", "table"),
    ("url-away", "account list --url=http://127.0.0.1:1", "table"),
    ("socket-away", "account list --socket=/nowhere/asbb.sock", "table"),
    ("unknown-command", "acount list"),
    ("unknown-flag", "account list --outptu=csv"),
    ("missing-flag", "account set-limit proj001 --limit=20"),
    ("bad-amount", "adjust proj001 --amount=ten --reason=x"),
)


def spend(service):
    """A job of another program, which is charged 4 USD."""
    headers = {"Content-Type": "application/json"}
    ask = {"account": "proj001", "partition": "gpu-aws", "nodes": 1, "cpus": 1, "wall_time": "01:00:00"}
    _, answer = service.request("POST", "/api/v1/budget/check", json.dumps(ask), headers)
    told = {"job_id": "render/7", "actual_cost": 4, "transaction_id": json.loads(answer)["transaction_id"]}
    assert service.request("POST", "/api/v1/budget/reconcile", json.dumps(told), headers)[0] == 200


def zeros(match):
    return match.group() if match.group() in KNOWN_DAYS else re.sub("[0-9]", "0", match.group())


def steady(text, service):
    text = text.replace(str(service.path), "/scratch")
    text = re.sub(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?)?", zeros, text)
    text = re.sub(r"\b[0-9a-f]{24,}\b", lambda match: "0" * len(match.group()), text)
    text = re.sub(r"(?<=_us=)\d+", "0", text)
    if getpass.getuser() != "root":  # its width moves columns
        text = re.sub(" +", " ", text.replace(getpass.getuser(), "root"))
    return text


def printed(service, command, forms):
    pages = []
    for form in forms:
        line = command if form == "table" else f"{command} --output={form}"
        result = subprocess.run(["asbb", *shlex.split(line)], cwd=service.path, env=service.environment(), text=True,
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        if form == "json" and result.returncode == 0:
            json.loads(result.stdout)
        said = "".join(f"stderr: {words}\n" for words in result.stderr.splitlines())
        pages.append(f"$ asbb {line}\n{steady(result.stdout + said, service)}(exit {result.returncode})\n")
    return "\n".join(pages)


def main():
    updates = "--update" in sys.argv
    wrong = []
    with ScratchService(sys.argv[1]) as service:
        for name, command, *forms in SCENARIO:
            if name == "refund":
                spend(service)
            found = printed(service, command, forms or FORMS)
            file = GOLDEN / f"{name}.txt"
            if updates:
                file.write_text(found, encoding="utf-8")
            expected = file.read_text(encoding="utf-8") if file.exists() else ""
            if getpass.getuser() != "root":
                expected = re.sub(" +", " ", expected)
            if found != expected:
                wrong.append(name)
                print(f"--- {file}\n{expected}+++ now\n{found}")
    left = {file.stem for file in GOLDEN.glob("*.txt")} - {step[0] for step in SCENARIO}
    if wrong or left:
        sys.exit(f"differ: {', '.join(wrong)}; without a command: {', '.join(sorted(left))}")
    print(f"{len(SCENARIO)} commands print what tests/golden has")


if __name__ == "__main__":
    main()
