"""Slurm's commands as scripts that print recorded answers, so that a test can plant what it likes.

    slurm = FakeSlurm(service)          # before the service starts; its settings then name these commands
    slurm.edit("onprem", "config", "JobSubmitPlugins        = (null)", "JobSubmitPlugins        = budget")
"""

from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "slurm" / "fixtures" / "cluster"

COMMAND = r"""#!/bin/sh
here=$(dirname "$0")
command=$(basename "$0")
gone() { echo "$1" >&2; exit 1; }
case $command in
  squeue|scontrol|sdiag) [ ! -e "$here/controller-away" ] || gone 'slurm_load_jobs error: Unable to contact slurm controller' ;;
  *) [ ! -e "$here/accounting-away" ] || gone 'sacctmgr: error: Sending PersistInit msg: Connection refused' ;;
esac
case "$command $*" in
  'scontrol show config') exec cat "$here/config" ;;
  scontrol*'show partition') exec cat "$here/partitions" ;;
  scontrol*'show node') exec cat "$here/nodes" ;;
  'sacctmgr -n -P show assoc '*) exec cat "$here/assoc" ;;
  'sacctmgr -n -P show user withassoc'*) exec cat "$here/users" ;;
  'sacctmgr -n -P show user name='*) exec cat "$here/levels" ;;
  'sacctmgr -n -P show cluster name='*) basename "$here" ;;
  'sacctmgr -n -P show cluster'*) exec cat "$here/clusters" ;;
  squeue*) exec cat "$here/queue" ;;
  sacct\ *) exec cat "$here/accounting" ;;
  sdiag*) echo "sdiag output at now ($(($(date +%s) + $(cat "$here/clock"))))"; echo 'DBD Agent queue size: 0' ;;
  *) gone "no answer to $command $*" ;;
esac
"""


class FakeSlurm:
    def __init__(self, service, clusters=("onprem", "cloud")):
        self.folder = service.path / "slurm-of"
        settings = service.path / "config.yaml"
        text = settings.read_text(encoding="utf-8")
        for name in clusters:
            folder = self.folder / name
            folder.mkdir(parents=True)
            for command in ("squeue", "sacct", "scontrol", "sacctmgr", "sdiag"):
                (folder / command).write_text(COMMAND, encoding="utf-8")
                (folder / command).chmod(0o755)
            for file, source in (("config", f"{name}.config.txt"), ("partitions", f"{name}.partitions.txt"),
                                 ("nodes", f"{name}.nodes.txt"), ("assoc", "assoc.txt"), ("users", "user-withassoc.txt"),
                                 ("clusters", "cluster.txt")):
                (folder / file).write_bytes((FIXTURES / source).read_bytes())
            for file, said in (("queue", ""), ("accounting", ""), ("clock", "0"), ("levels", "root|Operator\n")):
                (folder / file).write_text(said, encoding="utf-8")
            text = text.replace(f"name: {name}, bin_dir: {service.path}/slurm", f"name: {name}, bin_dir: {folder}")
        settings.write_text(text, encoding="utf-8")

    def edit(self, cluster, file, old, new):
        path = self.folder / cluster / file
        text = path.read_text(encoding="utf-8")
        if old not in text:
            raise AssertionError(f"{path} has no {old!r}")
        path.write_text(text.replace(old, new), encoding="utf-8")

    def put(self, cluster, file, text=""):
        (self.folder / cluster / file).write_text(text, encoding="utf-8")

    def remove(self, cluster, file):
        (self.folder / cluster / file).unlink()
