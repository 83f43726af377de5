#!/usr/bin/python3
"""What `asbb audit export` writes: an archive that verifies by itself, CSV, and a journal that hledger accepts
and that adds up to what `asbb account show` says.

    exports.py PROGRAMS_FOLDER
"""

import csv
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from life import live  # noqa: E402
from scratch_service import ScratchService  # noqa: E402


def hledger(journal, *arguments):
    return subprocess.run(["hledger", "-f", str(journal), *arguments], text=True,
                          capture_output=True, check=False)


def balance(journal, account):
    """Of that account and what is below it, in USD."""
    result = hledger(journal, "balance", "-N", "-O", "csv", f"^{account}")
    if result.returncode != 0:
        raise RuntimeError(result.stderr)
    total = Decimal(0)
    for row in list(csv.reader(io.StringIO(result.stdout)))[1:]:
        total += Decimal(row[1].removesuffix(" USD"))
    return total


def check_journal(service, problems):
    journal = service.path / "ledger.journal"
    service.asbb("audit", "export", "--format=journal", f"--file={journal}")
    for check in ("check", "stats"):
        result = hledger(journal, check)
        if result.returncode != 0:
            problems.append(f"hledger {check}:\n{result.stderr}")
    for name in ("proj001", "proj002"):
        shown = json.loads(service.asbb("account", "show", name, "--output=json"), parse_float=Decimal,
                           parse_int=Decimal)
        budget = shown["budgets"][0]
        where = f"{name}:{budget['id']}"
        for account, figure in ((f"assets:{where}:held", "held"), (f"expenses:{where}:used", "used"),
                                (f"assets:{where}:available", "available")):
            if balance(journal, account) != budget[figure]:
                problems.append(f"{account}: the journal has {balance(journal, account)}, the account "
                                f"{budget[figure]}\n{journal.read_text()}")
    if balance(journal, "equity:transfers") != 0:
        problems.append("a transfer leaves something behind")
    if balance(journal, "equity:carried over") != 0:
        problems.append("what is carried over leaves something behind")
    tagged = hledger(journal, "print", "tag:user=.", "tag:transaction=.")
    if hledger(journal, "print", "tag:reason=a node failed").stdout.count("refund") != 1 or tagged.returncode != 0:
        problems.append("hledger does not find a reason among the tags")


def check_csv(service, problems):
    rows = list(csv.DictReader(io.StringIO(service.asbb("audit", "export", "--format=csv"))))
    if [int(row["id"]) for row in rows] != list(range(1, len(rows) + 1)) or len(rows) < 25:
        problems.append(f"the CSV has {len(rows)} rows")
    kinds = {row["type"] for row in rows}
    missing = {"budget_create", "budget_update", "hold", "charge", "overrun", "release", "refund", "deposit",
               "withdrawal", "transfer_in", "transfer_out", "adjustment", "prices",
               "carry_out", "carry_in", "write_off_out", "write_off_in", "convert_out", "convert_in",
               "conversion_rate"} - kinds
    if missing:
        problems.append(f"this ledger has no {missing}")


def verify(service, archive, *arguments):
    return service.run(f"asbb audit verify --archive={archive} --key-file={service.path}/chain.key "
                       + " ".join(arguments))


def check_archive(service, problems):
    archive = service.path / "ledger.jsonl"
    service.asbb("audit", "export", f"--file={archive}")
    again = service.run(f"asbb audit export --file={archive}")
    if again.returncode != 1 or "--force" not in again.stdout:
        problems.append(f"an archive was replaced: {again.stdout}")
    service.asbb("audit", "export", f"--file={archive}", "--force")
    if list(service.path.glob("*.part-*")):
        problems.append("a part of an archive is left behind")
    lines = archive.read_text().splitlines()
    good = verify(service, archive)
    if good.returncode != 0 or f"{len(lines)} entries" not in good.stdout:
        problems.append(f"the archive does not verify: {good.stdout}")
    entry = json.loads(lines[9])
    edited = json.dumps({**entry, "record": entry["record"].replace("\nreason=", "\nreason=x")})
    shown = json.dumps({**entry, "account": "proj009"})
    head = json.loads(lines[-1])
    (service.path / "heads").write_text(f"{head['id']} {head['chain']} 2025-06-15T12:00:00Z\n")
    for what, changed, text in (
            ("edited record", lines[:9] + [edited] + lines[10:], "Entry 10 was edited"),
            ("edited fact", lines[:9] + [shown] + lines[10:], "Entry 10 was edited: account_name is 'proj009'"),
            ("line left out", lines[:9] + lines[10:], "Entry 10 is missing"),
            ("line twice", lines[:10] + lines[9:], "Entry 10 stands behind entry 10"),
            ("torn line", lines[:-1] + [lines[-1][:40]], f"Line {len(lines)} cannot be read"),
            ("cut", lines[:-3], f"the tail from entry {len(lines) - 2} on is cut")):
        archive.write_text("\n".join(changed) + "\n")
        result = verify(service, archive, f"--heads-file={service.path}/heads")
        if result.returncode != 1 or text not in result.stdout:
            problems.append(f"{what}: exit code {result.returncode}, '{text}' is expected in\n{result.stdout}")
    archive.write_text("\n".join(lines) + "\n")
    (service.path / "other.key").write_text("ab" * 32 + "\n")
    (service.path / "other.key").chmod(0o400)
    other = service.run(f"asbb audit verify --archive={archive} --key-file=other.key")
    if other.returncode != 1 or "no value of the chain was made with this key" not in other.stdout:
        problems.append(f"another key verifies: {other.stdout}")


def check_pages(service, problems):
    status, body = service.request("GET", "/api/v1/audit/entries?after=3&limit=2")
    if status != 200 or [entry["id"] for entry in json.loads(body)] != [4, 5]:
        problems.append(f"a page: {status} {body!r}")
    for query in ("limit=0", "limit=1001", "after=-1", "after=x", "from=1"):
        status, body = service.request("GET", f"/api/v1/audit/entries?{query}")
        if status != 400:
            problems.append(f"{query}: {status} {body!r}")


def main():
    problems = []
    with ScratchService(sys.argv[1]) as service:
        live(service)
        check_journal(service, problems)
        check_csv(service, problems)
        check_archive(service, problems)
        check_pages(service, problems)
    for problem in problems:
        print(problem)
    print(f"archive, CSV and journal, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
