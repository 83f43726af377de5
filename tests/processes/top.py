#!/usr/bin/python3
"""asbb top in a terminal of 80 x 24 and others: what it shows, through a restart of the service, until q is pressed.

    tests/processes/top.py PROGRAMS
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import ScratchService  # noqa: E402


class Screen:
    """As much of a terminal as the program uses; anything else is an error."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines = [""] * rows
        self.row = 0
        self.modes = []

    def feed(self, text):
        for part in re.findall(r"\x1b\[\??[0-9;]*[A-Za-z]|\r+\n|[^\x1b\r\n]+|.", text, re.S):
            if part == "\x1b[H":
                self.row, self.column = 0, 0
                self.lines[0] = ""
            elif part.endswith("\n"):  # the terminal line turns each end of line into two bytes
                self.row += 1
                if self.row >= self.rows:
                    raise AssertionError("the screen scrolls")
                self.lines[self.row] = ""
            elif part == "\x1b[J":
                self.lines[self.row + 1:] = [""] * (self.rows - self.row - 1)
            elif part == "\x1b[2J":
                self.lines = [""] * self.rows
            elif part.startswith("\x1b[?"):
                self.modes.append(part[2:])
            elif part == "\x1b[K":
                pass
            elif part.startswith("\x1b") or part == "\r":
                raise AssertionError(f"the terminal gets {part!r}")
            else:
                self.lines[self.row] += part
                if len(self.lines[self.row]) > self.columns:
                    raise AssertionError(f"a line is too long: {self.lines[self.row]}")


class Top:
    def __init__(self, service, columns=80, rows=24, *arguments):
        self.screen = Screen(columns, rows)
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        environment = {**service.environment(), "TERM": "vt100"}
        self.process = subprocess.Popen([service.programs / "asbb", "top", *arguments], env=environment,
                                        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        """What comes until it is quiet again."""
        text = b""
        while select.select([self.master], [], [], seconds if not text else 0.05)[0]:
            try:
                text += os.read(self.master, 65536)
            except OSError:  # the program has ended
                break
        self.screen.feed(text.decode())

    def wait_for(self, what, seconds=20):
        end = time.monotonic() + seconds
        while not what(self.screen.lines):
            if time.monotonic() > end:
                raise AssertionError("the screen is\n" + "\n".join(self.screen.lines))
            self.read(0.5)
        return self.screen.lines

    def quit(self, key=b"q"):
        os.write(self.master, key)
        while self.process.poll() is None:
            self.read(0.2)
        self.read(0.2)
        attributes = termios.tcgetattr(self.master)
        if self.process.returncode != 0 or not attributes[3] & termios.ICANON:
            raise AssertionError(f"it ends with {self.process.returncode}, keys {attributes[3]:o}")
        if self.screen.modes[-2:] != ["?25h", "?1049l"]:
            raise AssertionError(f"it leaves the terminal in {self.screen.modes}")


def spend(service, account, amount):
    headers = {"Content-Type": "application/json"}
    check = {"account": account, "partition": "gpu-aws", "nodes": 1, "cpus": 1, "wall_time": "01:00:00"}
    _, answer = service.request("POST", "/api/v1/budget/check", json.dumps(check), headers)
    if amount is None:
        return
    settle = {"job_id": "job of " + account, "actual_cost": amount, "transaction_id": json.loads(answer)["transaction_id"]}
    status, answer = service.request("POST", "/api/v1/budget/reconcile", json.dumps(settle), headers)
    if status != 200:
        raise RuntimeError(answer)


def prepare(service):
    service.asbb("prices", "import", str(service.path / "prices.yaml"))
    for name, cloud in (("calm", 500), ("fast", 50), ("idle", 10)):
        service.asbb("account", "create", f"--name={name}", f"--budget={cloud}USD", "--budget=100000core-hours",
                     "--start=2020-01-01", "--end=2099-12-31")
    spend(service, "calm", 25)
    spend(service, "fast", 12.5)
    spend(service, "fast", None)


EXPECTED = [
    r"asbb  1 hold \(\d without a job\)  onprem away  cloud away +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
    r"",
    r"ACCOUNT +USD LEFT +LEFT +24 H +core-hours LEFT +LEFT +24 H",
    r"fast +\d\d\.\d\d +\d\d.\d % +12\.50 +100,?000\.00 +100\.0 % +0\.00",
    r"calm +475\.00 +95\.0 % +25\.00 +100,?000\.00 +100\.0 % +0\.00",
    r"idle +10\.00 +100\.0 % +0\.00 +100,?000\.00 +100\.0 % +0\.00",
    r"",
    r" *JOB +CLUSTER +ACCOUNT +USER +PARTITION +HELD +UNIT +SINCE",
    r" +- .*fast .*gpu-aws +\d+\.\d\d +USD +\d+ s",
    r"",
]


def show(service):
    top = Top(service, 80, 24, "--interval=1")
    lines = top.wait_for(lambda lines: any(line.startswith("ACCOUNT") for line in lines))
    for expected, line in zip(EXPECTED, lines):
        if not re.fullmatch(expected, line):
            raise AssertionError(f"{line!r} instead of {expected}:\n" + "\n".join(lines))
    if len(lines) != 24 or not lines[23].startswith("q quits"):
        raise AssertionError(lines)
    spend(service, "idle", 9)
    top.wait_for(lambda lines: any(re.match(r"idle +1\.00", line) for line in lines))
    service.kill()
    top.wait_for(lambda lines: "The service does not answer" in lines[1])
    if not any(line.startswith("calm") for line in top.screen.lines):
        raise AssertionError("the last figures are gone")
    service.start()
    top.wait_for(lambda lines: lines[1] == "" and any(line.startswith("calm") for line in lines))
    for columns, rows in ((120, 40), (40, 10)):
        top.screen.columns, top.screen.rows, top.screen.lines = columns, rows, [""] * rows
        top.resize(columns, rows)
        top.wait_for(lambda lines, last=rows - 1: lines[last].startswith("q quits"))
    top.quit()
    top = Top(service)
    top.wait_for(lambda lines: lines[23].startswith("q quits"))
    top.quit(b"\x03")


def run(programs):
    with ScratchService(programs) as service:
        prepare(service)
        show(service)
        plain = service.asbb("top", "--once")
        if "\x1b" in plain or "fast" not in plain or service.asbb("top").split("\n")[2:4] != plain.split("\n")[2:4]:
            raise AssertionError(plain)
        if max(map(len, plain.split("\n"))) > 80:
            raise AssertionError(plain)
        print(plain)


if __name__ == "__main__":
    run(sys.argv[1])
