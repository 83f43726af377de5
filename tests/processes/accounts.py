#!/usr/bin/python3
"""Accounts with several units, periods and owners are made in one step, and a file of them is imported whole or not at all.

    tests/processes/accounts.py PROGRAMS
"""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import ScratchService  # noqa: E402

HEAD = "account,parent,unit,budget,start,end,owners\n"


def rows(service, query):
    with sqlite3.connect(f"file:{service.database}/asbb.db?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


def refusal(service, *arguments):
    """Standard error of a command that must fail."""
    result = subprocess.run([service.programs / "asbb", *arguments], env=service.environment(), text=True,
                            capture_output=True, timeout=60, check=False)
    expect(result.returncode, 1)
    return result.stderr


def expect(what, expected):
    if what != expected:
        raise AssertionError(f"{what}\ninstead of\n{expected}")


def create(service):
    service.asbb("account", "create", "--name=nih-r01", "--budget=50000USD", "--budget=100000core-hours",
                 "--start=2025-01-01", "--end=2025-12-31", "--period=2026-01-01..2026-12-31:60000USD",
                 "--owner=pi@example.org", "--owner=alice")
    expect(rows(service, "SELECT unit, limit_micros / 1000000 FROM budget_periods ORDER BY id"),
           [("USD", 50000), ("core-hours", 100000), ("USD", 60000)])
    expect(rows(service, "SELECT owners FROM budget_accounts"), [("alice,pi@example.org",)])
    entries = rows(service, "SELECT count(*), max(sequence) FROM budget_transactions")
    refused = refusal(service, "account", "create", "--name=r02", "--period=2025-01-01..2025-12-31:5USD",
                      "--period=2025-12-31..2026-12-31:5USD")
    expect("budget of that unit in this period already" in refused, True)
    expect(rows(service, "SELECT count(*), max(sequence) FROM budget_transactions"), entries)


def import_file(service):
    file = service.path / "accounts.csv"
    file.write_text(HEAD + "physics,,USD,900,2025-01-01,2025-12-31,ada\nlab,physics,USD,5,2025-01-01,2025-12-31,\n"
                    "nih-r01,,core-hours,7,2026-01-01,2026-12-31,\nlab,,USD,5,2025-06-01,2025-12-31,\nlab2,gone,,,,,\n")
    refused = refusal(service, "account", "import", str(file))
    for told in ("line 5: its period overlaps that of line 3", "line 6: parent: there is no account 'gone'"):
        expect((told, told in refused), (told, True))
    expect(rows(service, "SELECT count(*) FROM budget_accounts"), [(1,)])
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:4]))
    told = service.asbb("account", "import", str(file))
    expect("2 new accounts, 1 budget for accounts that were there, 0 accounts unchanged" in told, True)
    expect(rows(service, "SELECT name, owners FROM budget_accounts ORDER BY id"),
           [("nih-r01", "alice,pi@example.org"), ("physics", "ada"), ("lab", "")])
    # One command: all of its entries have one time.
    expect(rows(service, "SELECT count(*) FROM budget_transactions WHERE at_us ="
                         " (SELECT max(at_us) FROM budget_transactions)"), [(5,)])
    expect("0 new accounts, 0 budgets" in service.asbb("account", "import", str(file)), True)


def run(programs):
    with ScratchService(programs) as service:
        create(service)
        import_file(service)
        shown = json.loads(service.asbb("account", "show", "nih-r01", "--output=json"))
        expect(shown["owners"], ["alice", "pi@example.org"])
        service.asbb("audit", "verify")


if __name__ == "__main__":
    run(sys.argv[1])
    print("accounts are made and imported whole")
