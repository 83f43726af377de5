#!/usr/bin/python3
"""A list of 100,000 entries: read page by page, it fills no memory and keeps nobody waiting.

    paging.py PROGRAMS_FOLDER            15,000 of them at the beginning, in the middle and at the end
    paging.py PROGRAMS_FOLDER --whole    all of them

The entries are put into the database while the service is down, as copies of one that it wrote itself: nothing here
looks at their chain. Memory is that of the processes' own account in /proc.
"""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import ScratchService  # noqa: E402

ENTRIES = 100_000
GROWTH_MAX_KB = 48 * 1024  # the whole list is about 100 MB as JSON alone
COMMAND_ROWS = 10_000
COMMAND_GROWTH_MAX_KB = 8 * 1024
WAIT_MAX_S = 2.0


def resident_kb(process_id):
    status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0])


def fill(database, count):
    """Copies of the newest entry, a second apart."""
    with sqlite3.connect(database) as connection:
        cursor = connection.execute("SELECT * FROM budget_transactions ORDER BY sequence DESC LIMIT 1")
        names = [column[0] for column in cursor.description]
        row = list(cursor.fetchone())
        sequence, at = names.index("sequence"), names.index("at_us")
        first, began = row[sequence], row[at]

        def copies():
            for i in range(1, count + 1):
                row[sequence], row[at] = first + i, began + i
                yield tuple(row)

        marks = ",".join("?" * len(names))
        connection.executemany(f"INSERT INTO budget_transactions ({','.join(names)}) VALUES ({marks})", copies())
    return first + count


class Watch(threading.Thread):
    """Asks for something else all the while: how long the slowest answer took, and how much memory there was."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.service, self.slowest_s, self.peak_kb, self.answers = service, 0.0, 0, 0
        self.failures, self.is_over = [], threading.Event()

    def run(self):
        while not self.is_over.is_set():
            began = time.monotonic()
            status, _ = self.service.request("GET", "/api/v1/accounts/proj001")
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.answers += 1
            if status != 200:
                self.failures.append(status)
            self.peak_kb = max(self.peak_kb, resident_kb(self.service.process.pid))
            time.sleep(0.01)


def read_pages(service, cursor, pages):
    """How many entries there are in that many pages behind the cursor; fewer pages at the list's end."""
    count = 0
    for _ in range(pages):
        path = f"/api/v1/transactions?account=proj001&limit=1000&after={cursor}"
        status, body = service.request("GET", path)
        page = json.loads(body)
        assert status == 200 and all(entry["id"] > cursor for entry in page), path
        count += len(page)
        if len(page) < 1000:
            return count
        cursor = page[-1]["id"]
    return count


def read_with_command(service):
    """The most memory of the command that lists it all; who reads it goes away in the middle."""
    command = [service.programs / "asbb", "transactions", "list", "--account=proj001", "--all", "--output=csv"]
    early_kb = late_kb = 0
    with subprocess.Popen(command, cwd=service.path, env=service.environment(), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        for number, line in enumerate(process.stdout, 1):
            assert line.endswith(b"\r\n"), line
            if number == 3000:
                early_kb = resident_kb(process.pid)
            if number == COMMAND_ROWS:
                late_kb = resident_kb(process.pid)
                break
        process.stdout.close()
        process.wait(timeout=30)
    assert process.returncode != 0, "it did not notice that nobody reads"
    return late_kb - early_kb


def main():
    os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=1:" + os.environ.get("ASAN_OPTIONS", "")
    is_whole = "--whole" in sys.argv
    service = ScratchService(sys.argv[1])
    with service:
        service.asbb("account", "create", "--name=proj001", "--budget=50", "--start=2025-01-01", "--end=2099-12-31")
        service.asbb("deposit", "proj001", "--amount=1", "--reason=first")
        service.stop()
        last = fill(service.path / "asbb.db", ENTRIES)
        service.start()
        service.asbb("transactions", "proj001", "--limit=1000", "--output=csv")
        before_kb = resident_kb(service.process.pid)
        watch = Watch(service)
        watch.start()
        began = time.monotonic()
        rows = 0
        for cursor in (0,) if is_whole else (0, last // 2, last - 15_000):
            rows += read_pages(service, cursor, ENTRIES if is_whole else 15)
        command_kb = read_with_command(service)
        took_s = time.monotonic() - began
        watch.is_over.set()
        watch.join()
        expected = int(json.loads(service.request("GET", "/api/v1/transactions?limit=1")[1])[0]["id"])
        growth_kb = watch.peak_kb - before_kb
        print(f"{rows} rows in {took_s:.1f} s; the service grew by {growth_kb} kB, the command by {command_kb} kB; "
              f"{watch.answers} other answers meanwhile, the slowest after {watch.slowest_s:.3f} s")
        assert expected == last and rows >= (ENTRIES if is_whole else 45_000), (rows, expected, last)
        assert not watch.failures, watch.failures
        assert growth_kb < GROWTH_MAX_KB and command_kb < COMMAND_GROWTH_MAX_KB, (growth_kb, command_kb)
        assert watch.slowest_s < WAIT_MAX_S and watch.answers > 10, (watch.slowest_s, watch.answers)
        page_s = []
        for cursor in (last, last // 2, 1000):
            began = time.monotonic()
            status, _ = service.request("GET", f"/api/v1/transactions?limit=100&before={cursor}")
            page_s.append(time.monotonic() - began)
            assert status == 200
        assert max(page_s) < WAIT_MAX_S, page_s
    return 0


if __name__ == "__main__":
    sys.exit(main())
