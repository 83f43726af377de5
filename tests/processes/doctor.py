#!/usr/bin/python3
"""asbb doctor finds nothing wrong where all is wired, and names each fault that is planted, with its cure.

    tests/processes/doctor.py PROGRAMS
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from fake_slurm import FakeSlurm  # noqa: E402
from scratch_service import ScratchService  # noqa: E402

NOBODY = 65534
FREE = """
  - {cluster: onprem, partition: big, free: true}
  - {cluster: onprem, partition: quiet, free: true}
  - {cluster: onprem, partition: open, free: true}
"""


def examine(service, *flags, user=None, command=("doctor",), **environment):
    """(exit code, {check: (status, what was found, cure)})"""
    result = subprocess.run([service.programs / "asbb", *command, "--output=json", *flags], text=True,
                            capture_output=True, env={**service.environment(), **environment}, timeout=120,
                            check=False, cwd="/", user=user, group=user, extra_groups=None if user is None else [])
    checks = {check["name"]: (check["status"], check["found"], check.get("cure", ""))
              for check in json.loads(result.stdout)["checks"]}
    return result.returncode, checks


def expect_clean(service, timeout_s=30):
    """Once both clusters were read, and a pass was made."""
    until = time.monotonic() + timeout_s
    while True:
        code, checks = examine(service)
        wrong = {name: check for name, check in checks.items() if check[0] != "ok"}
        if code == 0 and set(wrong) <= {"alert channels"}:
            return checks
        if time.monotonic() > until:
            raise AssertionError(f"{code} {wrong}")
        time.sleep(0.5)


def expect(service, name, status, found, cure, **environment):
    code, checks = examine(service, **environment)
    check = checks.get(name, ("", "", ""))
    if check[0] != status or found not in check[1] or cure not in check[2] or code != (status == "failed"):
        raise AssertionError(f"{name}: {status}, '{found}', '{cure}' was planted; exit code {code}, {check}, "
                             f"{ {key: value for key, value in checks.items() if value[0] != 'ok'} }")
    print("found:", name, check[1])
    return checks


def expect_slurm_status(service, code, *said):
    """What it shows is what doctor finds of the clusters."""
    result = subprocess.run([service.programs / "asbb", "slurm", "status"], text=True, capture_output=True,
                            env=service.environment(), timeout=120, check=False)
    missing = [words for words in said if words not in result.stdout]
    if result.returncode != code or missing or "budgets" in result.stdout:
        raise AssertionError(f"asbb slurm status: {result.returncode}, {missing} are not in {result.stdout}{result.stderr}")


def faults_of_slurm(service, slurm, plugins):
    slurm.edit("onprem", "config", "= budget", "= lua")
    expect(service, "plugin onprem", "failed", "JobSubmitPlugins is 'lua'", "asbb slurm configure")
    slurm.edit("onprem", "config", "= lua", "= lua,budget")
    slurm.edit("cloud", "config", "22.05.8", "23.02.1")
    expect(service, "object cloud", "failed", "was built for Slurm 22.05.8, and this is 23.02.1", "make install-plugin")
    slurm.edit("cloud", "config", "23.02.1", "22.05.8")
    (plugins / "job_submit_budget.so").rename(plugins / "away.so")
    expect(service, "object onprem", "failed", "job_submit_budget.so is in none of", "make install-plugin")
    (plugins / "away.so").rename(plugins / "job_submit_budget.so")
    expect_slurm_status(service, 0, "ok       plugin onprem", "ok       view cloud", ", 0 failed")
    slurm.put("cloud", "controller-away")
    expect_slurm_status(service, 1, "failed   controller cloud", "ok       plugin onprem")
    expect(service, "controller cloud", "failed", "Unable to contact slurm controller", "Start slurmctld")
    slurm.remove("cloud", "controller-away")
    slurm.put("onprem", "accounting-away")
    expect(service, "accounting onprem", "failed", "Connection refused", "Start slurmdbd")
    slurm.remove("onprem", "accounting-away")
    slurm.put("onprem", "clock", "-120")
    expect(service, "clock onprem", "failed", "s off this one", "time servers")
    slurm.put("onprem", "clock", "0")
    slurm.edit("cloud", "config", "ClusterName             = cloud", "ClusterName             = other")
    expect(service, "controller cloud", "failed", "answers for cluster 'other'", "slurm.clusters")
    slurm.edit("cloud", "config", "ClusterName             = other", "ClusterName             = cloud")


def fault_of_the_right(service, slurm):
    """The service's user is whoever owns the database."""
    database = service.database / "asbb.db"
    owner = database.stat().st_uid
    if os.geteuid() == 0:
        os.chown(database, NOBODY, -1)
    for cluster in ("onprem", "cloud"):
        slurm.put(cluster, "levels", "nobody|None\n")
    expect(service, "operator onprem", "failed", "AdminLevel is 'None'" if os.geteuid() == 0 else "AdminLevel is ''",
           "set adminlevel=operator")
    os.chown(database, owner, -1)


def faults_of_the_ledger(service):
    service.asbb("account", "create", "--name=ghost", "--budget=5", "--start=2020-01-01", "--end=2099-12-31")
    expect(service, "budgets", "warning", "accounts that Slurm does not have: ghost", "sacctmgr add account")
    service.asbb("account", "delete", "ghost")
    book = service.path / "fewer.yaml"
    book.write_text((service.path / "prices.yaml").read_text().replace("  - {cluster: onprem, partition: big, free: true}\n", "")
                    .replace("effective_from: 2025-01-01", ""))
    service.asbb("prices", "import", str(book))
    expect(service, "prices onprem", "warning", "no price is given for: big", "free: true")


def as_an_ordinary_user(service):
    """What he may not see is a warning that says so; the rest is checked, and nothing of it fails."""
    hidden = service.path / "hidden"
    hidden.mkdir(mode=0o700)
    service.path.chmod(0o711)
    settings = service.path / "config.yaml"
    code, checks = examine(service, f"--socket={service.socket}", user=NOBODY)
    statuses = {name: check[0] for name, check in checks.items()}
    expected = {"settings": "warning", "service": "ok", "version": "ok", "database": "warning", "clusters": "warning",
                "ledger": "warning"}
    if code != 0 or statuses != expected:
        raise AssertionError(f"{code} {checks}")
    code, checks = examine(service, user=NOBODY)
    if code != 0 or checks["service"][0] != "warning" or "--socket" not in checks["service"][2]:
        raise AssertionError(f"the settings are hidden, and with them the socket: {code} {checks}")
    settings.chmod(0o644)
    elsewhere = {"ASBB_DATABASE_DSN": f"{hidden}/ledger/asbb.db", "ASBB_DATABASE_CHAIN_KEY_FILE": f"{hidden}/chain.key"}
    for place in ({}, elsewhere):
        code, checks = examine(service, user=NOBODY, **place)
        unsaid = {name: check for name, check in checks.items()
                  if check[0] != "ok" and ("not checked" not in check[1] or "as root" not in check[2])}
        if code != 0 or unsaid or checks["database"][0] != "warning" or checks["controller onprem"][0] != "ok":
            raise AssertionError(f"{place} {code} {unsaid} {checks}")
        if place and {checks["disk"][0], checks["operator onprem"][0]} != {"warning"}:
            raise AssertionError(f"{checks}")
    code, checks = examine(service, user=NOBODY, command=("slurm", "status"))
    if code != 0 or checks["service"][0] != "warning" or "administrator" not in checks["service"][2]:
        raise AssertionError(f"{code} {checks}")
    settings.chmod(0o640)
    service.path.chmod(0o700)


def faults_of_the_service(service):
    secret = service.database / "chain.key"
    secret.chmod(0o644)
    expect(service, "chain", "failed", "chain.key", "0400")
    secret.chmod(0o400)
    code, checks = examine(service, ASBB_SERVICE_SOCKET=str(service.path / "nowhere.sock"))
    if code != 1 or checks["service"][0] != "failed" or "the service is away" not in checks["ledger"][1]:
        raise AssertionError(f"{code} {checks}")
    if checks["controller onprem"][0] != "ok" or checks["chain"][0] != "ok":
        raise AssertionError(f"what needs no service is checked without it: {checks}")
    expect(service, "settings", "failed", "ASBB_SERVICE_LIFETIME", "asbb config validate", ASBB_SERVICE_LIFETIME="x")
    service.stop()
    with sqlite3.connect(service.database / "asbb.db") as database:
        database.execute("DROP TRIGGER IF EXISTS budget_transactions_no_update")
        database.execute("UPDATE budget_transactions SET chain = zeroblob(32) "
                         "WHERE sequence = (SELECT max(sequence) FROM budget_transactions)")
    expect(service, "chain", "failed", "was changed, or was written with another key", "asbb audit verify")
    expect(service, "database", "failed", "there is no ledger at", "asbb database migrate",
           ASBB_DATABASE_DSN=str(service.path / "none.db"))


def main():
    service = ScratchService(sys.argv[1])
    slurm = FakeSlurm(service)
    plugins = service.path / "plugins"
    plugins.mkdir()
    built = Path(sys.argv[1]).resolve().parent / "lib" / "slurm" / "job_submit_budget.so"
    (plugins / "job_submit_budget.so").symlink_to(built)
    for cluster in ("onprem", "cloud"):
        slurm.edit(cluster, "config", "JobSubmitPlugins        = (null)", "JobSubmitPlugins        = budget")
        slurm.edit(cluster, "config", "/srv/bed/plugins", str(plugins))
    prices = service.path / "prices.yaml"
    prices.write_text(prices.read_text() + FREE)
    with service:
        service.asbb("account", "create", "--name=lab", "--budget=1000", "--start=2020-01-01", "--end=2099-12-31")
        code, checks = examine(service)
        if code != 1 or checks["prices onprem"][:2] != ("failed", "no prices are in force: no job is held or charged"):
            raise AssertionError(f"{code} {checks}")
        service.asbb("prices", "import", str(prices))
        expect(service, "slurm accounts", "warning", "proj001", "asbb account create")
        for name in ("proj001", "proj002"):
            service.asbb("account", "create", f"--name={name}", "--budget=9", "--start=2020-01-01", "--end=2099-12-31")
        expect_clean(service)
        if os.geteuid() == 0:
            as_an_ordinary_user(service)
        faults_of_slurm(service, slurm, plugins)
        fault_of_the_right(service, slurm)
        faults_of_the_ledger(service)
        faults_of_the_service(service)


if __name__ == "__main__":
    main()
