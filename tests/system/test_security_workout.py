"""Hostile requests about workouts: names, ids, cursors, numbers, other people's things, too much of everything."""

import datetime
import json
import uuid

import pytest

from harness.client import Person
from harness.files import START, gpx_walk, tcx_run
from harness.waiting import until


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 4096, "a\rX-Evil: 1", "..", "C:\\x\\y.gpx", "x\";y.gpx"])
def test_a_file_name_is_only_shown(person, name):
    """Never a path, never a header: the original comes back under a harmless name."""
    sent = person.upload((name, gpx_walk(30)))
    if sent.status == 400:
        assert sent.slug == "bad-multipart"
        return
    upload = person.wait_upload(sent.json["id"])
    shown = upload["files"][0]["name"]
    assert "/" not in shown and "\\" not in shown and "\r" not in shown and len(shown) <= 255
    original = person.get(f"/workouts/{upload['files'][0]['workout_ids'][0]}/original")
    assert original.status == 200 and "X-Evil" not in original.headers
    assert original.headers["Content-Disposition"].startswith("attachment") and original.headers["X-Content-Type-Options"] == "nosniff"


def test_the_same_file_the_same_key_another_body(person):
    """Again: 200 with the same id. Same key and body: the first answer. Same key, other body: 422."""
    first = person.upload(("a.gpx", gpx_walk(40)))
    person.wait_upload(first.json["id"])
    again = person.upload(("other name.gpx", gpx_walk(40)))
    assert again.status == 200 and again.json["id"] == first.json["id"], again
    key = {"Idempotency-Key": uuid.uuid4().hex}
    one = person.upload(("b.gpx", gpx_walk(41)), headers=key)
    two = person.upload(("b.gpx", gpx_walk(41)), headers=key)
    assert (one.status, one.body) == (two.status, two.body) and one.status == 202
    other = person.upload(("b.gpx", gpx_walk(42)), headers=key)
    assert (other.status, other.slug) == (422, "idempotency-key-reused"), other
    person.wait_upload(one.json["id"])
    assert len(person.items("/workouts")) == 2


def test_a_deleted_workout_can_be_uploaded_anew(person):
    """Sameness is judged while its workout lives."""
    workout = person.upload_one("a.gpx", gpx_walk(43))
    assert person.delete("/workouts/" + workout["id"]).status == 204

    def accepted():
        # While the old content is being removed, the answer is to try again in a moment.
        answer = person.upload(("a.gpx", gpx_walk(43)))
        assert answer.status in (202, 503), answer
        return answer if answer.status == 202 else None
    upload = person.wait_upload(until(accepted, "the upload to be taken").json["id"])
    assert upload["status"] == "ready" and upload["files"][0]["workout_ids"] != [workout["id"]]


def test_a_private_workout_is_for_others_as_if_it_were_not_there(server, person):
    """404 for every verb, with the same status, body and headers as for an id that never was."""
    mine = person.post("/workouts", {"sport": "run", "start_time": "2024-11-18T06:00:00Z", "elapsed_s": 600, "visibility": "only_me"})
    assert mine.status == 201, mine
    stranger = Person.register(server.address)

    def seen(workout_id, method, suffix="", body=None):
        answer = stranger.request(method, f"/workouts/{workout_id}{suffix}", json_body=body)
        problem = {k: v for k, v in answer.json.items() if k != "instance"}
        headers = sorted(k for k in answer.headers if k.lower() != "date")
        return answer.status, json.dumps(problem).replace(workout_id, "ID"), headers
    for method, suffix, body in [("GET", "", None), ("PATCH", "", {"name": "mine now"}), ("DELETE", "", None), ("GET", "/streams", None),
                                 ("GET", "/laps", None), ("GET", "/splits", None), ("GET", "/original", None), ("GET", "/export.gpx", None)]:
        hidden, absent = seen(mine.json["id"], method, suffix, body), seen(str(uuid.uuid4()), method, suffix, body)
        assert hidden == absent and hidden[0] == 404, (method, suffix, hidden, absent)
    assert person.get("/workouts/" + mine.json["id"]).status == 200


def test_others_may_read_but_not_change_an_open_workout(server, person):
    """Visible to everyone: readable; edits, deletion and the original stay the owner's."""
    workout = person.upload_one("open.gpx", gpx_walk(44), fields=[("visibility", "everyone")])
    stranger = Person.register(server.address)
    path = "/workouts/" + workout["id"]
    assert stranger.get(path).status == 200
    for method, suffix, body in [("PATCH", "", {"name": "mine now"}), ("DELETE", "", None), ("GET", "/original", None)]:
        answer = stranger.request(method, path + suffix, json_body=body)
        assert answer.status in (403, 404), (method, answer)
    assert person.get(path).json["name"] == workout["name"]
    assert stranger.items("/workouts") == [] and stranger.get("/uploads/" + str(uuid.uuid4())).status == 404


QUERIES = ["limit=1000000", "limit=0", "limit=-1", "limit=x", "offset=-1", "sort=password", "cursor=AAAA", "cursor=", "limit=1&limit=2",
           "sport=' OR 1=1--", "from=yesterday"]


@pytest.mark.parametrize("query", QUERIES)
def test_absurd_queries_are_refused(person, query):
    """422 that names the parameter."""
    answer = person.get("/workouts?" + query.replace(" ", "%20").replace("'", "%27"))
    assert answer.status == 422 and answer.json["field"] == query.partition("=")[0], answer


def test_a_cursor_is_sealed(server, person):
    """One bit changed, or taken from another list or person: 422."""
    for i in range(3):
        made = person.post("/workouts", {"sport": "run", "start_time": f"2024-11-1{i}T06:00:00Z", "elapsed_s": 600})
        assert made.status == 201, made
    cursor = person.get("/workouts?limit=1").json["next_cursor"]
    assert person.get(f"/workouts?limit=1&cursor={cursor}").status == 200
    flipped = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    assert person.get(f"/workouts?limit=1&cursor={flipped}").slug == "bad-cursor"
    assert person.get(f"/uploads?limit=1&cursor={cursor}").slug == "bad-cursor"
    assert Person.register(server.address).get(f"/workouts?limit=1&cursor={cursor}").slug == "bad-cursor"
    pages = [w["id"] for w in person.items("/workouts?limit=1")]
    assert len(pages) == len(set(pages)) == 3


@pytest.mark.parametrize("field, value", [("distance_m", -1), ("distance_m", 1e18), ("distance_m", "1"), ("elapsed_s", -5), ("elapsed_s", 1e18),
                                          ("moving_s", -1), ("elevation_gain_m", 1e9), ("calories_kcal", -1), ("sport", "flying"),
                                          ("start_time", "yesterday"), ("start_time", "9999-99-99T00:00:00Z"), ("visibility", "nobody"),
                                          ("gear_ids", ["not an id"]), ("distance_m", 10 ** 30), ("xp", 1)])
def test_hostile_numbers_by_hand_are_refused(person, field, value):
    """422 that names the field; boards unchanged."""
    sound = {"sport": "run", "start_time": "2024-11-18T06:00:00Z", "elapsed_s": 600, "distance_m": 1000}
    answer = person.post("/workouts", {**sound, field: value})
    assert answer.status == 422 and answer.json["field"].startswith(field), answer
    made = person.post("/workouts", sound)
    assert made.status == 201, made
    changed = person.patch("/workouts/" + made.json["id"], {field: value})
    assert changed.status == 422, changed
    assert person.get("/workouts/" + made.json["id"]).json["version"] == 1


def test_a_late_editor_is_told(person):
    """If-Match of an older version: 412, and nothing is lost; without it the last one wins."""
    made = person.post("/workouts", {"sport": "run", "start_time": "2024-11-18T06:00:00Z", "elapsed_s": 600, "name": "one"})
    path, tag = "/workouts/" + made.json["id"], made.headers["ETag"]
    assert person.patch(path, {"name": "two"}, headers={"If-Match": tag}).status == 200
    late = person.patch(path, {"name": "three"}, headers={"If-Match": tag})
    assert (late.status, late.slug) == (412, "version-mismatch")
    read = person.get(path)
    assert read.json["name"] == "two" and read.headers["ETag"] != tag
    assert person.get(path, headers={"If-None-Match": read.headers["ETag"]}).status == 304


@pytest.mark.parametrize("fields", [[("sport", "flying")], [("visibility", "nobody")], [("colour", "red")], [("name", "a‮b")],
                                    [("gear_ids", "not an id")], [("sport", "run"), ("sport", "ride")]])
def test_odd_fields_of_the_upload_form_are_refused(person, fields):
    """422 that names the field; the file is not kept."""
    answer = person.upload(("a.gpx", gpx_walk(10)), fields=fields)
    assert answer.status == 422 and answer.json["field"].startswith(fields[0][0]), answer
    assert person.items("/uploads") == []


def test_a_thousand_files_of_one_form_each_have_their_result(person):
    """Dragging a folder: each file is imported."""
    files = [(f"{i}.gpx", gpx_walk(3, start=START + datetime.timedelta(minutes=i))) for i in range(1000)]
    upload = person.upload_and_wait(*files, timeout_s=120)
    assert upload["status"] == "ready" and upload["progress"] == {"done": 1000, "total": 1000}, upload["progress"]
    assert len({w for f in upload["files"] for w in f["workout_ids"]}) == 1000
    too_many = person.upload(*files, ("one more.gpx", gpx_walk(4)))
    assert too_many.status in (413, 422), too_many.status


def test_uploads_beyond_the_budget_wait(make_server):
    """429 with Retry-After; what was acknowledged is there."""
    server = make_server({"limits.enabled": "true", "limits.upload_burst": 5, "limits.upload_per_s": 0.01})
    person = Person.register(server.address)
    answers = [person.upload((f"{i}.tcx", tcx_run(1000 + i, 400))) for i in range(8)]
    assert [a.status for a in answers] == [202] * 5 + [429] * 3, answers
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert all(person.wait_upload(a.json["id"])["status"] == "ready" for a in answers[:5])


def test_a_body_larger_than_an_upload_may_be_is_refused_before_it_is_sent(make_server):
    """413 from the length alone."""
    server = make_server({"workout.upload_bytes_max": 1 << 20})
    person = Person.register(server.address)
    answer = person.upload(("large.gpx", b"<gpx>" + b" " * (2 << 20)))
    assert answer.status == 413, answer
