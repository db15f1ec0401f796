"""Each service on its own concurrency model: what is slow in one of them delays nobody else."""

import http.client
import re
import shutil
import statistics
import threading
import time
import uuid

import pytest

from harness.client import API, Client, Person
from harness.files import gpx_document, gpx_walk
from harness.waiting import until

LOGIN = API + "/auth/login"


class Prober:
    """Asks /healthz and another service's list the whole time, and remembers how long each took."""

    def __init__(self, server, person):
        self.server = server
        self.headers = dict(person.headers)
        self.times = {"/healthz": [], API + "/leaderboards": []}
        self.failures = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        client = Client(self.server.address, timeout_s=10)
        while not self.stop.is_set():
            for path, times in self.times.items():
                begun = time.perf_counter()
                try:
                    answer = client.get(path, headers=self.headers)
                    if answer.status != 200:
                        self.failures.append((path, answer))
                except (OSError, http.client.HTTPException) as error:
                    self.failures.append((path, error))
                times.append(time.perf_counter() - begun)
            time.sleep(0.005)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def check(self, median_s=0.1):
        assert not self.failures, self.failures[:3]
        for path, times in self.times.items():
            assert len(times) >= 10 and statistics.median(times) < median_s, (path, statistics.median(times))


def in_threads(count, work):
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_a_flood_of_slow_hashes_delays_nobody_else(make_server):
    """Passwords that take long: the health check and the boards answer as before."""
    server = make_server({"user.hash_memory_kib": 64 * 1024, "user.hash_passes": 6})
    person = Person.register(server.address)

    def flood(_):
        client = Client(server.address)
        for _ in range(4):
            answer = client.post(LOGIN, {"email": f"{uuid.uuid4().hex}@example.org", "password": "wrong password"})
            assert answer.status in (401, 503, 504), answer
    with Prober(server, person) as prober:
        for thread in in_threads(12, flood):
            thread.join()
    prober.check()


def large_gpx(megabytes):
    """A recording that is really that large, with times and positions."""
    points, size = [], 0
    i = 0
    while size < megabytes << 20:
        point = (f'<trkpt lat="{10 + i * 1e-5:.6f}" lon="20.000000"><ele>{100 + i % 50}.0</ele>'
                 f"<time>2024-11-{1 + i // 86400:02}T{i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02}Z</time></trkpt>")
        points.append(point)
        size += len(point) + 1
        i += 1
    return gpx_document(points, sport="cycling"), len(points)


def test_an_upload_of_100_mb_delays_nobody_else_and_is_parsed_off_the_loops(make_server, admin_of):
    """While it is received, kept and parsed, loops stay quick; the worker pool has done the computing."""
    server = make_server()
    person, admin = Person.register(server.address), admin_of(server)
    data, count = large_gpx(100)
    with Prober(server, person) as prober:
        sent = person.upload(("large.gpx", data))
        assert sent.status == 202, sent
        upload = person.wait_upload(sent.json["id"], timeout_s=120)
    assert upload["status"] == "ready", upload
    assert person.get("/workouts/" + upload["files"][0]["workout_ids"][0]).json["point_count"] == count
    prober.check()
    executors = everywhere(admin.get("/system/concurrency").json, "executors")
    loops = [e for e in executors if e["model"] in ("event_loop", "coroutines")]
    assert loops and all(e["loop_lag_max_us"] < 500_000 for e in loops), loops
    pools = [e for e in executors if e["service"] == "workout" and e["model"] == "worker_pool"]
    assert sum(e["completed"] for e in pools) >= 1, executors


@pytest.mark.one_process("flushes of its own")
def test_a_slow_disk_delays_only_who_writes(make_server):
    """Every flush takes 100 ms more: writes wait for it, the health check and the boards do not."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    slow = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync",
            "-e", "inject=fdatasync,fsync:delay_enter=100000"]
    server = make_server(wrapper=slow)
    person = Person.register(server.address)

    def write(i):
        mine = Person(Client(server.address), person.email, person.password, person.display_name)
        mine.tokens = person.tokens
        for step in range(3):
            sent = mine.upload((f"{i}.gpx", gpx_walk(20 + 10 * i + step)))
            assert sent.status == 202, sent
    with Prober(server, person) as prober:
        begun = time.perf_counter()
        for thread in in_threads(8, write):
            thread.join()
        took = time.perf_counter() - begun
    assert took > 0.3, "the disk was not slow"
    prober.check()
    until(lambda: len(person.items("/workouts")) == 24, "all workouts", 60)


def everywhere(page, what):
    """Of the process that was asked, and of those that it asked."""
    return page[what] + [one for process in page["processes"] for one in process[what]]


def test_the_concurrency_page_shows_every_executor_with_its_bounds(server, admin, person):
    """Administrators see who runs on what; everyone else gets 403."""
    page = admin.get("/system/concurrency")
    assert page.status == 200, page
    models = {s["name"]: s["model"] for s in page.json["services"]}
    assert {"gateway", "user", "workout", "gamification"} <= set(models)
    assert "thread" in models["user"] and "coroutine" in models["workout"] and "loop" in models["gateway"]
    executors = everywhere(page.json, "executors")
    assert {"gateway", "user", "workout", "gamification"} <= {e["service"].split(".")[0] for e in executors}
    for executor in executors:
        bounded = executor["queue_max"] > 0 or executor["in_flight_max"] > 0
        assert executor["threads"] >= 1 and bounded, executor
        assert executor["queue_depth"] <= max(executor["queue_max"], executor["queue_depth"] if not executor["queue_max"] else 0)
    assert {e["model"] for e in executors} >= {"thread_pool", "worker_pool"}
    consumers = everywhere(page.json, "consumers")
    assert {c["topic"] for c in consumers} >= {"users", "workouts"}
    refused = person.get("/system/concurrency")
    assert (refused.status, refused.slug) == (403, "not-an-administrator")
    assert Client(server.address).get(API + "/system/concurrency").status == 401


SAMPLE = re.compile(r'^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="(\\.|[^"\\])*",?)*\})? (NaN|[+-]?Inf|[0-9.eE+-]+)( \d+)?$')


def test_metrics_are_prometheus_text(server, person):
    """Every line of every process parses; lag, queues and in-flight work are there; a signed-in member gets 403."""
    shown = set()
    for address in server.processes:
        answer = Client(address).get("/metrics")
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        lines = answer.body.decode().splitlines()
        bad = [line for line in lines if line and not line.startswith("#") and not SAMPLE.match(line)]
        assert not bad, bad[:5]
        typed = {line.split()[2] for line in lines if line.startswith("# TYPE ")}
        names = {re.match(r"[a-zA-Z0-9_:]+", line).group() for line in lines if line and not line.startswith("#")}
        assert all(name in typed or re.sub(r"_(bucket|sum|count|total)$", "", name) in typed for name in names)
        shown |= names
    assert {"ekiden_consumer_lag", "ekiden_queue_depth", "ekiden_inflight"} <= shown, sorted(shown)
    assert person.client.get("/metrics", headers=person.headers).status == 403
