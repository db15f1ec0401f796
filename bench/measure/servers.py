"""Ekiden and its peers as processes, each on a free loopback port and in a folder that goes away with it."""

import contextlib
import glob
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from measure.machine import CLIENT_CORE, SERVER_CORE, children_of, on_core, tree
from measure.wire import Wire, ask_json, request_bytes

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PEERS = REPOSITORY / "bench/peers"
BINARY = pathlib.Path(os.environ.get("EKIDEN_BINARY", REPOSITORY / "build/release/ekiden"))
# The packages of the peers belong to Debian's own Python, whatever `python3` is.
PYTHON = "/usr/bin/python3"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def needs(*programs):
    """Ends the comparison with a sentence where a program is missing."""
    missing = [p for p in programs if subprocess.run(["which", p], capture_output=True).returncode != 0]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; tools/packages build bench installs what the comparisons need")


def first_answer(address, path, process=None, timeout_s=300, every_s=0.0005, headers=()):
    """Asks until a 200 comes, and returns how long that took in seconds."""
    begun = time.perf_counter()
    ask = request_bytes("GET", path, {"Connection": "close", **dict(headers)})
    while True:
        try:
            wire = Wire(address, timeout_s=5)
            try:
                if wire.ask(ask)[0] == 200:
                    return time.perf_counter() - begun
            finally:
                wire.close()
        except OSError as error:
            last = error
        else:
            last = "an answer that is not 200"
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{process.args[:6]} ended with {process.returncode}")
        if time.perf_counter() - begun > timeout_s:
            raise RuntimeError(f"no answer from {address}{path} in {timeout_s} s: {last}")
        time.sleep(every_s)


def stop(process, timeout_s=60):
    """Stops a server; where strace runs it, the server itself, as strace would end alone."""
    if process.poll() is None:
        traced = children_of(process.pid) if "strace" in process.args else []
        for pid in traced or [process.pid]:
            os.kill(pid, signal.SIGTERM)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def started(command, address, path, log, **kwargs):
    """A server that answers at `address` until the block ends."""
    with open(log, "ab") as out:
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=out, stderr=out, **kwargs)
    try:
        try:
            first_answer(address, path, process)
        except Exception:
            sys.stderr.write(pathlib.Path(log).read_text(errors="replace")[-3000:])
            raise
        yield process
    finally:
        stop(process)


def ekiden_command(data, port, settings=()):
    sets = {"limits.enabled": "false", "user.access_token_ttl": "1d", **dict(settings)}
    words = [word for key, value in sets.items() for word in ("--set", f"{key}={value}")]
    return [BINARY, "serve", "--data", data, "--listen", f"127.0.0.1:{port}", *words]


@contextlib.contextmanager
def ekiden(folder, settings=(), data=None, core=SERVER_CORE, wrapper=()):
    """(address, process). Rate limits are off and tokens live for a day; all else is as built in.
    With a `wrapper` (strace …) the process is the wrapper's."""
    if not BINARY.exists():
        sys.exit(f"there is no {BINARY}: ./run --build-only makes it, or set EKIDEN_BINARY")
    port = free_port()
    command = on_core(core, *wrapper, *ekiden_command(data or folder / "data", port, settings))
    with started(command, ("127.0.0.1", port), "/readyz", folder / "ekiden.log") as process:
        yield ("127.0.0.1", port), process


@contextlib.contextmanager
def ekiden_cluster(folder, settings=()):
    """(address of a gateway, pids of our processes, ports of the servers beneath by name): two processes of each service
    and two gateways on PostgreSQL, Kafka and Redis of their own, all on any core."""
    data, port = folder / "cluster", free_port()
    for parent in [folder, *folder.parents]:
        if os.getuid() == 0 and parent.stat().st_uid == 0 and parent != pathlib.Path("/"):
            parent.chmod(parent.stat().st_mode | 0o111)  # PostgreSQL runs as a user of its own
    sets = {"limits.enabled": "false", "user.access_token_ttl": "1d", **dict(settings)}
    words = [word for key, value in sets.items() for word in ("--set", f"{key}={value}")]
    program = [PYTHON, REPOSITORY / "deploy/local/cluster"]
    environment = {**os.environ, "EKIDEN_BINARY": str(BINARY)}
    quiet = {"stdout": subprocess.DEVNULL, "env": environment}
    try:
        subprocess.run([*program, "up", "--data", data, "--port", str(port), *words], check=True, **quiet)
        ports = json.loads((data / "cluster.json").read_text())
        ours = [name for name in ports if name.rsplit("-", 1)[-1].isdigit()]
        pids = [int((data / "run" / f"{name}.pid").read_text().split()[0]) for name in ours]
        yield ("127.0.0.1", port), pids, {name: at for name, at in ports.items() if name not in ours}
    finally:
        subprocess.run([*program, "down", "--data", data], **quiet)


@contextlib.contextmanager
def ekiden_as(shape, folder):
    """As `ekiden_cluster` for the shape `cluster`; for `process` one process, without servers beneath."""
    if shape == "cluster":
        with ekiden_cluster(folder) as cluster:
            yield cluster
    else:
        with ekiden(folder) as (address, process):
            yield address, [process.pid], {}


def as_postgres(command):
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return list(map(str, command))
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *map(str, command)]


@contextlib.contextmanager
def postgres(folder, core=CLIENT_CORE):
    """(port, pid of the first process). As Debian configures it: each commit is on the disk before it is acknowledged."""
    tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not tools:
        sys.exit("missing: postgresql; tools/packages build bench installs what the comparisons need")
    binaries, data, port = pathlib.Path(tools[-1]), folder / "postgres", free_port()
    data.mkdir()
    if os.getuid() == 0:
        subprocess.run(["chown", "postgres:postgres", data], check=True)
    for parent in [folder, *folder.parents]:
        if os.getuid() == 0 and parent.stat().st_uid == 0 and parent != pathlib.Path("/"):
            parent.chmod(parent.stat().st_mode | 0o111)
    quiet = {"stdout": subprocess.DEVNULL, "check": True, "cwd": "/"}
    subprocess.run(as_postgres([binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]),
                   **quiet)
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={data} -c shared_buffers=256MB"
    control = [binaries / "pg_ctl", "-D", data, "-w"]
    subprocess.run(on_core(core, *as_postgres([*control, "-l", data / "log", "-o", options, "start"])), **quiet)
    try:
        yield port, int((data / "postmaster.pid").read_text().split()[0])
    finally:
        subprocess.run(as_postgres([*control, "-m", "fast", "stop"]), **quiet)


@contextlib.contextmanager
def redis(folder, core=CLIENT_CORE):
    """(port, process). Without persistence."""
    port = free_port()
    command = on_core(core, "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", folder, "--save", "",
                      "--appendonly", "no")
    with open(folder / "redis.log", "ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_redis(port)
        yield port, process
    finally:
        stop(process)


def wait_redis(port, timeout_s=20, every_s=0.0005):
    begun = time.perf_counter()
    while time.perf_counter() - begun < timeout_s:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as one:
                one.sendall(b"PING\r\n")
                if one.recv(16).startswith(b"+PONG"):
                    return time.perf_counter() - begun
        except OSError:
            pass
        time.sleep(every_s)
    raise RuntimeError("redis-server does not answer")


def fastapi_command(port):
    return [PYTHON, "-m", "uvicorn", "workouts_api:app", "--app-dir", PEERS, "--host", "127.0.0.1", "--port", port,
            "--no-access-log", "--log-level", "warning"]


def django_command(port):
    return ["gunicorn", "--workers", "1", "--bind", f"127.0.0.1:{port}", "--chdir", PEERS, "--log-level", "error",
            "--keep-alive", "60", "ranks_site:application"]


def peer_environment(**ports):
    return {**os.environ, **{k: str(v) for k, v in ports.items()}, "PYTHONDONTWRITEBYTECODE": "1"}


@contextlib.contextmanager
def fastapi(folder, postgres_port):
    """(address, process): the FastAPI peer on core 0."""
    port = free_port()
    with started(on_core(SERVER_CORE, *fastapi_command(port)), ("127.0.0.1", port), "/health", folder / "fastapi.log",
                 env=peer_environment(POSTGRES_PORT=postgres_port)) as process:
        yield ("127.0.0.1", port), process


@contextlib.contextmanager
def django(folder, redis_port):
    """(address, pid of its worker): the Django peer on core 0."""
    port = free_port()
    with started(on_core(SERVER_CORE, *django_command(port)), ("127.0.0.1", port), "/health", folder / "django.log",
                 env=peer_environment(REDIS_PORT=redis_port)) as process:
        yield ("127.0.0.1", port), tree(process.pid)[-1]


NGINX = """worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log; {user}
events {{ worker_connections 1024; }}
http {{ access_log off; default_type application/json; keepalive_requests 1000000000; open_file_cache max=100;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; sendfile on; tcp_nopush on;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}
"""


@contextlib.contextmanager
def nginx(folder, files):
    """(address, pid of its worker): nginx on core 0, with `files` (name to bytes) as static JSON."""
    port = free_port()
    (folder / "www").mkdir()
    for name, data in files.items():
        (folder / "www" / name).write_bytes(data)
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, user="user root;" if os.getuid() == 0 else ""))
    command = on_core(SERVER_CORE, "nginx", "-c", configuration, "-e", folder / "nginx-error.log")
    with started(command, ("127.0.0.1", port), "/" + next(iter(files)), folder / "nginx.log") as process:
        yield ("127.0.0.1", port), tree(process.pid)[-1]


class Person:
    """Somebody with an account on Ekiden. Paths are given below /api/v1."""

    def __init__(self, address, number):
        self.address = address
        self.email = f"runner-{number}@example.org"
        self.password = f"the long way home {number}"
        self.name = f"Runner {number}"
        self.headers = {}

    def register(self):
        ask_json(self.address, "POST", "/api/v1/auth/register",
                 body={"email": self.email, "password": self.password, "display_name": self.name})
        return self.login()

    def login(self):
        tokens = ask_json(self.address, "POST", "/api/v1/auth/login", body={"email": self.email, "password": self.password})
        self.headers = {"Authorization": "Bearer " + tokens["access_token"]}
        return self

    def get(self, path):
        return ask_json(self.address, "GET", "/api/v1" + path, self.headers)

    def request(self, method, path, body=b"", content_type=None):
        """The bytes of a request, for a Wire."""
        extra = {"Content-Type": content_type} if content_type else {}
        return request_bytes(method, "/api/v1" + path, {**self.headers, **extra}, body)
