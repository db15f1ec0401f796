"""What somebody sees who has just started it: an account, three files, their figures, their place on the week's board."""

import datetime
import json

import pytest

from harness.client import Person
from harness.files import gpx_walk, tcx_run
from harness.fit import fit_run
from harness.waiting import until

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
TODAY = NOW.replace(hour=0, minute=0, second=0)
YEAR, WEEK, _ = TODAY.isocalendar()
WEEK_BOARD = f"/leaderboards/distance/run/{YEAR}-W{WEEK:02}"

DOCUMENTED = """
POST /auth/register, POST /auth/login, POST /auth/refresh, POST /auth/logout, GET /me, PATCH /me, DELETE /me,
GET /me/sessions, GET /me/api-keys, POST /me/api-keys, POST /uploads, GET /uploads/{id}, GET /workouts, POST /workouts,
GET /workouts/{id}, PATCH /workouts/{id}, DELETE /workouts/{id}, GET /workouts/{id}/streams, GET /workouts/{id}/laps,
GET /workouts/{id}/splits, GET /workouts/{id}/original, GET /workouts/{id}/export.gpx, GET /workouts/{id}/export.tcx,
GET /leaderboards, GET /leaderboards/{metric}/{sport}/{period}, GET /leaderboards/{metric}/{sport}/{period}/around/{user_id},
GET /me/ranks, GET /system/concurrency
"""


def board_with(person, path, score):
    """The person's row once the board shows this score, and the name, which comes by another topic."""
    def shown():
        rows = [row for row in person.items(path + "?limit=200") if row["user_id"] == person.id]
        return rows[0] if rows and rows[0]["score"] == score and rows[0]["display_name"] else None
    return until(shown, f"a score of {score} on {path}")


def test_a_newcomer_uploads_three_files_and_finds_their_place(server):
    """GPX, TCX and FIT give figures and a place on the week's board, with neighbours and ranks."""
    ann = Person.register(server.address, "Ann Example")
    gpx = ann.upload_one("run.gpx", gpx_walk(300, start=TODAY - datetime.timedelta(days=40)))
    assert gpx["sport"] == "run" and gpx["distance_m"] == 2700 and gpx["elapsed_s"] == 900
    tcx = ann.upload_one("run.tcx", tcx_run(5000, 1500, start=TODAY))
    assert (tcx["distance_m"], tcx["timer_s"], tcx["moving_s"]) == (5000, 1500, 1500)
    fit = ann.upload_one("run.fit", fit_run(10_000, 3000, TODAY + datetime.timedelta(seconds=1)))
    assert (fit["distance_m"], fit["timer_s"]) == (10_000, 3000)
    for workout in (gpx, tcx, fit):
        assert workout["user_id"] == ann.id and workout["version"] == 1 and workout["ranked"], workout
    row = board_with(ann, WEEK_BOARD, 15_000)
    assert row["display_name"] == "Ann Example" and row["rank"] >= 1
    around = ann.get(WEEK_BOARD + "/around/me").json
    assert around["rank"] == row["rank"] and any(item["user_id"] == ann.id for item in around["items"])
    assert 0 < around["percentile"] <= 100
    ranks = ann.get("/me/ranks").json["items"]
    mine = [r for r in ranks if (r["metric"], r["sport"], r["period"]) == ("distance", "run", f"{YEAR}-W{WEEK:02}")]
    assert mine and mine[0]["score"] == 15_000 and mine[0]["rank"] == row["rank"]


def test_best_efforts_splits_laps_and_streams_of_an_upload(person):
    """A steady run of 3 m/s has the best efforts and splits that arithmetic gives."""
    workout = person.upload_one("run.gpx", gpx_walk(1010, step_m=9.0, step_s=3))
    efforts = {e["distance_m"]: e for e in workout["best_efforts"]}
    for distance in (400, 1000, 1609.344, 5000):
        assert efforts[distance]["elapsed_s"] == pytest.approx(distance / 3, abs=0.1)
    splits = person.get(f"/workouts/{workout['id']}/splits").json
    assert [round(split["elapsed_s"]) for split in splits["km"]] == [333] * 9 + [30]
    assert [round(split["elapsed_s"]) for split in splits["mile"][:5]] == [536] * 5
    streams = person.get(f"/workouts/{workout['id']}/streams?types=time_s,distance_m,latlng&resolution=full").json
    columns = streams.get("streams", streams)
    assert len(columns["time_s"]) == 1011 and columns["time_s"][-1] == 3030
    assert columns["distance_m"][-1] == pytest.approx(9090, abs=1)
    low = person.get(f"/workouts/{workout['id']}/streams?types=time_s&resolution=low").json
    assert len(low.get("streams", low)["time_s"]) < 1011


def test_the_original_comes_back_and_exports_are_read_by_another_program(person):
    """The original is byte for byte what was sent; the exported GPX is the same way in gpxpy."""
    gpxpy = pytest.importorskip("gpxpy")
    data = gpx_walk(200)
    workout = person.upload_one("way.gpx", data)
    original = person.get(f"/workouts/{workout['id']}/original")
    assert original.status == 200 and original.body == data
    assert "attachment" in original.headers["Content-Disposition"]
    exported = person.get(f"/workouts/{workout['id']}/export.gpx")
    assert exported.status == 200
    parsed = gpxpy.parse(exported.body.decode())
    assert parsed.get_track_points_no() == 201
    assert parsed.length_2d() == pytest.approx(1800, rel=0.01)
    tcx = person.get(f"/workouts/{workout['id']}/export.tcx")
    assert tcx.status == 200 and b"TrainingCenterDatabase" in tcx.body
    again = Person.register(person.client.address)
    assert again.upload_one("again.tcx", tcx.body)["distance_m"] == pytest.approx(workout["distance_m"], abs=2)
    assert again.upload_one("again.gpx", exported.body)["distance_m"] == pytest.approx(workout["distance_m"], abs=2)


def test_a_workout_by_hand_counts_and_deleting_takes_it_back(server):
    """Without a file: entered, ranked, edited, deleted; the board follows each time."""
    bob = Person.register(server.address, "Bob")
    start = (TODAY - datetime.timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = bob.post("/workouts", {"sport": "ride", "start_time": start, "elapsed_s": 3600, "moving_s": 3000,
                                  "distance_m": 25_000, "name": "To the sea"})
    assert made.status == 201, made
    board = "/leaderboards/distance/ride/all"
    board_with(bob, board, 25_000)
    path = "/workouts/" + made.json["id"]
    changed = bob.patch(path, {"distance_m": 30_000})
    assert changed.status == 200 and changed.json["version"] == 2, changed
    board_with(bob, board, 30_000)
    assert bob.delete(path).status == 204
    until(lambda: all(row["user_id"] != bob.id for row in bob.items(board)), "the board without Bob")
    assert bob.get(path).status == 404


def test_an_api_key_uploads_and_does_nothing_else(server):
    """A key with the scope uploads:write is good for uploads only; deleted, it is good for nothing."""
    cleo = Person.register(server.address, "Cleo")
    made = cleo.post("/me/api-keys", {"name": "watch", "scopes": ["uploads:write"]})
    assert made.status == 201, made
    key = {"Authorization": "Bearer " + made.json["key"]}
    sent = cleo.upload(("run.tcx", tcx_run(1000, 400)), headers=key)
    assert sent.status == 202, sent
    assert cleo.wait_upload(sent.json["id"])["status"] == "ready"
    refused = cleo.get("/me", headers=key)
    assert refused.status == 403 and refused.slug == "scope-missing"
    assert [k["name"] for k in cleo.get("/me/api-keys").json["items"]] == ["watch"]


def test_the_openapi_document_lists_every_documented_call(client):
    """It is JSON of OpenAPI 3.1, every reference in it resolves, and it has the calls that outside programs use."""
    answer = client.get("/api/v1/openapi.json")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("application/json")
    document = json.loads(answer.body)
    assert document["openapi"].startswith("3.1")
    listed = {f"{verb.upper()} {path.removeprefix('/api/v1')}" for path, calls in document["paths"].items() for verb in calls}
    wanted = {call.strip() for call in DOCUMENTED.replace("\n", " ").split(",") if call.strip()}
    assert not wanted - listed
    ids = [call["operationId"] for calls in document["paths"].values() for call in calls.values()]
    assert len(ids) == len(set(ids))
    assert not [path for path in document["paths"] if path.startswith("/internal")]

    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if "$ref" in node else [])
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)
    for reference in references(document):
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_every_listed_call_without_parameters_exists(client):
    """A GET of the document is never answered by 'there is nothing here'."""
    document = client.get("/api/v1/openapi.json").json
    for path, calls in document["paths"].items():
        if "get" in calls and "{" not in path:
            answer = client.get(path)
            assert answer.status not in (404, 405, 500, 501), (path, answer)


@pytest.mark.parametrize("path, word", [("/", b"What runs here"), ("/api", b"/api/v1/uploads")])
def test_the_pages_are_served_and_run_nothing(client, path, word):
    """The start page and the browsable interface are HTML under a policy that allows no script."""
    answer = client.get(path)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert word in answer.body
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("query", ["", "?limit=1", "?limit=7", "?limit=50", "?limit=99", "?limit=0", "?limit=007", "?limit=-1",
                                   "?limit=x", "?limit=", "?limit=1&limit=2", "?limit=200", "?limit=201"])
@pytest.mark.parametrize("path", ["", "/around/me"])
def test_a_rank_read_answers_the_same_on_both_ways(person, path, query):
    """What is answered on the gateway's loop, and what takes a thread because it names a deadline."""
    person.upload_one("a.gpx", gpx_walk(20))
    board = "/leaderboards/distance/run/all" + path + query
    until(lambda: person.get("/leaderboards/distance/run/all/around/me").json["items"], "the board")
    quick, slow = person.get(board), person.get(board, headers={"Ekiden-Timeout-Ms": "5000"})
    told = [(one.status, one.slug, one.json.get("items")) for one in (quick, slow)]
    assert told[0] == told[1], told
