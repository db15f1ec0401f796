"""The program under test as a process: started, killed, restarted, measured, its log read."""

import json
import os
import pathlib
import signal
import socket
import subprocess

from harness.stores import EmbeddedStores
from harness.waiting import until

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("EKIDEN_BINARY", REPOSITORY / "build/release/ekiden"))
# Passwords are hashed cheaply where a test is not about that.
CHEAP_HASH = {"user.hash_memory_kib": 64, "user.hash_passes": 1}
NO_LIMITS = {"limits.enabled": "false"}


def free_port(host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def ekiden(*arguments, timeout_s=60, **kwargs):
    """Runs one command to its end."""
    return subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=timeout_s,
                          stdin=subprocess.DEVNULL, **kwargs)


def memory_kib(pid, field):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise AssertionError(f"/proc tells no {field}")


class Running:
    """What can be asked of the program in either shape. Has `address`, `expected_errors`, `pids()` and `log_files()`."""

    def is_healthy(self, timeout_s=5):
        with socket.create_connection(self.address, timeout=timeout_s) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(64).startswith(b"HTTP/1.1 200")

    def events(self):
        """The logs' lines that are JSON."""
        found = []
        for path in self.log_files():
            for line in path.read_text(errors="replace").splitlines():
                if line.startswith("{"):
                    try:
                        found.append(json.loads(line))
                    except ValueError:
                        # kill -9 may cut the line that was being written.
                        continue
        return found

    def memory_kib(self):
        """What is resident now, of each of our processes."""
        return {pid: memory_kib(pid, "VmRSS") for pid in self.pids()}

    def grown_kib(self, before):
        """How much more than `before`, an answer of `memory_kib`, was ever resident: of the process that grew most."""
        return max(memory_kib(pid, "VmHWM") - kib for pid, kib in before.items())

    def unexpected_errors(self):
        def is_expected(event):
            return any(word in json.dumps(event) for word in self.expected_errors)
        return [e for e in self.events() if e.get("level") in ("error", "fatal") and not is_expected(e)]


class Server(Running):
    """`ekiden serve` on a data folder and a port of its own."""

    def __init__(self, folder, settings=None, wrapper=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.log_path = self.folder / "server.log"
        self.settings = {**CHEAP_HASH, **NO_LIMITS, **(settings or {})}
        self.wrapper = list(wrapper)
        self.address = ("127.0.0.1", free_port())
        self.process = None
        self.expected_errors = ()

    @property
    def pid(self):
        """Of ekiden itself, also where something wraps it."""
        if not self.wrapper:
            return self.process.pid
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def pids(self):
        """Of every process of ours."""
        return [self.pid]

    @property
    def gateways(self):
        """Every address that serves people."""
        return [self.address]

    @property
    def processes(self):
        """The address of every process of ours."""
        return [self.address]

    @property
    def keys(self):
        """The folder of the secrets."""
        return self.data / "keys"

    @property
    def stores(self):
        return EmbeddedStores(self.data)

    def ekiden(self, *arguments, **kwargs):
        """A command of the program on this server's stores."""
        return ekiden(*arguments, "--data", self.data, **kwargs)

    def log_files(self):
        return [self.log_path] if self.log_path.exists() else []

    def command(self):
        sets = [word for key, value in self.settings.items() for word in ("--set", f"{key}={value}")]
        listen = f"{self.address[0]}:{self.address[1]}"
        return [*self.wrapper, str(BINARY), "serve", "--data", str(self.data), "--listen", listen, *sets]

    def start(self, timeout_s=20):
        assert self.process is None
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def answers():
            code = self.process.poll()
            if code is not None:
                tail = self.log_path.read_text(errors="replace")[-4000:]
                raise RuntimeError(f"ekiden ended with {code} instead of serving:\n{tail}")
            return self.is_healthy()
        until(answers, "the server's first answer", timeout_s, every_s=0.005)
        return self

    def kill(self):
        """kill -9."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stop(self, timeout_s=40):
        """SIGTERM, as an orchestrator stops it. Returns the exit code."""
        os.kill(self.pid, signal.SIGTERM)
        code = self.process.wait(timeout=timeout_s)
        self.process = None
        return code

    def close(self):
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        self.process = None

    def rss_kib(self, field="VmRSS"):
        """Resident memory; `VmHWM` for the most there ever was."""
        return memory_kib(self.pid, field)


class RemoteServer:
    """A deployment that somebody else started: EKIDEN_BASE_URL=http://host:port."""

    def __init__(self, url):
        host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
        self.address = (host, int(port or 80))
        self.keys = None
        self.expected_errors = ()

    def unexpected_errors(self):
        return []

    def close(self):
        """It is not ours to stop."""
