#!/usr/bin/python3
"""Reports of a real service, with a sacct and a mail server of the test.

    tests/processes/reports.py PROGRAMS [figures|weekly]
    tests/processes/reports.py PROGRAMS large [1000000]       # so many jobs, programs without sanitizers: time and memory

What is expected is added up here, from the service's own list of transactions and from the rows that sacct is given.
"""

import csv
import email
import fcntl
import io
import json
import os
import pty
import re
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import EXAMPLE_PRICES, ScratchService  # noqa: E402

PRICES = """effective_from: 2025-01-01
prices:
  - {cluster: onprem, partition: cpu, unit: core-hours, basis: tres, per_core_hour: 1}
  - {cluster: cloud, partition: aws-cpu, unit: USD, basis: tres, per_core_hour: 0.085}
  - {cluster: onprem, partition: scratch, free: true}
"""
SACCT = r"""#!/usr/bin/python3
import json, os, sys
from datetime import datetime, timezone
options = dict(word[2:].partition("=")[::2] for word in sys.argv[1:])
assert os.environ["TZ"] == "UTC" and os.environ["SLURM_TIME_FORMAT"] == "%s", os.environ
at = lambda text: datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()
since, until = at(options["starttime"]), at(options["endtime"])
assert since < until
here = os.path.dirname(sys.argv[0])
if os.path.exists(here + "/away"):
    sys.exit("sacct: error: slurmdbd is away")
for row in json.load(open(here + "/rows.json")):
    if since <= int(row["End"]) <= until and row["Cluster"] == options["clusters"]:
        print("".join(str(row[name]) + options["delimiter"] for name in options["format"].split(",")))
"""
# A job for every moment: what sacct says of many is made when it is asked for.
LARGE_SACCT = r"""#!/usr/bin/python3
import sys
from datetime import datetime, timezone
START, LENGTH, COUNT = @START@, @LENGTH@, @COUNT@
options = dict(word[2:].partition("=")[::2] for word in sys.argv[1:])
at = lambda text: int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())
since, until = at(options["starttime"]) - START, at(options["endtime"]) - START
mark, names = options["delimiter"], options["format"].split(",")
first, last = max(0, since * COUNT // LENGTH - 2), min(COUNT, until * COUNT // LENGTH + 2)
for i in range(first, last if options["clusters"] == "onprem" else 0):
    end = START + i * LENGTH // COUNT
    row = {"JobIDRaw": i + 1000, "JobID": i + 1000, "User": f"user{i % 97:03}", "Account": "proj001", "Partition": "cpu",
           "State": "COMPLETED", "Submit": end - 900, "Eligible": end - 800, "Start": end - 700, "End": end,
           "ElapsedRaw": 600, "TimelimitRaw": 20, "AllocCPUS": 4}
    sys.stdout.write("".join(f"{row[name]}{mark}" for name in names) + "\n")
"""
LARGE_GROWTH_MAX_KB = 24 * 1024  # of ten times as many jobs: a sorter and a window of sacct fill up
MILLION_SECONDS_MAX = 60
ZONE = "Australia/Adelaide"  # the service's, with half hours
JSON = {"Content-Type": "application/json"}


class MailServer(socketserver.StreamRequestHandler):
    """As much of SMTP as it takes to receive an e-mail; it can refuse one receiver, or be slow."""

    received = []
    refused = ""
    drops = ""
    hangs_for = ""
    hanging = threading.Event()

    def handle(self):
        receivers = []
        self.say("220 test")
        while line := self.rfile.readline().decode().strip():
            if line.upper().startswith("RCPT TO:"):
                receivers.append(line[8:].strip("<> "))
                if receivers[-1] == MailServer.refused:
                    self.say("550 no such person")
                    continue
            if line.upper() == "DATA":
                self.say("354 go on")
                text = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    text += part
                MailServer.received.append((receivers, email.message_from_bytes(text)))
                if receivers == [MailServer.drops]:
                    return
                if receivers == [MailServer.hangs_for]:
                    MailServer.hanging.set()
                    time.sleep(8)
            elif line.upper() == "QUIT":
                self.say("221 bye")
                return
            self.say("250 ok")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class Page(HTMLParser):
    """Which tags a page has, and the exact figures in it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.figures, self.outside = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            if name in ("src", "href", "action"):
                self.outside.append(value)
            if tag == "data" and name == "value":
                self.figures.add(value)


def check(holds, *what):
    if not holds:
        raise AssertionError(what)


def charge(service, account, job, amount, partition="gpu-aws"):
    """The job of a program, with its transaction."""
    ask = {"account": account, "partition": partition, "nodes": 1, "cpus": 1, "wall_time": "01:00:00"}
    status, answer = service.request("POST", "/api/v1/budget/check", json.dumps(ask), JSON)
    check(status == 200, answer)
    told = {"job_id": job, "actual_cost": amount, "transaction_id": json.loads(answer)["transaction_id"]}
    status, answer = service.request("POST", "/api/v1/budget/reconcile", json.dumps(told), JSON)
    check(status == 200, answer)


def plant_sacct(service, rows):
    for name in ("onprem", "cloud"):
        folder = service.path / f"slurm-{name}"
        folder.mkdir()
        for command in ("squeue", "scontrol", "sacctmgr", "sdiag"):
            (folder / command).write_text("#!/bin/sh\nexit 1\n")
        (folder / "sacct").write_text(SACCT)
        for command in folder.iterdir():
            command.chmod(0o755)
        (folder / "rows.json").write_text(json.dumps(rows))
    settings = (service.path / "config.yaml").read_text()
    for name in ("onprem", "cloud"):
        settings = settings.replace(f"name: {name}, bin_dir: {service.path}/slurm",
                                    f"name: {name}, bin_dir: {service.path}/slurm-{name}")
    (service.path / "config.yaml").write_text(settings)


def plant_charges(service, count, days):
    """Charges of Slurm jobs, as copies of one that the service wrote; and the rows that sacct has of them."""
    rows = []
    with sqlite3.connect(service.path / "asbb.db") as connection:
        # what there is happened long ago, so that nothing here lies in the future
        without_guards(connection, ("UPDATE budget_transactions SET at_us = at_us - ?", [60 * 86_400_000_000]))
        cursor = connection.execute("SELECT * FROM budget_transactions WHERE type = 'charge' ORDER BY sequence DESC")
        names = [column[0] for column in cursor.description]
        base = dict(zip(names, cursor.fetchone()))
        last = connection.execute("SELECT max(sequence), max(at_us) FROM budget_transactions").fetchone()
        start = (last[1] // 86_400_000_000 + 1) * 86_400_000_000
        for i in range(count):
            at = start + i * days * 86_400_000_000 // count
            on_cloud = i % 3 == 0
            task = i % 5 if i % 10 == 3 else -1
            base.update(sequence=last[0] + 1 + i, at_us=at, user=["alice", "bob", "=HYPERLINK(1)", "<b>c"][i % 4],
                        partition="aws-cpu" if on_cloud else "cpu", cluster="cloud" if on_cloud else "onprem",
                        unit="USD" if on_cloud else "core-hours", job_id=1000 + i, task=task, run=0, external_id="",
                        type="refund" if i % 17 == 5 else "overrun" if i % 17 == 6 else "charge",
                        account_name="proj001-gpu" if i % 7 == 0 else "proj001", amount_micros=(i * 7919) % 999_983)
            connection.execute(f"INSERT INTO budget_transactions ({','.join(names)}) VALUES "
                               f"({','.join('?' * len(names))})", [base[name] for name in names])
            end = at // 1_000_000 - 20
            rows.append({"JobIDRaw": 1000 + i, "JobID": 1000 + i if task < 0 else f"{1000 + i}_{task}",
                         "User": base["user"], "Account": base["account_name"], "Partition": base["partition"],
                         "State": "COMPLETED", "Submit": end - 900, "Eligible": end - 800 - i % 60,
                         "Start": end - 700, "End": end, "ElapsedRaw": 600, "TimelimitRaw": 20 + i % 3,
                         "AllocCPUS": 1 + i % 4, "Cluster": base["cluster"]})
    day = datetime.fromtimestamp(start / 1e6, timezone.utc)
    for number, partition in ((1, "debug"), (2, "scratch"), (3, "cpu"), (5, "debug")):  # nobody charged them
        end = int(start / 1e6) + 3600 * number
        rows.append({**rows[1], "JobIDRaw": 9000 + number, "JobID": 9000 + number, "Partition": partition,
                     "Account": "proj001", "Submit": end - 100, "Eligible": end - 100, "Start": end - 90, "End": end,
                     "ElapsedRaw": 90, "AllocCPUS": 2, "Cluster": "onprem"})
    return rows, day


def without_guards(connection, change):
    """An append-only table, for once."""
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = "
                                "'budget_transactions'").fetchall()
    for name, _ in guards:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(*change)
    for _, statement in guards:
        connection.execute(statement)


def sums_of(service, start, end, accounts):
    """What the transactions of [start, end) come to: by unit, and by unit and name."""
    sign = {"charge": 1, "overrun": 1, "write_off_in": 1, "refund": -1, "write_off_out": -1}
    total, by_user, jobs = defaultdict(Decimal), defaultdict(lambda: defaultdict(Decimal)), set()
    after = 0
    while True:
        _, body = service.request("GET", f"/api/v1/transactions?limit=1000&after={after}")
        page = json.loads(body, parse_float=Decimal)
        for entry in page:
            at = datetime.fromisoformat(entry["created_at"].replace("Z", "+00:00"))
            if entry["type"] in sign and start <= at < end and entry["account"] in accounts:
                total[entry["unit"]] += sign[entry["type"]] * entry["amount"]
                by_user[entry.get("user", "")][entry["unit"]] += sign[entry["type"]] * entry["amount"]
                jobs.add((entry.get("cluster", ""), entry["job_id"]))
        if len(page) < 1000:
            return total, by_user, jobs
        after = page[-1]["id"]


def report(service, *arguments, code=0):
    result = subprocess.run([service.programs / "asbb", "report", *arguments], cwd=service.path, text=True,
                            env=service.environment(), capture_output=True, timeout=120, check=False)
    check(result.returncode == code, arguments, result)
    return result.stdout if code == 0 else result.stderr


def prepare(service):
    (service.path / "own-prices.yaml").write_text(PRICES)
    service.asbb("account", "create", "--name=dept", "--budget=9000", "--start=2025-01-01", "--end=2099-12-31")
    service.asbb("account", "create", "--name=proj001", "--parent=dept", "--budget=500USD", "--budget=900core-hours",
                 "--start=2025-01-01", "--end=2099-12-31", "--owner=alice", "--owner=pi@example.org")
    service.asbb("account", "create", "--name=proj001-gpu", "--parent=proj001")
    service.asbb("prices", "import", str(EXAMPLE_PRICES))
    charge(service, "proj001", "first", "0.5")
    service.asbb("prices", "import", "own-prices.yaml", "--effective-from=2025-06-01T00:00:00Z")


def equals_ledger_and_sacct(service, rows, first, last, zone=""):
    """Of the days in that zone; without one, in the service's."""
    accounts = {"proj001", "proj001-gpu"}
    start, end = (datetime.combine(day, datetime.min.time(), ZoneInfo(zone or ZONE))
                  for day in (first, last + timedelta(days=1)))
    total, by_user, jobs = sums_of(service, start, end, accounts)
    common = (f"--start={first}", f"--end={last}", "--account=proj001", *([f"--time-zone={zone}"] if zone else []))
    told = json.loads(report(service, "dual", *common, "--output=json"), parse_float=Decimal)
    check({unit: amount for unit, amount in told["all"]["charged"].items()} == dict(total), told["all"], total)
    check(told["all"]["jobs"] == len(jobs), told["all"]["jobs"], len(jobs))
    for line in told["by_user"]:
        check({unit: amount for unit, amount in line["charged"].items()} == dict(by_user[line["name"]]), line)
    for part in ("by_day", "by_cluster", "by_partition", "by_account"):
        for unit, amount in total.items():
            check(sum(line["charged"].get(unit, 0) for line in told[part]) == amount, part, unit)
    ran = [row for row in rows if start.timestamp() <= row["End"] < end.timestamp() and row["Account"] in accounts]
    charged = [row for row in ran if (row["Cluster"], str(row["JobID"])) in jobs]
    effort = told["all"]
    check(effort["runs"] == len(charged), effort, len(charged))
    check(effort["wait_seconds"] == sum(row["Start"] - row["Eligible"] for row in charged), effort)
    check(effort["asked_core_seconds"] == sum(row["TimelimitRaw"] * 60 * row["AllocCPUS"] for row in charged), effort)
    check(effort["used_core_seconds"] == sum(row["ElapsedRaw"] * row["AllocCPUS"] for row in charged), effort)
    missing, expected = defaultdict(int), defaultdict(int)
    for line in told["not_charged"]:
        missing[line["cluster"], line["partition"]] += line["jobs"]
    for row in ran:
        if (row["Cluster"], str(row["JobID"])) not in jobs:
            expected[row["Cluster"], row["Partition"]] += 1
    check(missing == expected, missing, expected)
    return told, common


def figures(programs):
    service = ScratchService(programs)
    settings = service.path / "config.yaml"
    settings.write_text(settings.read_text().replace("service:\n", f"service:\n  timezone: {ZONE}\n", 1))
    check(ZONE in settings.read_text())
    with service:
        prepare(service)
        service.stop()
        rows, day = plant_charges(service, 900, 45)
        plant_sacct(service, rows)
        service.start()
        first, last = (day + timedelta(days=3)).date(), (day + timedelta(days=30)).date()
        equals_ledger_and_sacct(service, rows, first, last)
        equals_ledger_and_sacct(service, rows, first, last, "UTC")
        equals_ledger_and_sacct(service, rows, first, first, "Asia/Tokyo")
        # the whole of it, where jobs without a charge are
        last = (day + timedelta(days=49)).date()
        told, common = equals_ledger_and_sacct(service, rows, day.date(), last)
        check("total" not in told["all"], told["all"])
        check(prices_of(told) == [("cpu", 1, "priced"), ("debug", 2, "missing"), ("scratch", 1, "free")], told)
        told = priced_later(service, common, day)
        forms(service, common, told)
        totals(service, common)
        below(service, common)
        refusals(service, common)
        closed(service, common, (service, rows, day.date(), last))
        accounting_away(service, common)


def below(service, common):
    """What is held, left and burnt down of an account is that of the topmost budgets in it, unit by unit."""
    when = common[:2]
    told = {account: json.loads(report(service, "dual", *when, f"--account={account}", "--output=json"))
            for account in ("dept", "proj001", "ALL")}
    limits = {account: {line["unit"]: line["limit"] for line in one["now"]} for account, one in told.items()}
    check(limits == {"dept": {"USD": 9000, "core-hours": 900}, "proj001": {"USD": 500, "core-hours": 900},
                     "ALL": {"USD": 9000, "core-hours": 900}}, limits)
    check(told["dept"]["now"] == told["ALL"]["now"], told["dept"]["now"], told["ALL"]["now"])
    for period in (when, ("--start=2024-01-01", "--end=2024-01-02")):
        for account, names in (("dept", ["dept", "proj001"]), ("proj001", ["proj001"] * 2), ("ALL", ["dept", "proj001"])):
            page = report(service, "dual", *period, f"--account={account}", "--output=html")
            shown = re.findall(r"<figcaption>([\w-]+): ([\w-]+) <span>left", page)
            check([name for name, _ in shown] == names, account, period, shown)
    nothing = report(service, "dual", "--start=2024-01-01", "--end=2024-01-02", "--account=dept")
    check("Nothing was charged" in nothing or "no charges" in nothing.lower(), nothing)
    check(re.search(r"core-hours +- +\S+ +\S+ +900", nothing), nothing)


def prices_of(told):
    return sorted((line["partition"], line["jobs"], line["price"]) for line in told["not_charged"])


def priced_later(service, common, day):
    """A run is judged by the price book of its own start, whatever there is later."""
    added = "  - {cluster: onprem, partition: debug, unit: core-hours, basis: tres, per_core_hour: 1}\n"
    (service.path / "later.yaml").write_text(PRICES.replace("effective_from: 2025-01-01\n", "") + added)
    at = (day + timedelta(hours=3)).isoformat().replace("+00:00", "Z")
    service.asbb("prices", "import", "later.yaml", f"--effective-from={at}")
    told = json.loads(report(service, "dual", *common, "--output=json"), parse_float=Decimal)
    check(prices_of(told) == [("cpu", 1, "priced"), ("debug", 1, "missing"), ("debug", 1, "priced"),
                              ("scratch", 1, "free")], told["not_charged"])
    return told


def closed(service, common, whole):
    """What a period was does not change when an account in it is closed."""
    before = {account: report(service, "dual", *common[:2], f"--account={account}", "--by=job", "--output=csv")
              for account in ("proj001", "proj001-gpu", "ALL")}
    service.asbb("account", "delete", "proj001-gpu")
    for account, was in before.items():
        now = report(service, "dual", *common[:2], f"--account={account}", "--by=job", "--output=csv")
        check(now == was, account, now, was)
    told, _ = equals_ledger_and_sacct(*whole)
    check("proj001-gpu" in [line["name"] for line in told["by_account"]], told["by_account"])


def forms(service, common, told):
    units = sorted(told["all"]["charged"])
    lines = list(csv.DictReader(io.StringIO(report(service, "dual", *common, "--output=csv"))))
    check([line["user"] for line in lines] == [
        "'" + line["name"] if line["name"].startswith("=") else line["name"] for line in told["by_user"]], lines)
    jobs = list(csv.DictReader(io.StringIO(report(service, "dual", *common, "--by=job", "--output=csv"))))
    check(len(jobs) == told["all"]["jobs"] + 4, len(jobs))
    for unit in units:
        check(sum(Decimal(job["charged_" + unit] or 0) for job in jobs) == told["all"]["charged"][unit], unit)
    unpaid = [job for job in jobs if not any(job["charged_" + unit] for unit in units)]
    check({job["job"] for job in unpaid} == {"9001", "9002", "9003", "9005"}, unpaid)
    as_json = json.loads(report(service, "dual", *common, "--by=job", "--output=json"), parse_float=Decimal)
    check(len(as_json.pop("job_lines")) == len(jobs))
    check({**as_json, "made_at": 0, "remarks": 0} == {**told, "made_at": 0, "remarks": 0}, as_json, told)
    table = report(service, "dual", *common)
    check("Not charged here: 1 job on partition debug of onprem" in table, table)
    check(max(map(len, table.split("\n* ")[0].splitlines())) <= 80, table)
    report(service, "dual", *common, "--output=html", "--file=page.html")
    page = Page((service.path / "page.html").read_text())
    check(not page.tags & {"script", "link", "img", "iframe"} and not page.outside, page.tags, page.outside)
    for unit in units:
        check(str(told["all"]["charged"][unit].normalize()) in page.figures, unit)
    check("&lt;b&gt;c" in (service.path / "page.html").read_text())
    check("it exists; --force" in report(service, "dual", *common, "--output=html", "--file=page.html", code=1))
    check("--output=html is needed" in report(service, "dual", *common, "--file=other.html", code=2))
    nowhere = report(service, "dual", *common, "--output=csv", "--file=no/such.csv", code=1)
    check("'no/such.csv' cannot be written" in nowhere, nowhere)
    check("did you mean 'ALL'?" in report(service, "dual", "--account=all", *common[:2], code=2))
    # as 'asbb usage' adds it up
    usage = json.loads(service.asbb("usage", "show", "proj001", f"{common[0]}", f"{common[1]}", "--output=json"),
                       parse_float=Decimal)
    check({unit["unit"]: unit["charged"] for unit in usage["units"] if unit["jobs"]} == told["all"]["charged"], usage)
    check(all(unit["jobs"] == sum(1 for job in jobs if job["charged_" + unit["unit"]])
              for unit in usage["units"] if unit["jobs"]), usage)


def totals(service, common):
    service.asbb("rates", "set", "core-hours", "USD", "0.04", "--effective-from=2025-01-01")
    told = json.loads(report(service, "dual", *common, "--output=json"), parse_float=Decimal)
    hours = told["all"]["charged"]["core-hours"] * Decimal("0.04")
    expected = told["all"]["charged"]["USD"] + hours.quantize(Decimal("0.000001"))
    check(told["total_unit"] == "USD" and told["all"]["total"] == expected, told["all"], expected)
    check(told["rates"][0]["effective_from"] == "2024-12-31T13:30:00Z", told["rates"])


def refusals(service, common):
    period = common[:2]
    check("did you mean 'proj001'" in report(service, "dual", *period, "--account=porj001", code=2))
    check("is before --start" in report(service, "dual", "--account=ALL", "--start=2025-06-02", "--end=2025-06-01", code=2))
    check("not a date" in report(service, "dual", "--account=ALL", "--start=2025-02-30", "--end=2025-06-01", code=2))
    check("--time-zone" in report(service, "dual", *period, "--account=ALL", "--time-zone=Mars/Olympus", code=2))
    check("--by" in report(service, "dual", *period, "--account=ALL", "--by=node", code=2))
    check("Nothing was charged" in report(service, "dual", "--account=dept", "--start=2021-06-02", "--end=2021-06-02"))
    empty = report(service, "dual", "--account=ALL", "--start=2021-06-02", "--end=2021-06-02", "--output=html")
    check("Nothing was charged in this period" in empty)


def accounting_away(service, common):
    (service.path / "slurm-cloud" / "away").touch()
    told = json.loads(report(service, "dual", *common, "--output=json"), parse_float=Decimal)
    read = {line["cluster"]: line["read"] for line in told["accounting"]}
    check(read == {"onprem": True, "cloud": False}, read)
    [cloud] = [line for line in told["by_cluster"] if line["name"] == "cloud"]
    check(cloud["mean_wait_seconds"] is None and cloud["used_core_seconds"] is None, cloud)
    check("of cloud are missing" in report(service, "dual", *common), told)


def weekly(programs):
    mail = socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer)
    threading.Thread(target=mail.serve_forever, daemon=True).start()
    service = ScratchService(programs)
    with open(service.path / "config.yaml", "a", encoding="utf-8") as file:
        file.write("alerts:\n  enabled: false\n  channels:\n"
                   f"    - {{name: mail, type: smtp, url: \"smtp://127.0.0.1:{mail.server_address[1]}\","
                   " from: asbb@example.org, owners_at: example.net}\n")
    plant_sacct(service, [])
    with mail, service:
        seen_by_nobody(service)
        prepare(service)
        told_once(service)
        killed_while_it_was_sent(service)
        exclude_each_other(service)
        closed_since(service)


def weeks_back(count):
    monday = datetime.now(timezone.utc).date() - timedelta(weeks=count)
    year, week, _ = monday.isocalendar()
    return f"{year:04}-W{week:02}"


def seen_by_nobody(service):
    said = report(service, "weekly", "--directory=reports", "--email", code=1)
    check("there is no account that this user may see, so nothing is reported" in said, said)
    check(not (service.path / "reports").exists())


def told_once(service):
    both = ("weekly", "--directory=reports", "--email")
    MailServer.refused = "pi@example.org"
    said = report(service, *both, code=1)
    check("no such person" in said or "RCPT" in said or "550" in said, said)
    check([receivers for receivers, _ in MailServer.received] == [["alice@example.net"]], MailServer.received)
    MailServer.refused = ""
    report(service, *both)
    receivers = sorted(receivers[0] for receivers, _ in MailServer.received)
    check(receivers == ["alice@example.net", "pi@example.org"], receivers)
    week = weeks_back(1)
    check(sorted(path.name for path in (service.path / "reports" / week).iterdir()) == [
        "ALL.csv", "ALL.html", "dept.csv", "dept.html", "proj001.csv", "proj001.html"])
    message = MailServer.received[-1][1]
    check(message["Subject"] == f"[asbb] Usage of proj001 in week {week}", message["Subject"])
    text, page, table = message.get_payload()
    check("Report of account proj001" in text.get_payload(decode=True).decode())
    check(page.get_filename() == f"proj001-{week}.html" and page.get_content_type() == "text/html")
    check(page.get_payload(decode=True).startswith(b"<!DOCTYPE html>") and table.get_filename().endswith(".csv"))
    for _ in range(2):
        check("Nothing to do" in report(service, *both))
    check("Nothing to do" in report(service, "weekly", f"--week={week}", "--email"))
    check(len(MailServer.received) == 2, MailServer.received)
    check("is not over" in report(service, "weekly", f"--week={weeks_back(0)}", "--email", code=2))
    check("where to?" in report(service, "weekly", code=2))
    check("--week" in report(service, "weekly", "--week=2025-W60", "--email", code=2))
    # as if it had not run for three weeks, and for longer than it looks back
    for missed, made_up in ((3, 3), (30, 8)):
        (service.path / "late.state").write_text(f"asbb-weekly 1\nsince {weeks_back(missed + 5)} folder%20"
                                                 + str(service.path / "late").replace("/", "%2F") + "\n"
                                                 + "".join(f"done {weeks_back(back)} folder%20"
                                                           + str(service.path / "late").replace("/", "%2F") + "\n"
                                                           for back in range(missed + 1, missed + 6)))
        told = json.loads(report(service, "weekly", "--directory=late", "--state-file=late.state", "--output=json"))
        check(sorted({line["week"] for line in told}) == sorted(weeks_back(back + 1) for back in range(made_up)), told)
        again = report(service, "weekly", "--directory=late", "--state-file=late.state")
        check("Nothing to do" in again, again)


def killed_while_it_was_sent(service):
    """The server has the mail, and the program dies before it can note it."""
    MailServer.received.clear()
    MailServer.hangs_for = "alice@example.net"
    arguments = ["weekly", "--email", f"--week={weeks_back(2)}"]
    process = subprocess.Popen([service.programs / "asbb", "report", *arguments], cwd=service.path,
                               env=service.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check(MailServer.hanging.wait(60), "no mail came")
    process.kill()
    process.communicate()
    MailServer.hangs_for = ""
    said = report(service, *arguments)
    check("not sent again" in said and "sent" in said, said)
    receivers = sorted(receivers[0] for receivers, _ in MailServer.received)
    check(receivers == ["alice@example.net", "pi@example.org"], receivers)
    report(service, *arguments)
    check(len(MailServer.received) == 2, MailServer.received)
    # a server that has the mail and says nothing of it
    MailServer.drops, arguments[2] = "pi@example.org", f"--week={weeks_back(3)}"
    check("may have arrived" in report(service, *arguments))
    MailServer.drops = ""
    report(service, *arguments)
    check(len(MailServer.received) == 4, MailServer.received)
    # cut by a crash in the middle of a line, and spoilt
    state = service.path / "weekly-reports.state"
    with open(state, "a", encoding="utf-8") as file:
        file.write("sent 2025-W2")
    report(service, *arguments)
    check(state.read_text().endswith("\n"))
    with open(state, "a", encoding="utf-8") as file:
        file.write("what is this\n")
    check("no record of weekly reports" in report(service, *arguments, code=1))
    state.unlink()


def exclude_each_other(service):
    with open(service.path / "weekly-reports.state", "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        check("is under way" in report(service, "weekly", "--directory=reports", code=1))
    report(service, "weekly", "--directory=reports")


def closed_since(service):
    """The last week in which it was charged is reported; those without it are not."""
    service.asbb("account", "create", "--name=gone", "--budget=5USD", "--start=2025-01-01", "--end=2099-12-31", "--owner=carol")
    charge(service, "gone", "its", "0.25", "aws-cpu")
    service.asbb("account", "delete", "gone")
    service.stop()
    with sqlite3.connect(service.path / "asbb.db") as connection:
        without_guards(connection, ("UPDATE budget_transactions SET at_us = at_us - ?", [7 * 86_400_000_000]))
    service.start()
    MailServer.received.clear()
    for back in (1, 2):
        report(service, "weekly", "--directory=closed", "--email", "--state-file=closed.state", f"--week={weeks_back(back)}")
        known = (service.path / "closed" / weeks_back(back) / "gone.csv").exists()
        check(known == (back == 1), back, known)
    receivers = [receivers[0] for receivers, _ in MailServer.received]
    check(receivers.count("carol@example.net") == 1, receivers)


def large(programs, count=100_000):
    """A report of ten times as many jobs takes no more memory."""
    peaks = []
    for jobs in (count // 10, count):
        service = ScratchService(programs)
        with service:
            prepare(service)
            service.stop()
            start, expected = plant_many(service, jobs)
            service.start()
            day = datetime.fromtimestamp(start, timezone.utc).date()
            for output, by in (("html", ""), ("csv", "job"), ("json", "user")):
                began = time.monotonic()
                command = ["/usr/bin/time", "-f", "%M", service.programs / "asbb", "report", "dual", "--account=proj001",
                           f"--start={day}", f"--end={day + timedelta(days=40)}", "--file=out", "--force",
                           f"--output={output}", *([f"--by={by}"] if by else [])]
                result = subprocess.run(command, cwd=service.path, env=service.environment(), text=True,
                                        capture_output=True, timeout=590, check=False)
                check(result.returncode == 0, result)
                peaks.append(int(result.stderr.split()[-1]))
                took = time.monotonic() - began
                check(took < MILLION_SECONDS_MAX * max(1, jobs // 1_000_000) or jobs < 1_000_000, took)
                status = Path(f"/proc/{service.process.pid}/status").read_text(encoding="utf-8")
                print(f"{jobs} jobs as {output}: {took:.1f} s, at most {peaks[-1]} kB, the service "
                      f"{status.split('VmHWM:')[1].split()[0]} kB", flush=True)
            told = json.loads((service.path / "out").read_text(), parse_float=Decimal)["all"]
            check(told["charged"]["core-hours"] == Decimal(expected) / 1_000_000, told, expected)
            check(told["jobs"] == jobs + 1 and told["runs"] == jobs, told)
            check(told["used_core_seconds"] == jobs * 2400 and told["wait_seconds"] == jobs * 100, told)
            if jobs == count:
                progress(service, day)
    growth = max(after - before for before, after in zip(peaks[:3], peaks[3:]))
    check(growth < LARGE_GROWTH_MAX_KB, peaks)


def progress(service, day):
    """On a terminal it says how far it is, and leaves nothing of that."""
    outside, inside = pty.openpty()
    command = [service.programs / "asbb", "report", "dual", "--account=proj001", f"--start={day}",
               f"--end={day + timedelta(days=40)}", "--output=csv"]
    with subprocess.Popen(command, cwd=service.path, env=service.environment(), stdout=subprocess.PIPE, stderr=inside) as process:
        os.close(inside)
        threading.Thread(target=process.stdout.read, daemon=True).start()
        said = b""
        try:
            while part := os.read(outside, 4096):
                said += part
        except OSError:  # the end
            pass
    os.close(outside)
    check(process.returncode == 0, said)
    seen = defaultdict(list)
    for what, number, percent in re.findall(rb"\r\x1b\[K([a-z ]+): (\d+) \((\d+) %\)", said):
        seen[what.decode()].append((int(number), int(percent)))
    for what in ("charges", "accounting of onprem"):
        check(len(seen[what]) > 1 and seen[what] == sorted(seen[what]) and seen[what][-1][1] <= 100, what, seen)
    check(b" %)" not in said.rsplit(b"\r\x1b[K", 1)[1], said[-200:])


def plant_many(service, count):
    """When they begin, and what they cost in millionths."""
    length = 30 * 86_400
    with sqlite3.connect(service.path / "asbb.db") as connection:
        without_guards(connection, ("UPDATE budget_transactions SET at_us = at_us - ?", [60 * 86_400_000_000]))
        cursor = connection.execute("SELECT * FROM budget_transactions WHERE type = 'charge'")
        names = [column[0] for column in cursor.description]
        base = dict(zip(names, cursor.fetchone()))
        sequence, last = connection.execute("SELECT max(sequence), max(at_us) FROM budget_transactions").fetchone()
        start = last // 1_000_000 + 60

        def charges():
            for i in range(count):
                base.update(sequence=sequence + 1 + i, at_us=(start + i * length // count + 20) * 1_000_000 + i % 1000,
                            user=f"user{i % 97:03}", partition="cpu", cluster="onprem", unit="core-hours", job_id=1000 + i,
                            external_id="", amount_micros=i * 7919 % 999_983)
                yield [base[name] for name in names]

        connection.executemany(f"INSERT INTO budget_transactions ({','.join(names)}) VALUES "
                               f"({','.join('?' * len(names))})", charges())
    plant_sacct(service, [])
    text = LARGE_SACCT.replace("@START@", str(start)).replace("@LENGTH@", str(length)).replace("@COUNT@", str(count))
    for name in ("onprem", "cloud"):
        (service.path / f"slurm-{name}" / "sacct").write_text(text)
    return start, sum(i * 7919 % 999_983 for i in range(count))


if __name__ == "__main__":
    os.environ["TZ"] = "America/New_York"  # of no account
    if sys.argv[2:3] == ["large"]:
        large(sys.argv[1], int(sys.argv[3]) if len(sys.argv) > 3 else 100_000)
        sys.exit(0)
    for name in sys.argv[2:] or ("figures", "weekly"):
        {"figures": figures, "weekly": weekly}[name](sys.argv[1])
    print("reports equal the ledger and sacct; each week is told once")
