"""One program in two shapes: the same commands give the same figures and the same boards. What is said to one process is
recorded as HTTP, and said again to a cluster."""

import datetime
import json
import re
import uuid

import pytest

from harness.boards import METRICS, board_of, read
from harness.client import API, Person, multipart
from harness.files import gpx_walk, tcx_run, zip_of
from harness.fit import fit_run
from harness.rush import draw_file, shown_board
from harness.server import Server
from harness.waiting import until

pytestmark = pytest.mark.cluster("a cluster to compare with")

PEOPLE = 5
STEPS = 60
START = datetime.datetime(2024, 11, 18, 7, 0, 0, tzinfo=datetime.timezone.utc)
# What names a run and not what was done.
PRIVATE = ("id", "user_id", "upload_id", "created_at", "updated_at")


def public(shown):
    return {name: value for name, value in shown.items() if name not in PRIVATE}


def differences(wanted, shown):
    """What is not the same, at most ten of it, with the field where there is one."""
    for key, value in wanted.items():
        if value == shown[key]:
            continue
        if isinstance(value, tuple) and isinstance(value[1], dict) and isinstance(shown[key][1], dict):
            yield from ((key, name, one, shown[key][1].get(name)) for name, one in value[1].items() if one != shown[key][1].get(name))
        else:
            yield key, value, shown[key]


def known_people(server):
    with server.stores.opened("workout") as database:
        return database.execute("SELECT COUNT(*) FROM people").fetchone()[0]


class Recorder:
    """Says commands to a server and writes them down: (person, method, path, headers, body). An id in a path is written as
    the number of the workout, since the other server will give it another."""

    def __init__(self, server):
        self.people = [Person.register(server.address, f"Person {i}") for i in range(PEOPLE)]
        # The time zone that a workout gets is that of the person, of whom the service hears by an event.
        until(lambda: known_people(server) >= PEOPLE, "the workout service to know everybody", 60)
        self.workouts = []  # (person, id), in the order in which they were made; ids stay when they are deleted
        self.trace = []

    def say(self, who, method, path, headers=None, body=None):
        self.trace.append((who, method, path, headers, body))
        return self.perform(who, method, path, headers, body)

    def perform(self, who, method, path, headers, body):
        real = re.sub(r"\{(\d+)\}", lambda number: self.workouts[int(number[1])][1], path)
        answer = self.people[who].request(method, real, headers=headers, body=body)
        if path == "/uploads" and answer.status == 202:
            upload = self.people[who].wait_upload(answer.json["id"])
            made = [one for file in upload["files"] for one in file["workout_ids"]]
            known = {one for _, one in self.workouts}
            self.workouts += [(who, one) for one in made if one not in known]
            return (answer.status, upload["status"], [(f["name"], f["status"], f["problem"] and f["problem"].get("type")) for f in upload["files"]])
        return (answer.status, answer.slug)

    def wait(self):
        """Until every event has been applied: the number of workouts on the board is that of those that are there."""
        def applied():
            live = [len([w for w in person.items("/workouts?limit=200") if w["ranked"]]) for person in self.people]
            rows = {row["user_id"]: row["score"] for row in self.board(("workouts", "all", "all"))}
            assert [rows.get(person.id, 0) for person in self.people] == live
            assert all(row["display_name"] for row in self.board(("workouts", "all", "all")))
            return True
        until(applied, "the boards to show every workout", 60, every_s=0.2)

    def board(self, board):
        return shown_board(self.people[0].client, self.people[0].headers, board)

    def projection(self, boards):
        """All that is shown of the workouts and on the boards, without what names this run."""
        shown = {}
        for number, (who, workout) in enumerate(self.workouts):
            for part in ("", "/streams", "/laps", "/splits"):
                answer = self.people[who].get(f"/workouts/{workout}{part}")
                shown[f"{number}{part}"] = (answer.status, public(answer.json) if answer.status == 200 else answer.slug)
        names = {person.id: i for i, person in enumerate(self.people)}
        for board in boards:
            rows = self.board(board)
            # Equal scores reached at the same moment go by the person's id, which is another in each run.
            shown[board] = sorted((-row["score"], row["reached_at"], names[row["user_id"]]) for row in rows)
            assert [(-row["score"], row["reached_at"]) for row in rows] == [row[:2] for row in shown[board]], board
            assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1)), board
        return shown


def draw_command(rng, recorder, step):
    """One command, as a person would give it; mistakes included."""
    who = rng.randrange(PEOPLE)
    key = {"Idempotency-Key": str(uuid.UUID(int=rng.getrandbits(128), version=4))}
    draw = rng.random()
    if draw < 0.5 or not recorder.workouts:
        at = START + datetime.timedelta(days=rng.randrange(20), seconds=step)
        files = [draw_file(rng, who, step)]
        if draw < 0.06:
            files = [("many.zip", zip_of([("a.gpx", gpx_walk(40 + step, at)), ("b.tcx", tcx_run(4000 + step, 1500, at)), ("c.txt", b"no")]))]
        elif draw < 0.12:
            files = [(f"{step}.fit", fit_run(9000 + step, 2800, at))]
        elif draw < 0.16:
            files = [("broken.gpx", b"<gpx><trk>")]
        body, kind = multipart(files)
        return who, "POST", "/uploads", {**key, "Content-Type": kind}, body
    number = rng.randrange(len(recorder.workouts))
    if rng.random() < 0.9:
        who = recorder.workouts[number][0]  # else: somebody else's
    path = f"/workouts/{{{number}}}"
    if draw < 0.72:
        change = rng.choice([{"sport": "run"}, {"sport": "ride"}, {"sport": "walk"}, {"name": f"Step {step}"}, {"sport": "flying"}])
        return who, "PATCH", path, {"Content-Type": "application/json"}, json.dumps(change).encode()
    if draw < 0.86:
        return who, "DELETE", path, None, None
    return who, "GET", path, None, None


def test_the_same_commands_give_the_same_figures_and_boards(make_server, tmp_path, rng):
    """Uploads of each kind, edits, deletions and mistakes: recorded on one process, said again to a cluster."""
    one = Server(tmp_path / "one").start()
    try:
        first = Recorder(one)
        answers = [first.say(*draw_command(rng, first, step)) for step in range(STEPS)]
        assert len(first.workouts) > 15 and {answer[0] for answer in answers} >= {200, 202, 204, 404}, answers
        first.wait()
        periods = {board[2] for board in board_of([("", read("a.tcx", tcx_run(1000, 400, START + datetime.timedelta(days=day))))
                                                   for day in range(365)])}
        boards = [(metric, sport, period) for metric in METRICS for sport in ("all", "run", "ride", "walk")
                  for period in periods if len(period) < 9 or period == "all"]
        wanted = first.projection(boards)
        assert sum(1 for board in boards if wanted[board]) > 50
    finally:
        one.close()
    assert not one.unexpected_errors(), one.unexpected_errors()[:3]

    cluster = make_server()
    second = Recorder(cluster)
    said = [second.perform(*command) for command in first.trace]
    assert said == answers, [pair for pair in zip(answers, said, strict=True) if pair[0] != pair[1]][:3]
    second.wait()
    shown = second.projection(boards)
    differing = list(differences(wanted, shown))
    assert not differing, differing[:10]
