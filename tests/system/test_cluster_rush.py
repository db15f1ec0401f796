"""Many people finish at once on a cluster in which everything fails: processes are killed, members join and leave, Redis
forgets, the broker and the database restart. Afterwards the boards are what the files alone give."""

import contextlib
import random
import threading
import time

import pytest
import redis

from harness.cluster import PROGRAM
from harness.rush import Rush, check_all, differences
from harness.waiting import until

pytestmark = pytest.mark.cluster("two processes of each service")

SERVICES = ("user", "workout", "gamification", "inventory", "gateway")
JOINS_EVERY_S = 2


class Storm:
    """Disturbs a cluster in several ways at once until told to end, then heals it."""

    def __init__(self, server, seed):
        self.server = server
        self.seed = seed
        self.ended = threading.Event()
        self.counts = {"kills": 0, "joins": 0, "flushes": 0}
        self.errors = []

    def run_each(self, *parts):
        threads = [threading.Thread(target=self.guarded, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        return threads

    def guarded(self, part):
        try:
            part(random.Random(f"{self.seed}:{part.__name__}"))
        except Exception as error:
            self.errors.append((part.__name__, error))

    def kill_processes(self, rng):
        """One of each service at random, and back; never both at once, so that the rest can go on."""
        while not self.ended.wait(rng.random() * 0.8):
            name = f"{rng.choice(SERVICES)}-{rng.choice((1, 2))}"
            self.server.kill_one(name)
            self.bring_back(name)
            self.counts["kills"] += 1

    def bring_back(self, name):
        """As an orchestrator does: again and again, where it ends because a server is away."""
        def runs():
            try:
                self.server.start_one(name)
                return True
            except PROGRAM.Failure:
                return False
        until(runs, f"{name} to run", 120, every_s=0.5)

    def join_and_leave(self, rng):
        """A third member of the groups comes every two seconds, and goes: in order, or not."""
        while not self.ended.wait(JOINS_EVERY_S):
            name = f"{rng.choice(('gamification', 'workout'))}-3"
            self.bring_back(name)
            self.counts["joins"] += 1
            self.ended.wait(JOINS_EVERY_S)
            (self.server.kill_one if rng.random() < 0.5 else self.server.stop_one)(name)

    def flush_redis(self, rng):
        while not self.ended.wait(1 + rng.random() * 3):
            with contextlib.suppress(redis.ConnectionError):  # it is away: forgotten is everything all the same
                self.server.stores.flush_redis()
                self.counts["flushes"] += 1


def restart_servers(rush):
    """The broker, the database and the cache, in the middle of everything; each kept away long enough to be missed.
    Uploads need neither broker nor cache: some are taken while these are away, and after every return."""
    servers = rush.server.servers

    def is_going_on(what):
        before = rush.acknowledged
        until(lambda: rush.acknowledged > before or not rush.is_running, f"an upload {what}", 60)
    for name, end in (("kafka", servers.stop), ("postgres", servers.stop), ("redis", servers.kill), ("kafka", servers.kill)):
        end(name)
        time.sleep(2)
        if name != "postgres":
            is_going_on(f"while {name} is away")
        servers.start(name)
        is_going_on(f"when {name} is back")


def test_boards_equal_the_files_after_a_storm(make_server, rng, capsys):
    """Everything fails while 200 people upload, edit and delete; no acknowledged upload is lost, nothing counts twice."""
    server = make_server({"user.access_token_ttl": "2h"})
    server.expected_errors = ("",)  # a storm is loud; what counts is what is right afterwards
    rush = Rush(server, rng)
    storm = Storm(server, rng.getrandbits(32))

    def disturb(running):
        parts = storm.run_each(storm.kill_processes, storm.join_and_leave, storm.flush_redis)
        restart_servers(running)
        until(lambda: not running.is_running, "everybody to finish", 240)
        storm.ended.set()
        for part in parts:
            part.join()
    rush.run(disturb)
    assert not storm.errors, storm.errors
    with capsys.disabled():
        print(f"\n{rush.summary()}, {storm.counts}")
    assert min(storm.counts.values()) > 0, storm.counts
    for name in server.cluster.ours():
        storm.bring_back(name)
    expected = rush.expected_boards()
    rush.check()

    # Everything again: offsets go back, published events are published once more, and Redis has forgotten.
    server.stop()
    assert server.stores.rewind_offsets(1.0, rng) > 0
    assert server.stores.publish_again("workout", 0.5, rng) > 0
    assert server.stores.publish_again("user", 0.5, rng) > 0
    server.stores.flush_redis()
    server.start()
    check_all(server, rush.people, rush.finishers, expected)
    made = server.ekiden("rebuild", "ranking")
    assert made.returncode == 0, made
    assert not differences(server, rush.people[0], expected)
