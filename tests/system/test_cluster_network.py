"""What a bad network does between the parts of a cluster: each effect of the gate, each way, on each kind of connection.
People upload, edit and delete all the while. Calls end; what does not need the broken part goes on; after it has healed
everything goes on by itself, and the boards are what the files alone give.

Bytes that change on the way are tried where nothing is written (below): neither HTTP nor PostgreSQL's protocol nor
Kafka's has a checksum over all of a message. Where a network may do that, use TLS."""

import contextlib
import subprocess
import time

import pytest
import redis

from harness.client import API, Client, Person
from harness.files import tcx_run
from harness.gate import (ByteLimit, BytesPerSecond, CloseOnData, Concat, Corrupt, CutAfter, Delay, Drop, Noop, SmallerParts, Substitute,
                          TimeLimit)
from harness.links import LINKS, gated, heal
from harness.rush import Rush
from harness.server import REPOSITORY, free_port
from harness.waiting import until

pytestmark = pytest.mark.cluster("connections between processes")

PEOPLE = 6
FAULT_S = 1.0
# What one call may take: a gateway's deadline of 30 s, and some more on a machine that is busy.
ANSWER_S = 45
EFFECTS = {"hangs": Noop, "is silent": Drop, "is late": lambda: Delay(0.3), "closes": CloseOnData, "is slow": lambda: BytesPerSecond(3000),
           "ends soon": lambda: TimeLimit(0.2), "comes byte by byte": lambda: SmallerParts(1), "comes in lumps": lambda: Concat(8192, 0.05),
           "breaks off in a frame": lambda: ByteLimit(2777)}
# Uploads and their processing need neither Redis, nor boards, nor the log.
UPLOADS_GO_ON = ("redis", "gamification", "kafka")


def await_upload(rush, what):
    before = rush.acknowledged
    until(lambda: rush.acknowledged > before or not rush.is_running, what, ANSWER_S)


def ask_in_time(rush):
    """After a while, a board, with a deadline: there is an answer soon after it, whatever it is."""
    time.sleep(FAULT_S)
    headers = {**rush.people[0].headers, "Ekiden-Timeout-Ms": str(int(FAULT_S * 1000))}
    with contextlib.closing(Client(rush.server.address, timeout_s=FAULT_S + 10)) as client:
        answer = client.get(API + "/leaderboards/distance/all/all", headers=headers)
    assert answer.status in (200, 502, 503, 504), answer


def disturb(link, gates, rush):
    """One fault after the other; after each, uploads come through again."""
    def each(running):
        await_upload(running, "the first upload")
        for name, make in EFFECTS.items():
            for way in ("to_server", "to_client"):
                for gate in gates:
                    setattr(gate, way, make())
                ask_in_time(running)
                if link in UPLOADS_GO_ON:
                    await_upload(running, f"an upload while what goes {way} of {link} {name}")
                for gate in gates:
                    heal(gate)
                await_upload(running, f"an upload after what went {way} of {link} {name}")
        for gate in gates:
            gate.refuse()
            gate.cut()
        ask_in_time(running)
        for gate in gates:
            heal(gate)
        await_upload(running, f"an upload after nobody listened at {link}")
        running.ended.set()
    rush.run(each)


@pytest.mark.parametrize("link", LINKS)
def test_every_effect_on_a_link_is_survived(make_server, rng, link, capsys):
    """Ten faults each way: nothing hangs for ever, nothing is lost, nothing counts twice."""
    with gated(make_server, link, {"user.access_token_ttl": "2h", "upstream.check_every": "200ms"}) as (server, gates):
        server.expected_errors = ("",)  # it says what it meets; what counts is what is right afterwards
        rush = Rush(server, rng, people=PEOPLE, uploads=100_000, patience_s=600)
        disturb(link, gates, rush)
        assert all(gate.connections > 2 for gate in gates), "the gate saw nothing of it"
        with capsys.disabled():
            print(f"\n{link}: {rush.summary()}")
        rush.check()


def test_changed_bytes_of_answers_are_refused_or_harmless(make_server):
    """Between gateways and a service, while people only read: every call ends, and the boards are right afterwards."""
    with gated(make_server, "gamification") as (server, gates):
        server.expected_errors = ("",)
        person = Person.register(server.address)
        person.upload_one("a.tcx", tcx_run(1000, 400))
        board = "/leaderboards/distance/run/all"
        before = until(lambda: [row for row in person.items(board) if row["display_name"]], "the board")
        for make in (lambda: Corrupt(97), lambda: Substitute(b"HTTP/1.1", b"HTTP/9.9"), lambda: Substitute(b"\r\n\r\n", b"\r\nX\n")):
            for gate in gates:
                gate.cut()
                gate.to_client = make()
            for _ in range(20):
                answer = person.client.get(API + board, headers=person.headers)
                assert answer.status in (200, 502, 503, 504), answer
            for gate in gates:
                heal(gate)
            # The gateways leave a process alone for a while that has failed them.
            until(lambda: person.client.get(API + board, headers=person.headers).status == 200, "an answer again", ANSWER_S)
        assert person.items(board) == before


def test_a_commit_whose_answer_is_lost_makes_no_second_row(make_server):
    """The connection to PostgreSQL ends when COMMIT has passed: each upload is answered or repeated by its key, once."""
    with gated(make_server, "postgres", {"user.access_token_ttl": "2h"}) as (server, (gate,)):
        server.expected_errors = ("",)
        person = Person.register(server.address)
        metres = []
        for i in range(12):
            gate.to_server = CutAfter(b"COMMIT")
            gate.cut()

            def is_taken(number=i):
                answer = person.upload((f"{number}.tcx", tcx_run(1000 + number, 400)), headers={"Idempotency-Key": f"the-key-{number}"})
                assert answer.status in (202, 409, 502, 503, 504), answer
                if answer.status != 202:
                    heal(gate)  # some are to be met by the fault once, not for ever
                return answer.status == 202
            until(is_taken, "an upload that is taken", ANSWER_S, every_s=0.2)
            heal(gate)
            metres.append(1000 + i)
        until(lambda: sorted(w["distance_m"] for w in person.items("/workouts?limit=200")) == metres, "each once", 60, every_s=0.2)
        audit = server.ekiden("audit", timeout_s=120)
        assert audit.returncode == 0, audit.stdout + audit.stderr


@pytest.fixture
def second_redis(tmp_path):
    folder, port = tmp_path / "second-redis", free_port()
    program = REPOSITORY / "deploy/local/servers/redis"
    subprocess.run([program, "start", folder, str(port)], check=True)
    yield ("127.0.0.1", port)
    subprocess.run([program, "stop", folder], check=True)


def test_another_redis_and_the_old_one_again_are_noticed(make_server, rng, second_redis):
    """A failover to an empty server, and back to one whose boards are of long ago: each is told from the one before, and
    the boards are made anew from the ledger."""
    with gated(make_server, "redis", {"user.access_token_ttl": "2h"}) as (server, (gate,)):
        server.expected_errors = ("",)
        rush = Rush(server, rng, people=PEOPLE, uploads=100_000, patience_s=300)
        first = gate.target

        def switch(running):
            for target in (second_redis, first, second_redis, first):
                await_upload(running, "an upload")
                gate.target = target
                gate.cut()
                await_upload(running, "an upload on the other Redis")
            running.ended.set()
        rush.run(switch)
        rush.check()


def test_a_process_that_stood_still_is_fenced(make_server, rng):
    """A member of the groups stops for longer than its session, while the other goes on; what it then says is refused."""
    server = make_server({"user.access_token_ttl": "2h"})
    server.expected_errors = ("",)
    rush = Rush(server, rng, people=PEOPLE, uploads=100_000, patience_s=300)

    def freeze(running):
        for name in ("gamification-1", "workout-2"):
            with server.frozen(name):
                begun = time.monotonic()
                while time.monotonic() - begun < 13:
                    await_upload(running, f"an upload while {name} stands still")
            await_upload(running, f"an upload after {name} stood still")
        running.ended.set()
    rush.run(freeze)
    rush.check()


def test_descriptors_that_run_out_come_back(make_server):
    """A gateway has none left for more connections: it says so, serves those it has, and takes more once there are."""
    server = make_server()
    server.expected_errors = ("accept", "descriptor", "resolve", "upstream")
    person = Person.register(server.address)
    restore = server.limit_descriptors("gateway-1", 120)
    held = []
    with contextlib.ExitStack() as stack:
        for _ in range(150):
            client = stack.enter_context(contextlib.closing(Client(server.address, timeout_s=2)))
            try:
                if client.get("/healthz").status == 200:
                    held.append(client)
            except OSError:
                break
        assert 20 < len(held) < 120
        assert held[0].get(API + "/me", headers=person.headers).status in (200, 503)
        other = Client(server.gateways[1])
        assert other.get(API + "/me", headers=person.headers).status == 200
    until(lambda: Client(server.address, timeout_s=5).get(API + "/me", headers=person.headers).status == 200, "connections to be taken again", 30)
    restore()


def test_a_redis_that_takes_no_writes_costs_boards_alone(make_server, rng):
    """It has no memory left, has become somebody's replica, has forgotten its scripts: uploads go on, and once it writes
    again the boards are right."""
    server = make_server({"user.access_token_ttl": "2h"})
    server.expected_errors = ("",)
    rush = Rush(server, rng, people=PEOPLE, uploads=100_000, patience_s=300)
    with contextlib.closing(redis.Redis.from_url(server.addresses["redis"])) as client:
        faults = {"is out of memory": (lambda: client.config_set("maxmemory", 1), lambda: client.config_set("maxmemory", 0)),
                  "is a replica": (lambda: client.slaveof("127.0.0.1", free_port()), client.slaveof),
                  "forgets its scripts": (client.script_flush, lambda: None)}

        def refuse(running):
            for name, (begin, end) in faults.items():
                begin()
                try:
                    for _ in range(3):
                        await_upload(running, f"an upload while Redis {name}")
                finally:
                    end()
                await_upload(running, f"an upload after Redis {name}")
            running.ended.set()
        rush.run(refuse)
    rush.check()
