"""Things that break: full disks, kills in the middle of writing, poison, slow consumers, an orderly and a rude end."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time
import uuid

import pytest

from harness.client import API, Client, Person, multipart
from harness.files import START, gpx_walk, tcx_run
from harness.raw import read_answer
from harness.waiting import until

BOARD = "/leaderboards/distance/run/all"
NO_ANSWER = (OSError, http.client.HTTPException)


def score_of(viewer, user_id, board=BOARD):
    """Of a row that is whole: the name comes by another topic."""
    rows = [row for row in viewer.items(board + "?limit=200") if row["user_id"] == user_id and row["display_name"]]
    return rows[0]["score"] if rows else None


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own, of 24 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"NOT TESTED: a full disk needs the right to mount a tmpfs: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.one_process("a data folder of its own")
def test_a_full_disk_refuses_writes_keeps_reading_and_recovers(make_server, small_disk):
    """507 for what cannot be kept; reads go on; once there is room again, so do uploads; nothing acknowledged is lost."""
    server = make_server(start=False)
    server.expected_errors = ("full", "space", "SQLITE", "I/O", "disk")
    server.data = small_disk / "data"
    server.start()
    person = Person.register(server.address)
    first = person.upload_one("first.gpx", gpx_walk(50))
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as out:  # a buffer would be written again at the end, and fail there
        try:
            while True:
                out.write(os.urandom(1 << 16))
        except OSError:
            pass
    statuses = []
    for i in range(20):
        answer = person.upload((f"{i}.gpx", gpx_walk(3000, start=START, latitude=i)))
        statuses.append(answer.status)
        if answer.status == 507:
            assert answer.slug == "storage-full", answer
    assert 507 in statuses and set(statuses) <= {202, 503, 507}, statuses
    assert person.get("/workouts/" + first["id"]).status == 200
    assert server.is_healthy()
    filler.unlink()
    until(lambda: person.upload(("later.tcx", tcx_run(1234, 400))).status in (200, 202), "uploads after room was made", 30, every_s=0.2)
    until(lambda: 1234 in [w["distance_m"] for w in person.items("/workouts")], "the later workout", 30)
    assert server.ekiden("audit").returncode == 0


@pytest.mark.one_process("one process to stop")
def test_sigterm_lets_what_is_in_work_finish_and_takes_nothing_new(make_server):
    """An upload that is half sent is finished and answered; new connections are refused; the end comes in time, with 0."""
    server = make_server()
    person = Person.register(server.address)
    body, content_type = multipart([("slow.gpx", gpx_walk(400))])
    head = (f"POST {API}/uploads HTTP/1.1\r\nHost: localhost\r\nAuthorization: {person.headers['Authorization']}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    person.client.close()
    with socket.create_connection(server.address) as connection:
        connection.sendall(head + body[:1000])
        # Answered in order: once this is served, the upload's head has been read as well.
        until(server.is_healthy, "the server to have read the head")
        begun = time.monotonic()
        os.kill(server.pid, 15)

        def refuses():
            try:
                socket.create_connection(server.address, timeout=1).close()
                return False
            except OSError:
                return True
        until(refuses, "new connections to be refused", 10)
        connection.sendall(body[1000:])
        answer = read_answer(connection, timeout_s=15)
    assert answer.status == 202 and answer.closed, answer
    assert answer.headers.get("connection", "").lower() == "close"
    assert server.process.wait(timeout=25) == 0 and time.monotonic() - begun < 22
    server.process = None
    server.start()
    upload = person.wait_upload(json.loads(answer.body)["id"])
    assert upload["status"] == "ready"


def test_a_restart_keeps_everything(make_server):
    """Accounts, sessions, uploads, workouts, boards, keys: the same before and after, also after kill -9."""
    server = make_server()
    person = Person.register(server.address, "Lou")
    workout = person.upload_one("a.gpx", gpx_walk(100))
    key = person.post("/me/api-keys", {"name": "watch", "scopes": ["workouts:read"]}).json["key"]
    until(lambda: score_of(person, person.id) == 900, "the score")

    def seen():
        paths = ["/me", "/workouts", "/workouts/" + workout["id"], f"/workouts/{workout['id']}/streams", "/uploads", BOARD, "/me/sessions"]
        return [re.sub(r'"(used_at|expires_at)":"[^"]*"', "", person.get(path).body.decode()) for path in paths]
    before = seen()
    for end in (server.stop, server.kill):
        end()
        server.start()
        until(lambda: score_of(person, person.id) == 900, "the score after a restart")
        assert seen() == before
    assert person.client.post(API + "/auth/refresh", {"refresh_token": person.tokens["refresh_token"]}).status == 200
    assert person.get("/workouts", headers={"Authorization": "Bearer " + key}).status == 200


@pytest.mark.one_process("flushes of its own")
@pytest.mark.parametrize("when", [3, 4, 6, 9, 14, 20, 30, 45])
def test_killed_at_the_nth_flush_nothing_acknowledged_is_lost(make_server, when):
    """SIGKILL inside fdatasync: after a restart every answer that was given is true, without a manual step."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    server = make_server(start=False)
    server.start()
    person = Person.register(server.address)
    server.stop()
    # Counted for each thread by itself: it is the first to reach the number that dies.
    server.wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync",
                      "-e", f"inject=fdatasync,fsync:signal=SIGKILL:when={when}"]
    acknowledged = []
    try:
        server.start()
        for i in range(60):
            sent = person.upload((f"{i}.tcx", tcx_run(1000 + i, 400)))
            if sent.status == 202:
                acknowledged.append((1000 + i, sent.json["id"]))
    except (RuntimeError, *NO_ANSWER):
        pass
    code = server.process.wait(timeout=20)
    assert code != 0, "it was not killed: fewer flushes than thought"
    server.process, server.wrapper = None, []
    server.start()
    for _, upload_id in acknowledged:
        assert person.wait_upload(upload_id)["status"] == "ready"
    distances = {w["distance_m"] for w in person.items("/workouts?limit=200")}
    assert {distance for distance, _ in acknowledged} <= distances

    def board_is_right():
        # An upload that was durable without an answer may still be on its way.
        total = sum(w["distance_m"] for w in person.items("/workouts?limit=200"))
        score = score_of(person, person.id) or 0
        assert score == total, (score, total)
        return True
    until(board_is_right, "the board")
    audit = server.ekiden("audit")
    assert audit.returncode == 0, audit


def dead_letters(server, *arguments):
    made = server.ekiden("dlq", *arguments)
    assert made.returncode == 0, made
    return made.stdout


WORKOUTS_READERS = ["gamification.boards", "inventory.gear"]  # sorted
POISON = {
    "bad JSON": b'{"workout_id": ',
    "wrong shape": b'{"hello": "world"}',
    "a date that is none": None,
}


@pytest.mark.parametrize("case", POISON)
def test_poison_is_a_dead_letter_once_and_what_comes_later_is_applied(make_server, rng, case):
    """It lies in the dead letters with its reason; the same person's and everybody's later events are applied;
    delivered again it is not given up twice; a replay of what is still bad dies again."""
    server = make_server()
    server.expected_errors = ("dead", "poison", "bad-json", "bad-envelope")
    ann, ben = Person.register(server.address, "Ann"), Person.register(server.address, "Ben")
    ann.upload_one("a.tcx", tcx_run(1000, 400))
    until(lambda: score_of(ann, ann.id) == 1000, "Ann's first score")
    assert server.stop() == 0
    data, workout_id = POISON[case], str(uuid.uuid4())
    if data is None:
        with server.stores.opened("workout") as database:
            (good,) = database.execute("SELECT data FROM outbox WHERE type = 'workout.recorded' LIMIT 1").fetchone()
        state = json.loads(good)
        data = json.dumps({**state, "workout_id": workout_id, "local_date": "the day after tomorrow"}).encode()
    sent = server.stores.append_to_outbox("workout", "workouts", ann.id, "workout.recorded", workout_id, 1, data)
    server.start()
    ann.upload_one("b.tcx", tcx_run(2000, 800))
    ben.upload_one("c.tcx", tcx_run(3000, 900))
    until(lambda: score_of(ann, ann.id) == 3000, "what came after the poison for the same person")
    until(lambda: score_of(ann, ben.id) == 3000, "what came after the poison for somebody else")

    def letters():
        """(event, reader) of each dead letter, sorted."""
        lines = [line.split() for line in dead_letters(server, "list").splitlines() if " workouts " in line]
        return sorted((words[0], words[3]) for words in lines)

    listed = until(lambda: len(letters()) >= len(WORKOUTS_READERS) and letters(), "the dead letter of each reader")
    # What cannot be read has no id that could be believed: it goes by one made of its bytes.
    event = listed[0][0]
    assert event == sent or case == "bad JSON"
    once = [(event, reader) for reader in WORKOUTS_READERS]
    assert listed == once
    shown = dead_letters(server, "show", event)
    assert event in shown and data.decode() in shown
    # Delivered again: known already.
    assert server.stop() == 0
    server.stores.rewind_offsets(1.0, rng)
    server.start()
    ben.upload_one("d.tcx", tcx_run(500, 200))
    until(lambda: score_of(ben, ben.id) == 3500, "what came after the redelivery")
    assert letters() == once
    # Still bad: it dies again. Given up by an operator: it stays where it is.
    dead_letters(server, "replay", event)
    until(lambda: letters() == sorted(2 * once), "a second death by each reader")
    dead_letters(server, "replay", event, "--discard")
    ann.upload_one("e.tcx", tcx_run(700, 300))
    until(lambda: score_of(ann, ann.id) == 3700, "what came after the replay")
    assert "there is no dead letter" in server.ekiden("dlq", "show", str(uuid.uuid4())).stderr


def test_a_slow_consumer_loses_nothing_and_holds_nobody_up(make_server):
    """Its database is locked for longer than a session lasts: uploads go on, then everything is applied, once."""
    server = make_server()
    server.expected_errors = ("gamification", "boards", "locked", "busy")
    person = Person.register(server.address)
    person.upload_one("first.tcx", tcx_run(100, 60))
    until(lambda: score_of(person, person.id) == 100, "the first score")
    with server.stores.locked("gamification"):
        begun = time.monotonic()
        sent = 0
        while time.monotonic() - begun < 12 or sent < 20:
            sent += 1
            took = time.monotonic()
            assert person.upload_one(f"{sent}.tcx", tcx_run(1000 + sent, 500))["ranked"]
            assert time.monotonic() - took < 5, "an upload waited for the boards"
            assert score_of(person, person.id) == 100
            until(server.is_healthy, "an answer", 1, every_s=0.2)
            time.sleep(0.3)
    expected = 100 + sum(1000 + i for i in range(1, sent + 1))
    until(lambda: score_of(person, person.id) == expected, "everything applied", 60)
    audit = server.ekiden("audit")
    assert audit.returncode == 0, audit
    assert "\n0 dead letters" in "\n" + dead_letters(server, "list")


def test_two_hundred_connections_at_once_leave_nothing_open(make_server):
    """Descriptors and threads go back to where they were once the clients have gone."""
    server = make_server()
    person = Person.register(server.address)
    person.client.close()

    def count(what):
        return len(os.listdir(f"/proc/{server.pid}/{what}"))
    until(server.is_healthy, "an answer")
    before = count("fd"), count("task")
    clients = [Client(server.address) for _ in range(200)]
    for client in clients:
        assert client.get(API + "/leaderboards", headers=person.headers).status == 200
    # Some that were counted before may have ended meanwhile: a health check, a connection to a service.
    assert count("fd") >= before[0] + 190
    for client in clients:
        client.close()
    # A gateway of a cluster keeps some connections to services for the next requests; its client of Kafka begins threads
    # as it needs them.
    kept = 0 if len(server.processes) == 1 else 16
    until(lambda: count("fd") <= before[0] + 5 + kept, "descriptors to be closed", 10)
    assert count("task") <= before[1] + 2 + kept // 2
