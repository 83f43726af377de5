#!/usr/bin/python3
"""What the service survives, with 64 clients that go on meanwhile. Exit code 0 when nothing was lost or doubled.

    survival.py PROGRAMS_FOLDER kill       kill -9, twenty times in a row
    survival.py PROGRAMS_FOLDER standby    two services on one database; the second takes over
    survival.py PROGRAMS_FOLDER disk       a disk that fills up and has room again
"""

import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from load import Load  # noqa: E402
from scratch_service import ScratchService  # noqa: E402

CONNECTIONS = 64
KILLS = 20
TAKEOVER_MAX_S = 2.0


def verdict(load, what):
    load.finish()
    problems = load.problems()
    for problem in problems:
        print(problem)
    retried = sum(client.retried for client in load.clients)
    later = sum(client.asked_later for client in load.clients)
    print(f"{what}: {load.answered} holds were acknowledged, {retried} requests were asked again, "
          f"{later} answers repeated later, {len(problems)} problems")
    return 1 if problems or later == 0 else 0


def kill(programs):
    with ScratchService(programs) as service:
        load = Load(service, CONNECTIONS)
        load.prepare()
        load.start()
        for round_number in range(KILLS):
            before = load.answered
            time.sleep(0.2 + 0.05 * (round_number % 5))
            while load.answered < before + CONNECTIONS:
                time.sleep(0.05)
            service.kill()
            service.start()
        return verdict(load, f"{KILLS} kills")


def standby(programs):
    with ScratchService(programs) as first:
        second = ScratchService(programs, database=first.path, lock_wait="5m")
        load = Load(first, CONNECTIONS)
        load.prepare()
        load.start()
        try:
            second.launch()
            time.sleep(2)
            if second.is_healthy() or not first.is_healthy():
                print("the second service does not wait for the first")
                return 1
            began = time.monotonic()
            first.kill()
            second.wait_until_healthy()
            took_s = time.monotonic() - began
            load.service = second
            for client in load.clients:
                client.socket_path = second.socket
            before = load.answered
            while load.answered < before + CONNECTIONS:
                time.sleep(0.05)
            failed = verdict(load, f"took over after {took_s:.2f} s")
            return 1 if took_s > TAKEOVER_MAX_S else failed
        finally:
            second.stop()
            second.folder.cleanup()


def fill(path):
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def until_refused(service, turn):
    """The log has its length before, so commits go on until it is written through."""
    deadline = time.monotonic() + 60
    for number in range(10_000):
        status, body = service.request(
            "POST", "/api/v1/accounts",
            f'{{"slurm_account":"late{turn}-{number}","budget_limit":1,"start_date":"2020-01-01","end_date":"2099-12-31"}}',
            {"Content-Type": "application/json"})
        if status != 201 or time.monotonic() > deadline:
            return status, body
        time.sleep(0.1)


def disk(programs):
    """On a small file system of its own: mounted by root, or by anybody in a namespace of his own or with sudo."""
    if os.geteuid() != 0:
        for wrapper in (["unshare", "--user", "--map-root-user", "--mount"], ["sudo", "-n"]):
            if subprocess.run([*wrapper, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
                return subprocess.run([*wrapper, *sys.orig_argv], check=False).returncode
        print("a small file system cannot be mounted: neither root, nor a user namespace, nor sudo without a password")
        return 1
    with ScratchService(programs) as outer:
        small = outer.path / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(small)], check=True)
        try:
            with ScratchService(programs, database=small) as service:
                load = Load(service, CONNECTIONS)
                load.prepare()
                load.start()
                time.sleep(1)
                for turn in range(3):
                    fill(small / "ballast")
                    status, body = until_refused(service, turn)
                    if status != 503 or b"space" not in body and b"full" not in body:
                        print(f"on a full disk the answer is {status} {body!r}")
                        return 1
                    before = load.answered
                    (small / "ballast").unlink()
                    deadline = time.monotonic() + 20
                    while load.answered < before + CONNECTIONS:
                        if time.monotonic() > deadline:
                            print(f"it does not recover:\n{service.log.read_text()}")
                            return 1
                        time.sleep(0.05)
                return verdict(load, "a disk full three times")
        finally:
            subprocess.run(["umount", "--lazy", str(small)], check=False)


if __name__ == "__main__":
    sys.exit({"kill": kill, "standby": standby, "disk": disk}[sys.argv[2]](sys.argv[1]))
