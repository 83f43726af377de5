#!/usr/bin/python3
"""What commands print, as a table, as CSV and as JSON, against the files in tests/golden.

    tests/processes/golden.py PROGRAMS            every command of SCENARIO, then of WITH_SLURM, each on a new ledger
    tests/processes/golden.py PROGRAMS --update   writes the files anew: read the difference before it is committed

Moments, names of transactions, what depends on the time of day and the folder of the test are written as zeros or by
one name; all else is compared.
"""

import datetime
import getpass
import json
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from fake_slurm import FakeSlurm  # noqa: E402
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
    ("usage-show-another-program", "usage show proj001 --by=cluster,job,hold"),
    ("usage-summary-by", "usage summary --start=2020-01-01 --end=2099-12-31"),
    ("rates-list-empty", "rates list"),
    ("alerts-list", "alerts list"),
    ("alerts-rules", "alerts rules"),
    ("recover", "recover --dry-run"),
    ("audit-verify", "audit verify"),
    ("database-status", "database status"),
    ("report-dual-slurm-away", "report dual --account=proj001 --start=2020-01-01 --end=2025-12-31"),
    ("slurm-sync-away", "slurm sync-accounts --from=onprem --to=cloud --dry-run"),
    ("submit-slurm-away", "submit --cheapest --dry-run -A proj001 --wrap=hostname", "table"),
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

# The same with a Slurm that answers, after PREPARED. FIRST and LAST are 30 days ago and 29 days ahead.
PREPARED = (
    "prices import prices.yaml",
    "rates set USD core-hours 25 --effective-from=2020-01-01",
    "account create --name=proj001 --budget=50USD --budget=100core-hours --start=2020-01-01 --end=2099-12-31",
    "account create --name=proj002 --budget=50 --start=FIRST --end=LAST",
    "account create --name=lab --budget=0.06586 --start=FIRST --end=LAST",
    "account create --name=nih-r01 --budget=9 --start=FIRST --end=LAST",
)
WITH_SLURM = (
    ("doctor", "doctor"),
    ("slurm-status", "slurm status"),
    ("service-status", "service status"),
    ("quote", "quote --cluster=onprem -- --account=proj001 --partition=gpu-aws --nodes=1 --time=1:00:00"),
    ("quote-refused", "quote --cluster=onprem -- --account=proj001 --partition=gpu-aws --nodes=4 --gpus-per-node=2 "
                      "--time=1-00:00:00"),
    ("submit-cheapest", "submit --cheapest --dry-run -A proj001 --wrap=hostname", "table"),
    ("job-context-none", "job-context --job-id=7"),
    ("job-context-bad", "job-context --job-id=render/7"),
    ("report-dual-none", "report dual --account=proj001 --start=2020-01-01 --end=2025-12-31"),
    ("forecast-nothing-spent", "forecast nih-r01"),
    ("forecast-exhausted", "forecast lab"),
    ("forecast", "forecast proj002"),
    ("forecast-unknown", "forecast proj02"),
    ("report-dual", "report dual --account=proj002 --start=FIRST --end=LAST"),
    ("report-dual-by", "report dual --account=ALL --start=FIRST --end=LAST --by=account"),
    ("top", "top --once"),
)
HEADERS = {"Content-Type": "application/json"}


def hold(service, account):
    """0.06586 USD for a job of another program."""
    ask = {"account": account, "partition": "gpu-aws", "nodes": 1, "cpus": 1, "wall_time": "01:00:00"}
    status, answer = service.request("POST", "/api/v1/budget/check", json.dumps(ask), HEADERS)
    assert status == 200, answer
    return json.loads(answer)["transaction_id"]


def spend(service, account, cost):
    """A job of another program, which is charged."""
    told = {"job_id": "render/7", "actual_cost": cost, "transaction_id": hold(service, account)}
    assert service.request("POST", "/api/v1/budget/reconcile", json.dumps(told), HEADERS)[0] == 200


def relative(command):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return command.replace("FIRST", str(today - datetime.timedelta(30))).replace(
        "LAST", str(today + datetime.timedelta(29)))


def prepare(service):
    """Ledger and clusters as WITH_SLURM needs them; each cluster was read and a pass was made."""
    for command in PREPARED:
        service.asbb(*shlex.split(relative(command)))
    hold(service, "lab")
    spend(service, "proj002", 5)
    service.asbb("adjust", "proj002", "--amount=10", "--reason=an invoice")
    until = time.monotonic() + 60
    while "never" in service.asbb("service", "status", "--output=csv"):
        assert time.monotonic() < until, "no pass was made"
        time.sleep(0.5)


def with_slurm(programs):
    service = ScratchService(programs)
    slurm = FakeSlurm(service)
    (service.path / "plugins").mkdir()
    built = Path(programs).resolve().parent / "lib" / "slurm" / "job_submit_budget.so"
    (service.path / "plugins" / "job_submit_budget.so").symlink_to(built)
    for cluster in ("onprem", "cloud"):
        slurm.edit(cluster, "config", "JobSubmitPlugins        = (null)", "JobSubmitPlugins        = budget")
        slurm.edit(cluster, "config", "/srv/bed/plugins", str(service.path / "plugins"))
        slurm.put(cluster, "levels", f"{getpass.getuser()}|Operator\n")
    return service


def zeros(match):
    return match.group() if match.group() in KNOWN_DAYS else re.sub("[0-9]", "0", match.group())


def steady(text, service):
    text = text.replace(str(service.path), "/scratch")
    text = re.sub(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?)?", zeros, text)
    text = re.sub(r"\b20\d\d-\d\d\b(?!-)", "0000-00", text)
    text = re.sub(r"\b[0-9a-f]{24,}\b", lambda match: "0" * len(match.group()), text)
    text = re.sub(r"(?<=_us=)\d+", "0", text)
    text = re.sub(r"\d+(?= MB are free| s ago| s off this one| s\n)", "0", text)
    text = re.sub(r"(?<=view_age_seconds\":)\d+|(?<=passes\":)\d+", "0", text)
    text = re.sub(r"\d+h\d+m\d+s", "0h0m0s", text)
    text = re.sub(r"\b\d+\.\d+\.\d+(?=, as this program|, started|\",\"started)", "0.0.0", text)
    if getpass.getuser() != "root":  # its width moves columns
        text = re.sub(" +", " ", text.replace(getpass.getuser(), "root"))
    return text


def without_rate(text):
    """A forecast without what would spend the rest evenly: it changes with each second that is left."""
    text = re.sub(r"(?<=expected_per_day\":)[\d.]+", "0", text)
    text = re.sub(r"[\d.]+(?= a day would)", "0.00", text)
    lines = []
    for line in text.split("\n"):
        if line.startswith(("OVER ", "the last ", "the days left ")):
            line = re.sub(" +", " ", re.sub(r"[\d.]+(?= %| +expected)", "0", line))
        cells = line.split(",")
        if len(cells) == 22 and cells[14] != "expected_per_day":
            line = ",".join([*cells[:14], "0", *cells[15:]])
        lines.append(line)
    return "\n".join(lines)


def printed(service, command, forms):
    pages = []
    for form in forms:
        line = command
        if form != "table":  # what stands behind '--' is another program's
            words, mark, others = command.partition(" -- ")
            line = f"{words} --output={form}{mark}{others}"
        result = subprocess.run(["asbb", *shlex.split(relative(line))], cwd=service.path, env=service.environment(),
                                text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        if form == "json" and result.returncode == 0:
            json.loads(result.stdout)
        said = "".join(f"stderr: {words}\n" for words in result.stderr.splitlines())
        text = steady(result.stdout + said, service)
        text = without_rate(text) if command.startswith("forecast") else text
        pages.append(f"$ asbb {line}\n{text}(exit {result.returncode})\n")
    return "\n".join(pages)


def compare(service, scenario, updates):
    """The names of those that print something else than their file has."""
    wrong = []
    for name, command, *forms in scenario:
        if name == "refund":
            spend(service, "proj001", 4)
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
    return wrong


def main():
    updates = "--update" in sys.argv
    with ScratchService(sys.argv[1]) as service:
        wrong = compare(service, SCENARIO, updates)
    with with_slurm(sys.argv[1]) as service:
        prepare(service)
        wrong += compare(service, WITH_SLURM, updates)
    steps = SCENARIO + WITH_SLURM
    left = {file.stem for file in GOLDEN.glob("*.txt")} - {step[0] for step in steps}
    if wrong or left:
        sys.exit(f"differ: {', '.join(wrong)}; without a command: {', '.join(sorted(left))}")
    print(f"{len(steps)} commands print what tests/golden has")


if __name__ == "__main__":
    main()
