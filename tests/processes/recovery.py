#!/usr/bin/python3
"""Holds that no job explains are told and given back with the service and without it, and never by both at once.

    tests/processes/recovery.py PROGRAMS
"""

import json
import subprocess
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from fake_slurm import FakeSlurm  # noqa: E402
from scratch_service import ScratchService  # noqa: E402

GRACE_S = 3


def expect(what, expected):
    if what != expected:
        raise AssertionError(f"{what}\ninstead of\n{expected}")


def ask(service, method, path, body):
    status, answer = service.request(method, path, json.dumps(body), {"Content-Type": "application/json", "Accept": "application/json"})
    if status != 200:
        raise AssertionError(f"{method} {path}: {status} {answer}")
    return json.loads(answer)


def submit(service):
    """A job of root's that Slurm then refuses. Its token."""
    token = f"{time.time_ns() // 1_000_000:012x}" + uuid.uuid4().hex
    job = {"cluster": "onprem", "slurm_version": "22.05.8", "time_budget_ms": 5000, "on_silence": "deny", "submit_uid": 0,
           "user_id": 0, "account": "proj001", "partition": "gpu-aws", "min_nodes": 1, "max_nodes": 1, "num_tasks": 1,
           "time_limit": 60}
    until = time.monotonic() + 20
    while True:  # until the cluster was read
        answer = ask(service, "PUT", "/api/v1/slurm/submissions/" + token, job)
        if answer["decision"] == "allow" and answer.get("transaction_id"):
            return token
        if time.monotonic() > until:
            raise AssertionError(answer)
        time.sleep(0.2)
        token = f"{time.time_ns() // 1_000_000:012x}" + uuid.uuid4().hex


def offline(service, *arguments):
    return subprocess.run([service.programs / "asbb-recovery", *arguments], env=service.environment(), text=True,
                          capture_output=True, timeout=60, check=False)


def holds_of(text):
    return {hold["transaction_id"]: hold for hold in json.loads(text)["holds"]}


def held(service):
    budget, = json.loads(service.asbb("account", "show", "proj001", "--output=json"))["budgets"]
    return budget["held"]


def with_the_service(service, token, external):
    told = service.asbb("recover", "--dry-run")
    expect("of an external caller" in told or "another program than Slurm" in told, True)
    holds = holds_of(service.asbb("recover", "--dry-run", "--output=json", "--account=proj001"))
    expect((holds[token]["action"], holds[external]["action"]), ("none", "none"))
    expect("may still become a job" in holds[token]["why"], True)
    refused = offline(service, "--dry-run")
    expect((refused.returncode, refused.stdout), (1, ""))
    expect("asbb-service runs: process " in refused.stderr and "'asbb recover'" in refused.stderr, True)


def without_it(service, token, external):
    time.sleep(GRACE_S + 1)
    planned = offline(service, "--dry-run", "--output=json")
    expect((planned.returncode, planned.stderr), (0, ""))
    for _ in range(2):  # nothing was done
        holds = holds_of(offline(service, "--dry-run", "--output=json").stdout)
        expect((holds[token]["action"], holds[external]["action"]), ("release", "none"))
        expect("its job never came to be" in holds[token]["why"], True)
    done = offline(service, "--output=json")
    expect((done.returncode, holds_of(done.stdout)[token]["action"]), (0, "release"))
    again = offline(service)
    expect((again.returncode, token in again.stdout, external in again.stdout), (0, False, True))


def main():
    service = ScratchService(sys.argv[1])
    slurm = FakeSlurm(service)
    slurm.edit("onprem", "config", "MessageTimeout          = 10 sec", "MessageTimeout          = 1 sec")
    slurm.edit("cloud", "config", "MessageTimeout          = 10 sec", "MessageTimeout          = 1 sec")
    settings = service.path / "config.yaml"
    settings.write_text(settings.read_text().replace("budget:\n", "budget:\n  auto_recovery_enabled: false\n")
                        .replace("slurm:\n", f"slurm:\n  sweep_grace_min: {GRACE_S}s\n"))
    with service:
        service.asbb("prices", "import", str(service.path / "prices.yaml"))
        service.asbb("account", "create", "--name=proj001", "--budget=1000", "--start=2020-01-01", "--end=2099-12-31")
        token = submit(service)
        check = ask(service, "POST", "/api/v1/budget/check",
                    {"account": "proj001", "cluster": "onprem", "partition": "gpu-aws", "nodes": 1, "cpus": 1,
                     "wall_time": "01:00:00"})
        before = held(service)
        with_the_service(service, token, check["transaction_id"])
        expect(held(service), before)
        service.stop()
        without_it(service, token, check["transaction_id"])
        service.start()
        expect(held(service), check["hold_amount"])
        service.asbb("audit", "verify")
        slurm.put("onprem", "controller-away")
        told = subprocess.run([service.programs / "asbb", "recover"], env=service.environment(), text=True,
                              capture_output=True, timeout=60, check=False)
        expect((told.returncode, "cluster onprem: the controller's jobs cannot be read" in told.stderr), (1, True))


if __name__ == "__main__":
    main()
