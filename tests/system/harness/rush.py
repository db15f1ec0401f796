"""Many people who finish at the same time: what each does, what is known to be acknowledged, and what the boards must
then say.

EKIDEN_RUSH_PEOPLE and EKIDEN_RUSH_UPLOADS make it longer or shorter."""

import datetime
import http.client
import os
import random
import threading
import time
import uuid

from harness.boards import board_of, read
from harness.client import API, Client, Person, multipart
from harness.files import gpx_walk, tcx_run
from harness.waiting import until

PEOPLE = int(os.environ.get("EKIDEN_RUSH_PEOPLE", 200))
UPLOADS = int(os.environ.get("EKIDEN_RUSH_UPLOADS", 3))
PATIENCE_S = 240
NO_ANSWER = (OSError, http.client.HTTPException)
RUSH_DAY = datetime.datetime(2024, 11, 18, 7, 0, 0, tzinfo=datetime.timezone.utc)


def draw_file(rng, number, step):
    """(name, bytes) of an activity with exactly known figures; no two of one person are alike."""
    start = RUSH_DAY + datetime.timedelta(days=step * 9 % 45, seconds=rng.randrange(4 * 3600))
    if rng.random() < 0.5:
        sport = rng.choice(["running", "cycling", "walking"])
        step_m = {"running": 9, "cycling": 15, "walking": 4.2}[sport]
        slope = rng.choice([0, 1, 2])
        heights = None if slope == 0 else lambda i: 50 + slope * (i % 40)
        return f"{number}-{step}.gpx", gpx_walk(rng.randrange(60, 300), start, step_m, 3, sport, latitude=5 + number / 10, climb=heights)
    distance = rng.randrange(800, 12_000)
    return f"{number}-{step}.tcx", tcx_run(distance, distance // rng.randrange(2, 5), start, rng.choice(["Running", "Biking"]))


class Finisher:
    """One person's morning. Every call is repeated until an answer comes; what was acknowledged is remembered."""

    def __init__(self, gateways, person, number, seed, stop_at, uploads, ended):
        self.gateways = gateways
        self.person = person
        self.number = number
        self.rng = random.Random(f"{seed}:{number}")
        self.stop_at = stop_at
        self.uploads = uploads
        self.ended = ended
        self.live = {}       # workout id -> (name, bytes, sport that counts)
        self.acknowledged = 0
        self.retries = 0
        self.error = None

    def call(self, method, path, **kwargs):
        """(answer, whether an earlier attempt may have had its effect)."""
        unsure = False
        while time.monotonic() < self.stop_at:
            try:
                answer = self.person.request(method, path, **kwargs)
            except NO_ANSWER:
                unsure = True
                self.retries += 1
                # Another door, where there is one.
                self.person.client.address = self.gateways[self.retries % len(self.gateways)]
                time.sleep(0.02)
                continue
            if answer.status in (502, 503, 504) or (answer.status == 409 and "flight" in (answer.slug or "")):
                unsure = unsure or answer.status == 504
                time.sleep(0.05)
                continue
            return answer, unsure
        raise AssertionError(f"{method} {path} got no good answer in time")

    def upload(self, name, data):
        key = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        body, content_type = multipart([(name, data)])
        answer, _ = self.call("POST", "/uploads", body=body, headers={"Content-Type": content_type, "Idempotency-Key": key})
        assert answer.status == 202, answer
        self.acknowledged += 1
        again, _ = self.call("POST", "/uploads", body=body, headers={"Content-Type": content_type, "Idempotency-Key": key})
        assert (again.status, again.body) == (202, answer.body), (answer, again)
        return answer.json["id"]

    def wait(self, upload_id):
        while True:
            answer, _ = self.call("GET", "/uploads/" + upload_id)
            assert answer.status == 200, f"an acknowledged upload is lost: {answer}"
            if answer.json["status"] in ("ready", "failed", "duplicate"):
                assert answer.json["status"] == "ready", answer
                return answer.json["files"][0]["workout_ids"][0]
            time.sleep(0.05)

    def edit(self, workout_id):
        sport = self.rng.choice(["run", "ride", "walk"])
        body = {"sport": sport} if self.rng.random() < 0.7 else {"name": f"Edited by {self.number}"}
        answer, _ = self.call("PATCH", "/workouts/" + workout_id, json_body=body)
        assert answer.status == 200, answer
        if "sport" in body:
            name, data, _ = self.live[workout_id]
            self.live[workout_id] = (name, data, sport)

    def remove(self, workout_id):
        answer, unsure = self.call("DELETE", "/workouts/" + workout_id)
        assert answer.status == 204 or (unsure and answer.status == 404), answer
        del self.live[workout_id]

    def run(self):
        try:
            for step in range(self.uploads):
                if self.ended.is_set():
                    break
                name, data = draw_file(self.rng, self.number, step)
                workout_id = self.wait(self.upload(name, data))
                self.live[workout_id] = (name, data, None)
                draw = self.rng.random()
                if draw < 0.35:
                    self.edit(workout_id)
                elif draw < 0.55:
                    self.remove(self.rng.choice(sorted(self.live)))
        except Exception as error:
            self.error = error
        finally:
            self.person.client.close()


def register_all(server, count):
    people = [None] * count

    def some(first):
        for i in range(first, count, 8):
            people[i] = Person.register(server.address, f"Finisher {i:04}")
    threads = [threading.Thread(target=some, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(people)
    return people


def shown_board(client, headers, board):
    rows, cursor = [], None
    while True:
        path = f"{API}/leaderboards/{'/'.join(board)}?limit=200" + (f"&cursor={cursor}" if cursor else "")
        answer = client.get(path, headers=headers)
        assert answer.status == 200, answer
        rows += answer.json["items"]
        cursor = answer.json["next_cursor"]
        if cursor is None:
            return rows


def as_shown(rows):
    return [(rank, user, score, reached.replace(tzinfo=None)) for rank, (user, score, reached) in enumerate(rows, 1)]


def parse_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None)


def differences(server, person, expected):
    """Boards that do not show what the files say; all boards, row by row, in order."""
    client, wrong = Client(server.address), []
    for board, rows in expected.items():
        shown = [(r["rank"], r["user_id"], r["score"], parse_time(r["reached_at"])) for r in shown_board(client, person.headers, board)]
        if shown != as_shown(rows):
            pairs = [(a, b) for a, b in zip(shown, as_shown(rows)) if a != b][:2]
            wrong.append((board, len(shown), len(rows), pairs))
    client.close()
    return wrong


def audit(server):
    made = server.ekiden("audit", timeout_s=120)
    return made.returncode, made.stdout + made.stderr


def check_all(server, people, finishers, expected):
    def boards_are_right():
        wrong = differences(server, people[0], expected)
        assert not wrong, f"{len(wrong)} of {len(expected)} boards differ (board, rows shown, rows expected, first pairs): {wrong[:2]}"
        return True
    until(boards_are_right, "boards that equal the files", timeout_s=60, every_s=0.5)
    code, text = audit(server)
    assert code == 0, text
    for finisher in finishers:
        listed = {w["id"] for w in finisher.person.items("/workouts?limit=200")}
        assert listed == set(finisher.live), "accepted workouts and workouts that are there differ"



class Rush:
    """`people` finishers on their threads. `disturb` is called once they run; it returns when it has done its worst.
    They end after so many `uploads` each, or when `ended` is set."""

    def __init__(self, server, rng, people=PEOPLE, uploads=UPLOADS, patience_s=PATIENCE_S):
        self.server = server
        self.people = register_all(server, people)
        seed = rng.getrandbits(32)
        stop_at = time.monotonic() + patience_s
        self.uploads = uploads
        self.ended = threading.Event()
        self.finishers = [Finisher(server.gateways, person, i, seed, stop_at, uploads, self.ended)
                          for i, person in enumerate(self.people)]
        self.threads = [threading.Thread(target=f.run) for f in self.finishers]
        self.begun = time.monotonic()

    @property
    def acknowledged(self):
        return sum(f.acknowledged for f in self.finishers)

    @property
    def is_running(self):
        return any(thread.is_alive() for thread in self.threads)

    @property
    def progress(self):
        """The share of all uploads that has been acknowledged."""
        return self.acknowledged / (len(self.people) * self.uploads)

    def run(self, disturb):
        for thread in self.threads:
            thread.start()
        try:
            done = disturb(self)
        except BaseException:
            self.ended.set()
            raise
        finally:
            for thread in self.threads:
                thread.join()
        errors = [f.error for f in self.finishers if f.error]
        assert not errors, errors[:3]
        return done

    def summary(self):
        return (f"rush: {len(self.people)} people, {self.acknowledged} uploads, "
                f"{sum(f.retries for f in self.finishers)} retries, {time.monotonic() - self.begun:.1f} s")

    def expected_boards(self):
        """From the files that are there now, and from nothing else."""
        counted = []
        for finisher in self.finishers:
            for name, data, sport in finisher.live.values():
                counted.append((finisher.person.id, read(name, data, sport)))
        return board_of(counted)

    def check(self):
        check_all(self.server, self.people, self.finishers, self.expected_boards())
