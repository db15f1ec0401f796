"""Fixtures of the system suites.

EKIDEN_BINARY    the program under test (default: build/release/ekiden)
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
from harness.server import BINARY, REPOSITORY, RemoteServer, Server, ekiden  # noqa: E402

BASE_URL = os.environ.get("EKIDEN_BASE_URL")
SEED = int(os.environ.get("EKIDEN_SEED", secrets.randbelow(1 << 32)))
ACTIVITIES = pathlib.Path(os.environ.get("EKIDEN_ACTIVITIES", REPOSITORY.parent / "shared/activities"))


def pytest_report_header():
    return [f"ekiden: {BASE_URL or BINARY}", f"EKIDEN_SEED={SEED}"]


def pytest_sessionstart():
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
def server(tmp_path_factory):
    """One server for all tests that leave it whole. Without rate limits, with cheap password hashes."""
    running = RemoteServer(BASE_URL) if BASE_URL else Server(tmp_path_factory.mktemp("shared")).start()
    yield running
    close_and_check(running)


@pytest.fixture
def make_server(tmp_path):
    """Starts servers of the test's own: make_server({"key": value})."""
    if BASE_URL:
        pytest.skip("needs a process of its own: not against EKIDEN_BASE_URL")
    made = []

    def make(settings=None, folder=None, start=True, **kwargs):
        running = Server(folder or tmp_path / f"server-{len(made)}", settings, **kwargs)
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


def make_admin(server, folder, role="admin"):
    """An account that only the command line can make."""
    password = "the admin's " + secrets.token_hex(8)
    email = f"admin-{secrets.token_hex(4)}@example.org"
    password_file = pathlib.Path(folder) / "password"
    password_file.write_text(password + "\n")
    made = ekiden("admin", "create", "--data", server.data, "--email", email, "--password-file", password_file,
                  "--role", role)
    assert made.returncode == 0, made
    return Person(Client(server.address), email, password, email).login()


@pytest.fixture
def admin(server, tmp_path):
    if BASE_URL:
        pytest.skip("makes an account by the command line: not against EKIDEN_BASE_URL")
    return make_admin(server, tmp_path)


@pytest.fixture
def admin_of(tmp_path):
    """admin_of(server): an administrator of a server of the test's own."""
    return lambda server, role="admin": make_admin(server, tmp_path, role)


@pytest.fixture(scope="session")
def activities():
    """The folder of real recordings, or None with a note on the terminal."""
    if (ACTIVITIES / "expected.json").exists():
        return ACTIVITIES
    print(f"\nno real recordings in {ACTIVITIES}: only generated files are used; set EKIDEN_ACTIVITIES")
    return None
