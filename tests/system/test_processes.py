"""A gateway and services as processes of their own, each on a data folder of its own: what needs no shared stores."""

import json
import pathlib
import signal
import socket
import threading

import pytest

from harness.client import API, Client, Person
from harness.server import Server, free_port
from harness.waiting import until

ID_OF_NOBODY = "018f0000-0000-7000-8000-000000000001"


class Part(Server):
    """One process of the cluster."""

    def __init__(self, folder, service, settings):
        super().__init__(folder, settings)
        self.service = service

    def command(self):
        return [*super().command(), "--service", self.service]


def ask(address, text, timeout_s=30):
    """What a server answers to these bytes until it closes."""
    with socket.create_connection(address, timeout=timeout_s) as connection:
        connection.sendall(text.encode())
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received.decode(errors="replace")


def get(path, headers=""):
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n{headers}Connection: close\r\n\r\n"


class Cluster:
    def __init__(self, folder, services=("user",), settings=None):
        self.keys = pathlib.Path(folder) / "keys"
        self.keys.mkdir(mode=0o700)
        shared = {"cluster.keys": self.keys, "upstream.check_every": "100ms", "cluster.drain_delay": "1s", **(settings or {})}
        self.parts = {name: Part(pathlib.Path(folder) / name, name, shared) for name in services}
        where = {f"upstream.{name}": "127.0.0.1:%d" % (self.parts[name].address[1] if name in self.parts else free_port())
                 for name in ("user", "workout", "gamification", "inventory")}
        self.gateway = Part(pathlib.Path(folder) / "gateway", "gateway", {**shared, **where})

    def start(self):
        for part in (*self.parts.values(), self.gateway):
            part.start()
        until(lambda: Client(self.gateway.address).post(API + "/auth/login", {}).status == 422, "the first answer")
        return self

    def close(self):
        for part in (self.gateway, *self.parts.values()):
            part.close()
            assert not part.unexpected_errors(), part.unexpected_errors()[:5]


@pytest.fixture
def make_cluster(tmp_path):
    made = []

    def make(*args, **kwargs):
        made.append(Cluster(tmp_path, *args, **kwargs))
        return made[-1].start()
    yield make
    for cluster in made:
        cluster.close()


def test_a_person_signs_in_through_the_gateway(make_cluster, make_server, admin_of):
    cluster = make_cluster()
    person = Person.register(cluster.gateway.address)
    assert person.get("/me").json["id"] == person.id
    changed = person.patch("/me", {"display_name": "Through the door"}, headers={"If-Match": person.get("/me").headers["ETag"]})
    assert changed.status == 200, changed
    assert person.get("/me").json["display_name"] == "Through the door"
    head = person.request("HEAD", "/me")
    assert head.status in (200, 405) and not head.body
    assert Client(cluster.gateway.address).get(API + "/me").status == 401
    assert person.get("/workouts").status == 503  # nobody runs that
    alone = make_server()
    document = Client(alone.address).get(API + "/openapi.json").json
    assert Client(cluster.gateway.address).get(API + "/openapi.json").json == document
    admin = admin_of(cluster.parts["user"], door=cluster.gateway.address)
    shown = admin.get("/system/concurrency").json["processes"]
    mine = [process for process in shown if process["service"] == "user"]
    assert [process["answers"] for process in mine] == [True]
    assert any(executor["service"] == "user" for executor in mine[0]["executors"])
    assert [process["answers"] for process in shown if process["service"] == "workout"] == [False]
    assert "ekiden_upstream_calls_total" in Client(cluster.gateway.address).get("/metrics").body.decode()


def test_an_identity_is_never_what_a_client_says(make_cluster):
    cluster = make_cluster()
    alice = Person.register(cluster.gateway.address)
    bob = Person.register(cluster.gateway.address)
    inner = cluster.parts["user"].address
    forged = [f"X-User-Id: {alice.id}\r\n", f"X-Internal-User: {alice.id}\r\n",
              f"X-Internal-Caller: 1|1790000000000|127.0.0.1|{alice.id}|admin|{ID_OF_NOBODY}|session||AAAA\r\n",
              f"Authorization: Bearer {alice.tokens['access_token']}\r\n"]
    for header in ("", *forged):
        answer = ask(inner, get(API + "/me", header))
        assert answer.startswith("HTTP/1.1 401") and "not-from-here" in answer, answer
    for path in ("/healthz", "/readyz", "/metrics"):
        assert ask(inner, get(path)).startswith("HTTP/1.1 200"), path
    for path in ("/internal/system/figures", "/internal/user/api-keys/resolve", "/nowhere"):
        assert ask(inner, get(path)).startswith("HTTP/1.1 401"), path
    for header in forged[:3]:
        name, _, value = header.strip().partition(": ")
        assert Client(cluster.gateway.address).get(API + "/me", headers={name: value}).status == 401
        assert bob.get("/me", headers={name: value}).json["id"] == bob.id
    assert Client(cluster.gateway.address).get("/internal/system/figures").status == 404


def test_a_process_that_is_killed_costs_problems_and_comes_back(make_cluster, rng):
    cluster = make_cluster()
    person = Person.register(cluster.gateway.address)
    user = cluster.parts["user"]
    answers, is_over = [], threading.Event()

    def load():
        client = Client(cluster.gateway.address)
        while not is_over.is_set():
            answers.append(client.get(API + "/me", headers=person.headers))
    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            before = len(answers)
            until(lambda: len(answers) > before + rng.randrange(20, 60), "some answers")
            user.kill()
            until(lambda: answers[-1].status >= 500, "an answer without the service")
            user.start()
            until(lambda: all(answer.status == 200 for answer in answers[-8:]), "the service's return")
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert {answer.status for answer in answers} <= {200, 502, 503}
    for answer in answers:
        if answer.status != 200:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.slug in ("upstream-broken", "upstream-unreachable", "service-unreachable"), answer


def test_a_process_that_ends_first_says_so(make_cluster):
    cluster = make_cluster(settings={"cluster.drain_delay": "3s"})
    person = Person.register(cluster.gateway.address)
    user = cluster.parts["user"]
    user.process.send_signal(signal.SIGTERM)
    until(lambda: ask(user.address, get("/readyz")).startswith("HTTP/1.1 503"), "the end being told")
    assert "ending" in ask(user.address, get("/readyz"))
    # Nobody else is there: whoever still asks is still answered.
    assert person.get("/me").status == 200
    assert user.process.wait(timeout=30) == 0
    assert person.get("/me").status == 503
    user.process = None
    user.start()
    until(lambda: person.get("/me").status == 200, "the service's return")


def test_a_large_upload_is_not_kept_in_the_gateway(make_cluster):
    cluster = make_cluster(services=("user", "workout"))
    person = Person.register(cluster.gateway.address)
    before = cluster.gateway.rss_kib("VmHWM")
    answer = person.upload(("noise.gpx", b"<gpx>" + b" " * 90_000_000 + b"</gpx>"))
    assert answer.status < 500, answer
    assert cluster.gateway.rss_kib("VmHWM") - before < 24 * 1024
    assert json.loads(answer.body)
