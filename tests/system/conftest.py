"""Fixtures of the system suites.

EKIDEN_BINARY    the program under test (default: build/release/ekiden)
EKIDEN_SHAPE     `process` (default), or `cluster`: the same tests on two processes of each service and real servers
EKIDEN_BASE_URL  tests that need no process of their own run against this deployment
EKIDEN_SEED      the seed of everything drawn (default: drawn and printed)
EKIDEN_ACTIVITIES the folder of real recordings (default: ../shared/activities beside the repository)"""

import os
import pathlib
import random
import secrets
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness.client import Client, Person  # noqa: E402
from harness.server import BINARY, REPOSITORY, RemoteServer, Server  # noqa: E402

BASE_URL = os.environ.get("EKIDEN_BASE_URL")
SHAPE = os.environ.get("EKIDEN_SHAPE", "process")
SEED = int(os.environ.get("EKIDEN_SEED", secrets.randbelow(1 << 32)))
ACTIVITIES = pathlib.Path(os.environ.get("EKIDEN_ACTIVITIES", REPOSITORY.parent / "shared/activities"))


LEFT_OUT = pytest.StashKey()


def pytest_report_header():
    return [f"ekiden: {BASE_URL or BINARY} ({SHAPE})", f"EKIDEN_SEED={SEED}"]


def pytest_configure(config):
    config.addinivalue_line("markers", "one_process(why): about what only the one process has")
    config.addinivalue_line("markers", "cluster(why): about what only a cluster has")


def pytest_collection_modifyitems(config, items):
    """Leaves out, and says so, what the other shape alone has."""
    other = "one_process" if SHAPE == "cluster" else "cluster"
    out = [item for item in items if item.get_closest_marker(other)]
    for item in out:
        items.remove(item)
    config.hook.pytest_deselected(items=out)
    config.stash[LEFT_OUT] = out


def pytest_terminal_summary(terminalreporter, config):
    for item in config.stash.get(LEFT_OUT, []):
        marker = item.get_closest_marker("one_process") or item.get_closest_marker("cluster")
        terminalreporter.write_line(f"not of this shape: {item.name} ({marker.args[0]})")


def pytest_sessionstart():
    if SHAPE not in ("process", "cluster"):
        raise pytest.UsageError(f"EKIDEN_SHAPE is process or cluster, not {SHAPE}")
    if not BASE_URL and not BINARY.exists():
        raise pytest.UsageError(f"there is no {BINARY}: build it, or set EKIDEN_BINARY or EKIDEN_BASE_URL")


def close_and_check(server):
    server.close()
    errors = server.unexpected_errors()
    assert not errors, f"the server logged errors: {errors[:5]}"


@pytest.fixture
def rng(request):
    """Randomness of this test alone: the same for the same seed, whichever tests run beside it."""
    return random.Random(f"{SEED}:{request.node.nodeid}")


@pytest.fixture(scope="session")
def shared_servers(tmp_path_factory):
    """PostgreSQL, Redis and Kafka for all clusters of this run; None in the other shape."""
    if SHAPE != "cluster" or BASE_URL:
        yield None
        return
    from harness.cluster import SharedServers
    servers = SharedServers(tmp_path_factory.mktemp("servers"))
    try:
        yield servers.start()
    finally:
        servers.stop()


def new_server(shared_servers, folder, settings=None, **kwargs):
    if shared_servers is None:
        return Server(folder, settings, **kwargs)
    from harness.cluster import ClusterServer
    return ClusterServer(folder, shared_servers, settings, **kwargs)


@pytest.fixture(scope="session")
def server(tmp_path_factory, shared_servers):
    """One server for all tests that leave it whole. Without rate limits, with cheap password hashes."""
    running = RemoteServer(BASE_URL) if BASE_URL else new_server(shared_servers, tmp_path_factory.mktemp("shared")).start()
    yield running
    close_and_check(running)


@pytest.fixture
def make_server(tmp_path, shared_servers):
    """Starts servers of the test's own: make_server({"key": value})."""
    if BASE_URL:
        pytest.skip("needs a process of its own: not against EKIDEN_BASE_URL")
    made = []

    def make(settings=None, folder=None, start=True, **kwargs):
        running = new_server(shared_servers, folder or tmp_path / f"server-{len(made)}", settings, **kwargs)
        made.append(running)
        return running.start() if start else running
    yield make
    for running in made:
        close_and_check(running)


@pytest.fixture
def client(server):
    made = Client(server.address)
    yield made
    made.close()


@pytest.fixture
def person(server):
    return Person.register(server.address)


def make_admin(server, folder, role="admin", door=None):
    """An account that only the command line can make; signed in at `door`, an address, where it is not the server's."""
    password = "the admin's " + secrets.token_hex(8)
    email = f"admin-{secrets.token_hex(4)}@example.org"
    password_file = pathlib.Path(folder) / "password"
    password_file.write_text(password + "\n")
    made = server.ekiden("admin", "create", "--email", email, "--password-file", password_file, "--role", role)
    assert made.returncode == 0, made
    return Person(Client(door or server.address), email, password, email).login()


@pytest.fixture
def admin(server, tmp_path):
    if BASE_URL:
        pytest.skip("makes an account by the command line: not against EKIDEN_BASE_URL")
    return make_admin(server, tmp_path)


@pytest.fixture
def admin_of(tmp_path):
    """admin_of(server): an administrator of a server of the test's own."""
    return lambda server, role="admin", door=None: make_admin(server, tmp_path, role, door)


@pytest.fixture(scope="session")
def activities():
    """The folder of real recordings, or None with a note on the terminal."""
    if (ACTIVITIES / "expected.json").exists():
        return ACTIVITIES
    print(f"\nno real recordings in {ACTIVITIES}: only generated files are used; set EKIDEN_ACTIVITIES")
    return None
