#!/usr/bin/python3
"""Runs every command and reads every setting that the documentation shows.

    run_commands.py PROGRAMS_FOLDER

Indented lines that start with 'asbb ', 'curl ' or 'source ' (a '$ ' before it is cut) run in bash against a
service which knows account proj001, the example's prices in three versions, and two clusters that do not
answer; those that would spoil it for the others have a service of their own, and so has the guide to dual accounting, with
budgets in two units. A command must succeed, unless it is in ANSWERS. Lines with a placeholder in
capitals, or a "[", are synopses. Indented YAML that begins with a section of the settings must be valid settings.
What needs a running Slurm is told and checked by tools/demo and tests/slurm.
"""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import EXAMPLE_PRICES, ROOT, ScratchService  # noqa: E402

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DUAL = ROOT / "docs" / "dual-accounting.md"
SECTIONS = ("service:", "database:", "budget:", "slurm:", "enforcement:", "alerts:", "audit:",
            "advisor:", "logging:", "metrics:")

# What a command answers where no cluster answers. tests/slurm runs them with Slurm.
ANSWERS = {
    "asbb alerts ack 12 --note=\"more money comes in May\"": (1, "there is no alert 12"),
    "asbb reconcile 4711 --cluster=onprem": (1, "4711"),
    "asbb reconcile 4711 --cluster=onprem --actual-cost=12.50 --reason='invoice 2025-07'": (1, "4711"),
    "asbb refund proj001 --job=4711 --amount=2.50 --reason='node failed'": (1, "4711"),
    "asbb refund 4711 --percent=50 --reason='the node was slow'": (1, "No charge of a job '4711'"),
    "asbb write-off 4711 --reason='node failed, not billed'": (1, "No charge of a job '4711'"),
    "asbb convert proj001 --amount=10 --unit=USD --to=core-hours --reason='the cloud is full'": (1, "may not pay"),
    "asbb database rollback": (1, "there is no schema before it"),
    "asbb quote -- --partition=gpu-aws --nodes=2 --gpus-per-node=1 --time=4:00:00": (1, "name one"),
    "asbb quote -- --account=proj001 job.sh": (1, "name one"),
    "asbb submit --cheapest -A proj001 --time=2:00:00 job.sh": (1, "left out"),
    "asbb submit --cloud -A proj001 --time=2:00:00 job.sh": (1, "no cluster is known as cloud"),
    "asbb submit --onprem -A proj001 --time=2:00:00 job.sh": (3, "name one with --partition"),
    "asbb submit --soonest -A proj001 --time=2:00:00 job.sh": (1, "left out"),
    "asbb submit -A proj001 --time=2:00:00 job.sh": (1, "no quote"),
    "asbb submit --cloud --dry-run --ntasks=4 --wrap 'srun hostname'": (1, "no cluster is known as cloud"),
    "asbb doctor": (1, "failed   controller onprem"),
    "asbb recover --dry-run": (1, "cannot be read"),
    "asbb recover --account=proj001": (1, "cannot be read"),
    "asbb slurm status": (1, "failed   controller onprem"),
    "asbb slurm configure": (1, "/etc/slurm/slurm.conf"),
    "asbb slurm configure --prolog": (1, "/etc/slurm/slurm.conf"),
    "asbb slurm configure --federation=hybrid_cluster --clusters=onprem,cloud": (2, "name no slurm.conf of cluster 'onprem'"),
    "asbb slurm sync-accounts --from=onprem --to=cloud --dry-run": (1, "Cluster onprem: sacctmgr"),
    "asbb slurm sync-accounts --from=onprem --to=cloud": (1, "Cluster onprem: sacctmgr"),
    "asbb prices review --start=2025-06-01 --end=2025-06-30": (1, "From 2025-06-01 to 2025-06-30"),
    "asbb slurm fence --cluster=cloud --unit=USD --dry-run": (1, "Cluster cloud: scontrol"),
    "asbb account create --name=proj002 --slurm --user=alice --slurm-limit=cloud:MaxJobs=10": (1, "Cluster onprem: sacctmgr"),
    "asbb slurm configure --write --check-nodes='ssh -o BatchMode=yes'": (1, "/etc/slurm/slurm.conf"),
    "asbb service start --config=/etc/asbb/config.yaml": None,  # this is how the service was started
    "asbb report weekly --directory=reports --email": (1, "owners_at"),
    "asbb service start": None,
}


NO_PLACEHOLDERS = {"USD", "ALL"}


def blocks(page):
    """(line number, lines) of each indented block."""
    found, start = [], 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines() + [""], 1):
        if line.startswith("    "):
            start = start or number
            found.append(line[4:])
        elif found and line.strip():
            yield start, found
            found, start = [], 0
    if found:
        yield start, found


def is_synopsis(text):
    bare = re.sub(r"'[^']*'", "", text)
    return "[" in bare or not NO_PLACEHOLDERS.issuperset(re.findall(r"\b[A-Z]{3,}\b", bare))


def commands_of(lines):
    for offset, line in enumerate(lines):
        text = line.removeprefix("$ ")
        if re.match(r"(asbb|curl|source) ", text) and not is_synopsis(text):
            yield offset, text.split("   #")[0].strip()


def is_alone(command):
    return re.match(r"asbb (account (create|delete)|database|service) ?", command) is not None


def charge(service, account, amount):
    """A job of another program that cost so much."""
    headers = {"Content-Type": "application/json"}
    check = {"account": account, "partition": "gpu-aws", "nodes": 1, "cpus": 1, "wall_time": "01:00:00"}
    _, answer = service.request("POST", "/api/v1/budget/check", json.dumps(check), headers)
    settle = {"job_id": "documentation", "actual_cost": amount, "transaction_id": json.loads(answer)["transaction_id"]}
    status, answer = service.request("POST", "/api/v1/budget/reconcile", json.dumps(settle), headers)
    if status != 200:
        raise RuntimeError(answer)


def prepare(service, command=""):
    (service.path / "examples").symlink_to(ROOT / "examples")
    (service.path / "job.sh").write_text("#!/bin/bash\n#SBATCH --time=1:00:00\ntrue\n")
    if "account create" not in command:
        service.asbb("account", "create", "--name=proj001", "--budget=50", "--start=2025-01-01", "--end=2099-12-31")
        service.asbb("account", "create", "--name=proj002", "--budget=50", "--start=2025-01-01", "--end=2099-12-31")
    for _ in range(3):
        service.asbb("prices", "import", str(EXAMPLE_PRICES))
    if "account create" not in command:
        charge(service, "proj001", 10)


def prepare_dual(service):
    prepare(service)
    for account in ("proj001", "proj002"):
        service.asbb("account", "update", account, "--unit=core-hours", "--budget=1000", "--start=2025-01-01",
                     "--end=2099-12-31")


def run(service, where, command):
    """What does not hold, as a list of at most one text."""
    answer = ANSWERS.get(command, (0, ""))
    if "/backup/" in command:
        (service.path / "backup").mkdir()
    if re.match("asbb database (restore|verify) /backup/", command):
        service.asbb("database", "backup", "backup/asbb.db")
    if re.match("asbb database (migrate|restore|rollback)", command):
        service.stop()
    command = command.replace("/backup/", f"{service.path}/backup/")
    result = service.run(command.replace("/run/asbb/asbb.sock", str(service.socket)))
    if result.returncode != answer[0] or answer[1] not in result.stdout:
        return [f"{where}: {command}\n  exit code {result.returncode}, expected {answer[0]}\n{result.stdout}"]
    return []


def check_settings(programs, where, lines):
    service = ScratchService(programs)
    file = service.path / "shown.yaml"
    file.write_text("\n".join(lines) + "\n")
    file.chmod(0o640)
    result = service.run(f"asbb config validate {file}")
    service.folder.cleanup()
    return [] if result.returncode == 0 else [f"{where}: these settings are refused\n{result.stdout}"]


def check_page(programs, page, shared):
    """The commands and settings that it shows, and what does not hold."""
    problems, shown = [], []
    for start, lines in blocks(page):
        if lines[0].startswith(SECTIONS):
            problems += check_settings(programs, f"{page.relative_to(ROOT)}:{start}", lines)
            shown.append(lines[0])
        for offset, command in commands_of(lines):
            where = f"{page.relative_to(ROOT)}:{start + offset}"
            shown.append(command)
            if ANSWERS.get(command, ()) is None:
                continue
            if is_alone(command):
                with ScratchService(programs) as own:
                    prepare(own, command)
                    problems += run(own, where, command)
            else:
                problems += run(shared, where, command)
    return shown, problems


def main():
    programs, problems, shown = sys.argv[1], [], []
    with ScratchService(programs) as shared, ScratchService(programs) as dual:
        prepare(shared)
        prepare_dual(dual)
        for page in PAGES:
            there, wrong = check_page(programs, page, dual if page == DUAL else shared)
            shown += there
            problems += wrong
    problems += [f"no page shows: {command}" for command in ANSWERS if command not in shown]
    for problem in problems:
        print(problem)
    print(f"{len(shown)} commands and settings of the documentation, {len(problems)} do not do what they say")
    return 1 if problems or len(shown) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
