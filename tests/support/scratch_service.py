"""An asbb-service of a test's own: a new folder, a new database, one unix socket, stopped by process id.

    with ScratchService(programs) as service:
        service.asbb("account", "list")
"""

import getpass
import http.client
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE_PRICES = ROOT / "examples" / "prices.yaml"
CLUSTERS = ("onprem", "cloud")


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class ScratchService:
    """`programs` is the folder of asbb and asbb-service. The clusters of its settings do not answer.

    `database` is the folder of the database and its key; a standby is given that of another service.
    """

    def __init__(self, programs, database=None, lock_wait="10s"):
        self.programs = Path(programs).resolve()
        self.folder = tempfile.TemporaryDirectory(prefix="asbb-test-")
        self.path = Path(self.folder.name)
        self.database = Path(database or self.path)
        self.socket = self.path / "asbb.sock"
        self.log = self.path / "service.log"
        self.process = None
        (self.path / "prices.yaml").write_bytes(EXAMPLE_PRICES.read_bytes())
        self._no_slurm(self.path / "slurm")
        clusters = "".join(f"    - {{name: {name}, bin_dir: {self.path}/slurm}}\n" for name in CLUSTERS)
        (self.path / "config.yaml").write_text(
            f"service:\n  listen_addr: \"\"\n  socket: {self.socket}\n  admins: [{getpass.getuser()}]\n"
            f"database:\n  dsn: {self.database}/asbb.db\n  chain_key_file: {self.database}/chain.key\n"
            f"  lock_wait: {lock_wait}\n"
            f"budget:\n  write_off_account: overhead\n"
            f"slurm:\n  clusters:\n{clusters}")
        (self.path / "config.yaml").chmod(0o640)

    @staticmethod
    def _no_slurm(folder):
        """Slurm's commands as they are while every daemon is away."""
        folder.mkdir()
        for name in ("squeue", "sacct", "scontrol", "sacctmgr", "sdiag"):
            (folder / name).write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n")
            (folder / name).chmod(0o755)

    def environment(self):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ASBB_")}
        environment["ASBB_CONFIG_FILE"] = str(self.path / "config.yaml")
        environment["PATH"] = f"{self.programs}:{environment['PATH']}"
        return environment

    def run(self, command, timeout_s=60):
        """A line for bash, in the folder of the test; standard error is part of the output."""
        return subprocess.run(["bash", "-c", command], cwd=self.path, env=self.environment(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              timeout=timeout_s, check=False)

    def asbb(self, *arguments):
        """Standard output of the command, which must succeed."""
        result = subprocess.run([self.programs / "asbb", *arguments], cwd=self.path, env=self.environment(), text=True,
                                capture_output=True, timeout=60, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"asbb {' '.join(arguments)} ended with {result.returncode}:\n{result.stderr}")
        return result.stdout

    def launch(self):
        """Starts the process; it may have to wait for the database."""
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([self.programs / "asbb-service"], cwd=self.path,
                                            env=self.environment(), stdout=log, stderr=log)

    def is_healthy(self):
        try:
            return self.request("GET", "/health")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def wait_until_healthy(self, timeout_s=30):
        """Seconds until it answered."""
        began = time.monotonic()
        while not self.is_healthy():
            if self.process.poll() is not None or time.monotonic() > began + timeout_s:
                self.stop()
                raise RuntimeError(f"the service does not answer:\n{self.log.read_text()}")
            time.sleep(0.02)
        return time.monotonic() - began

    def start(self):
        self.launch()
        self.wait_until_healthy()

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def request(self, method, path, body=None, headers=None):
        """(status, body) of one request on a connection of its own."""
        connection = UnixConnection(self.socket)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def __enter__(self):
        self.asbb("database", "migrate")
        self.start()
        return self

    def stop(self):
        """SIGTERM. Its exit code, or -1 when it had to be killed."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.terminate()
        try:
            return process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return -1

    def __exit__(self, kind, value, traceback):
        code = self.stop()
        log = self.log.read_text()
        self.folder.cleanup()
        if kind is None and code != 0:
            raise RuntimeError(f"the service ended with {code}:\n{log}")
