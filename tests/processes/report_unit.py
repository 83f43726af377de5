#!/usr/bin/python3
"""The weekly timer's program, as its unit runs it: by a user who is not root.

    tests/processes/report_unit.py PROGRAMS

What sync-accounts' and fence's do needs a Slurm: tests/slurm/as_root/units.bats.
"""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import reports  # noqa: E402
from reports import check, weeks_back  # noqa: E402
from scratch_service import ROOT, ScratchService  # noqa: E402

AS_UNIT = ROOT / "tests" / "support" / "as_unit"
USER = "nobody"


def by_timer(service, state, *lines):
    """Exit code and all that it said."""
    result = subprocess.run([AS_UNIT, "asbb-weekly-reports.service", USER, service.programs, state,
                             service.path / "config.yaml", *lines], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120, check=False)
    return result.returncode, result.stdout


def open_to(service):
    """Everybody may read the settings and come in; the user of the units may ask for all, as asbb's own may."""
    settings = service.path / "config.yaml"
    text = settings.read_text().replace("admins: [", f"admins: [{USER}, ")
    check(USER in text, text)
    settings.write_text(text)
    settings.chmod(0o644)
    service.path.chmod(0o755)


def a_week(service):
    """One of last week, of an account with money in both units."""
    reports.prepare(service)
    service.stop()
    rows, _ = reports.plant_charges(service, 300, 58)
    reports.plant_sacct(service, rows)
    service.start()


def owned(folder):
    """Everything in it is the user's own."""
    uid = pwd.getpwnam(USER).pw_uid
    others = [path for path in (folder / "weekly-reports.state", *(folder / "reports").rglob("*"))
              if path.lstat().st_uid != uid]
    check(not others, others)


def main(programs):
    service = ScratchService(programs)
    open_to(service)
    with service:
        a_week(service)
        state = service.path  # with the database, as /var/lib/asbb is
        shutil.chown(state, USER)
        code, said = by_timer(service, state)
        check(code == 0, said)
        week = state / "reports" / weeks_back(1)
        check("core-hours" in (week / "proj001.html").read_text(), said)
        check((week / "proj001.csv").exists() and (week / "dept.html").exists(), said)
        owned(state)
        made = {path: path.stat().st_mtime_ns for path in state.rglob("*.html")}
        check(len(made) > 2, made)
        code, said = by_timer(service, state, "OPTIONS=--time-zone=Europe/Paris")
        check(code == 0 and "Nothing to do" in said, said)
        check(made == {path: path.stat().st_mtime_ns for path in state.rglob("*.html")}, said)
        code, said = by_timer(service, state, "OPTIONS=--time-zone=Nowhere --email")
        check(code != 0, said)
        # What an administrator did by hand, as root, is not in the timer's way.
        result = service.run(f"asbb report weekly --directory={state}/reports --week={weeks_back(2)}")
        check(result.returncode == 0, result.stdout)
        owned(state)
        code, said = by_timer(service, state, f"OPTIONS=--week={weeks_back(2)}")
        check(code == 0 and "written" in said, said)  # in another folder, as the names of both go
        code, said = by_timer(service, state, f"OPTIONS=--week={weeks_back(2)}")
        check(code == 0 and "Nothing to do" in said, said)
        # A folder that is root's is named.
        shutil.chown(state / "reports", "root")
        code, said = by_timer(service, state, f"OPTIONS=--week={weeks_back(3)}")
        check(code == 1 and "reports" in said and "ermission denied" in said, code, said)
    print("the weekly timer's program runs as its unit says, by a user who is not root")


if __name__ == "__main__":
    if os.geteuid() != 0:  # as for tests/slurm/as_root, set-up had to be able to ask for it as well
        os.execvp("sudo", ["sudo", "-n", "env", f"PATH={os.environ['PATH']}", sys.executable, *sys.argv])
    main(sys.argv[1])
