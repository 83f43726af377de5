#!/usr/bin/python3
"""A database is backed up while its service is under load, by backups that are killed at any moment, and put back.

    tests/processes/backup.py PROGRAMS
"""

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import ScratchService  # noqa: E402

KILLS = 6


class Load(threading.Thread):
    """Deposits, one after the other; counts those that were answered."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.service, self.done, self.stops, self.failure = service, 0, False, None

    def run(self):
        body = json.dumps({"amount": 1, "reason": "load " + "x" * 500})
        while not self.stops:
            status, answer = self.service.request("POST", "/api/v1/accounts/proj001/deposits", body,
                                                  {"Content-Type": "application/json"})
            if status not in (200, 201):
                self.failure = (status, answer)
                return
            self.done += 1


def deposits(file):
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        return database.execute("SELECT count(*) FROM budget_transactions WHERE type = 'deposit'").fetchone()[0]


def call(service, *arguments):
    return subprocess.run([service.programs / "asbb", *arguments], env=service.environment(), text=True,
                          capture_output=True, timeout=60, check=False)


def expect_refusal(service, words, *arguments):
    result = call(service, *arguments)
    if result.returncode != 1 or words not in result.stderr:
        raise AssertionError(f"{arguments}: {result.returncode}\n{result.stdout}{result.stderr}")


def back_up_under_load(service, load):
    before = load.done
    told = json.loads(service.asbb("database", "backup", "whole.db", "--output=json"))
    found = deposits(service.path / "whole.db")
    if not before <= found <= load.done + 1 or told["entries"] < found:
        raise AssertionError(f"{found} deposits, of {before} to {load.done}: {told}")
    service.asbb("database", "verify", "whole.db")
    expect_refusal(service, "exists; it is not replaced", "database", "backup", str(service.path / "whole.db"))
    return found


def kill_backups(service):
    """Each leaves a whole file or none, and the next one works."""
    names = [service.path / f"killed{number}.db" for number in range(KILLS)]
    for name in names:
        process = subprocess.Popen([service.programs / "asbb", "database", "backup", str(name)],
                                   env=service.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        partial = Path(f"{name}.partial")
        while process.poll() is None and not partial.exists():
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.15))
        process.kill()
        process.wait()
    whole = [name for name in names if name.exists()]
    if len(whole) == len(names):
        raise AssertionError("no backup was killed in the middle")
    for name in whole:
        service.asbb("database", "verify", str(name))
    [torn, *_] = [name for name in names if not name.exists()]
    service.asbb("database", "backup", str(torn))
    if Path(f"{torn}.partial").exists():
        raise AssertionError("what was left of the killed one is there still")


def put_back(service, found):
    service.asbb("database", "verify")
    expect_refusal(service, "stop the service first", "database", "restore", str(service.path / "whole.db"))
    service.stop()
    last = deposits(service.database / "asbb.db")
    damaged = service.path / "damaged.db"
    damaged.write_bytes((service.path / "whole.db").read_bytes().replace(b"load xxx", b"load xyx", 1))
    expect_refusal(service, "does not verify", "database", "restore", str(damaged))
    expect_refusal(service, "no schema before it to go back to", "database", "rollback")
    if deposits(service.database / "asbb.db") != last:
        raise AssertionError("a refused restore has changed the database")
    told = json.loads(service.asbb("database", "restore", "whole.db", "--output=json"))
    if deposits(told["kept"]) != last or deposits(service.database / "asbb.db") != found:
        raise AssertionError(f"restored: {told}")
    service.start()
    service.asbb("deposit", "proj001", "--amount=1", "--reason=after the restore")
    service.asbb("audit", "verify")
    if deposits(service.database / "asbb.db") != found + 1:
        raise AssertionError("the restored ledger does not go on")


def run(programs):
    with ScratchService(programs) as service:
        service.asbb("account", "create", "--name=proj001", "--budget=1", "--start=2020-01-01", "--end=2099-12-31")
        load = Load(service)
        load.start()
        while load.done < 200:
            time.sleep(0.01)
        found = back_up_under_load(service, load)
        kill_backups(service)
        load.stops = True
        load.join()
        if load.failure:
            raise AssertionError(f"the service under load answered {load.failure}")
        put_back(service, found)
        print(f"{load.done} deposits; {found} in the copy that was put back")


if __name__ == "__main__":
    run(sys.argv[1])
