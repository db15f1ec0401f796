"""A data folder with many people and workouts, made once through the program's own interface and kept for later runs."""

import datetime
import json
import random
import shutil
import threading
import time

from measure.servers import REPOSITORY, Person, ekiden
from measure.wire import Wire

CONNECTIONS = 16
SPORTS = ("run", "ride", "walk", "hike", "swim")
CACHE = REPOSITORY / "build/bench"
# Passwords are made cheaply: what is measured later is not how the accounts came about.
CHEAP_HASH = {"user.hash_memory_kib": 64, "user.hash_passes": 1}
BEGIN = datetime.datetime(2020, 1, 1, 6, tzinfo=datetime.timezone.utc)


def workout(draw, number):
    """The body of a workout that was entered by hand."""
    elapsed = draw.randint(900, 7200)
    start = BEGIN + datetime.timedelta(hours=draw.randint(0, 24 * 2000), seconds=number)
    return json.dumps({"sport": draw.choice(SPORTS), "start_time": f"{start:%Y-%m-%dT%H:%M:%SZ}", "elapsed_s": elapsed,
                       "moving_s": elapsed - 60, "distance_m": 3 * elapsed, "name": f"Workout {number}"}).encode()


def in_threads(count, work):
    failures = []

    def guarded(i):
        try:
            work(i)
        except Exception as error:  # told below, where it ends the run
            failures.append(error)
    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def fill(address, people, workouts):
    """Registers people and enters their workouts."""
    everybody = [Person(address, i) for i in range(people)]
    in_threads(CONNECTIONS, lambda k: [p.register() for p in everybody[k::CONNECTIONS]])

    def enter(k):
        draw, wire = random.Random(k), Wire(address)
        for number in range(k, workouts, CONNECTIONS):
            person = everybody[number % people]
            status, body = wire.ask(person.request("POST", "/workouts", workout(draw, number), "application/json"))
            if status != 201:
                raise RuntimeError(f"a workout was refused: {status} {body!r}")
        wire.close()
    in_threads(CONNECTIONS, enter)


def settled(address, workouts, timeout_s=3600):
    """Waits until the boards have every workout."""
    deadline, wire = time.monotonic() + timeout_s, Wire(address)
    reader = Person(address, 0).login()
    while True:
        path, total = "/leaderboards/workouts/all/all?limit=200", 0
        while path:
            status, body = wire.ask(reader.request("GET", path))
            page = json.loads(body)
            total += sum(row["score"] for row in page["items"])
            cursor = page["next_cursor"]
            path = f"/leaderboards/workouts/all/all?limit=200&cursor={cursor}" if cursor else None
        if total == workouts:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"the boards have {total} of {workouts} workouts after {timeout_s} s")
        time.sleep(0.5)


def prepared(people, workouts):
    """The data folder of such a community: made at the first call, later found again below build/bench. A server may run
    on it; what comparisons add to it are sessions only."""
    folder = CACHE / f"community-{people}-{workouts}"
    complete = folder / "complete"
    if complete.exists():
        return folder / "data"
    print(f"Making a community of {people:,} people and {workouts:,} workouts in {folder}, once …", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    begun = time.monotonic()
    with ekiden(folder, CHEAP_HASH, core="0-1") as (address, _):
        fill(address, people, workouts)
        written = time.monotonic() - begun
        settled(address, workouts)
    complete.touch()
    print(f"  entered in {written:.0f} s, on the boards {time.monotonic() - begun - written:.0f} s later", flush=True)
    return folder / "data"
