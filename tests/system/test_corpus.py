"""Every real recording through the HTTP interface, held against what independent programs say of it."""

import datetime
import json
import re

import pytest

from harness.client import Person
from harness.files import START, gpx_document, gpx_walk, tcx_run, trkpt, zip_of
from harness.fit import FitFile, fit_run, with_file_id

REFUSED = ("malformed", "no activity")


def number(value):
    return value if isinstance(value, (int, float)) else None


def expected_distance(name, facts):
    """(metres, tolerance) of the file's first activity by CONVENTIONS, or None where nobody knows."""
    if name.startswith("fit/"):
        sessions = facts.get("garmin_fitsdk", {}).get("sessions") or []
        recorded = sessions and number(sessions[0].get("totalDistance"))
        return (recorded, 0.51) if recorded else None
    if name.startswith("tcx/"):
        sums = facts.get("tcx_sums", {}).get("activity") or []
        recorded = sums and number(sums[0].get("distance_m"))
        return (recorded, 0.51) if recorded else None
    lengths = facts.get("length") or {}
    haversine, geodesic = number(lengths.get("haversine_r6371008.8")), number(lengths.get("wgs84_geodesic"))
    if haversine is None:
        return None
    assert geodesic is None or abs(haversine - geodesic) <= 0.0057 * geodesic + 0.01
    return haversine, 0.51


def expected_timer(name, facts):
    """Seconds without pauses, as recorded; at most the elapsed time."""
    if name.startswith("fit/"):
        sessions = facts.get("garmin_fitsdk", {}).get("sessions") or []
        return sessions and number(sessions[0].get("totalTimerTime"))
    if name.startswith("tcx/"):
        sums = facts.get("tcx_sums", {}).get("activity") or []
        return sums and number(sums[0].get("total_time_s"))
    return None


def expected_elapsed(name, facts):
    """Seconds from the first to the last sample: of all samples, or of those that the reference keeps."""
    # In this one two points only mark a pause: the reference takes them for samples.
    if name.startswith("fit/") or "opentracks_pause-resume" in name:
        return []
    first = (facts.get("tcx_sums", {}).get("activity") or [{}])[0]
    times = [datetime.datetime.fromisoformat(first[key].replace("Z", "+00:00")) for key in ("first_time", "last_time") if first.get(key)]
    known = [(times[1] - times[0]).total_seconds()] if len(times) == 2 else []
    derived = number((facts.get("derived") or {}).get("elapsed_s"))
    return known if derived is None else [*known, derived]


def compare(name, facts, workout):
    wrong = []

    def near(what, ours, theirs, tolerance):
        if theirs is not None and (ours is None or abs(ours - theirs) > tolerance):
            wrong.append(f"{name}: {what} is {ours}, expected {theirs} (±{tolerance})")
    distance = expected_distance(name, facts)
    if distance:
        near("distance_m", workout["distance_m"], *distance)
    timer = expected_timer(name, facts)
    if timer:
        near("timer_s", workout["timer_s"], min(timer, workout["elapsed_s"]), 1.0)
    elapsed = expected_elapsed(name, facts)
    if elapsed and min(abs(workout["elapsed_s"] - one) for one in elapsed) > 1.0:
        wrong.append(f"{name}: elapsed_s is {workout['elapsed_s']}, expected one of {elapsed}")
    climb = facts.get("climb") or {}
    if name.startswith("gpx/") and "mean5_1m" in climb and workout["elevation_gain_m"] is not None:
        near("elevation_gain_m", workout["elevation_gain_m"], climb["mean5_1m"][0], 0.6)
        near("elevation_loss_m", workout["elevation_loss_m"], climb["mean5_1m"][1], 0.6)
    sane = workout["moving_s"] <= workout["timer_s"] + 0.001 and workout["timer_s"] <= workout["elapsed_s"] + 0.001
    if not sane:
        wrong.append(f"{name}: moving <= timer <= elapsed does not hold: {workout}")
    if workout["distance_m"] == 0 and workout["average_speed_mps"]:
        wrong.append(f"{name}: a speed without a distance")
    return wrong


def says_what_and_where(problem):
    """A refusal is a sentence, and names a line, byte, point, element or entry."""
    text = problem["detail"]
    place = re.search(r"line \d|byte \d|point|element|entry|<\w+>|track|file", text)
    return len(text) > 15 and place is not None and problem["type"].startswith("urn:ekiden:") and problem["status"] in (413, 415, 422)


def check_file(person, name, data, facts):
    sent = person.upload((name.rpartition("/")[2], data))
    if sent.status in (415, 422):
        problem = sent.json
        ok = facts.get("import", "accept").startswith(REFUSED) and says_what_and_where(problem)
        return [] if ok else [f"{name}: refused at once: {problem}"]
    if sent.status not in (200, 202):
        return [f"{name}: {sent}"]
    upload = person.wait_upload(sent.json["id"])
    (file,) = upload["files"]
    rule = facts.get("import", "accept")
    if file["status"] == "failed":
        if file.get("workout_ids"):
            return [f"{name}: failed, and yet there are workouts: {file}"]
        if not says_what_and_where(file["problem"]):
            return [f"{name}: the refusal does not say what and where: {file['problem']}"]
        return [] if rule.startswith(REFUSED) or "refuse as activity or accept" in rule else [f"{name}: {file['problem']}"]
    if rule.startswith("no activity"):
        return [f"{name}: {rule}, but it became {file}"]
    if rule.startswith("malformed"):
        return []
    workout = person.get("/workouts/" + file["workout_ids"][0]).json
    if rule.startswith("degenerate"):
        return [] if (workout["distance_m"], workout["elapsed_s"]) == (0, 0) else [f"{name}: {rule}: {workout}"]
    if rule.startswith("no times"):
        return [] if not workout["ranked"] else [f"{name}: ranked, though it has no times"]
    return compare(name, facts, workout)


def test_every_recording_has_the_figures_that_others_compute(server, activities, capsys):
    """All files of the collection, one upload each by a person of their own; figures within the stated tolerances."""
    if activities is None:
        with capsys.disabled():
            print("\nthe collection of real recordings is absent: only the generated corpus ran; set EKIDEN_ACTIVITIES")
        return
    expected = json.loads((activities / "expected.json").read_text())["files"]
    wrong = []
    for name, facts in sorted(expected.items()):
        person = Person.register(server.address)
        wrong += check_file(person, name, (activities / name).read_bytes(), facts)
        person.client.close()
    assert len(expected) >= 100
    assert not wrong, "\n".join(wrong)


def test_one_activity_in_three_formats_is_one_workout(server, activities, person):
    """The same content again is answered with the same upload; a second format keeps its own honest figures."""
    data = (activities / "tcx/sweatpy_5039744860.tcx").read_bytes() if activities else tcx_run(668, 126)
    first = person.upload(("a.tcx", data))
    assert first.status == 202
    done = person.wait_upload(first.json["id"])
    assert done["status"] == "ready"
    again = person.upload(("b.tcx", data))
    assert again.status == 200 and again.json["id"] == first.json["id"], again


def test_a_triathlon_becomes_a_workout_for_each_leg(person, activities):
    """A FIT file of several sessions is several workouts; transitions belong to the set."""
    if activities is None:
        pytest.skip("the triathlon is a real recording: set EKIDEN_ACTIVITIES")
    upload = person.upload_and_wait(("tri.fit", (activities / "fit/fitparse_triathlon-fr920xt.fit").read_bytes()))
    assert upload["status"] == "ready"
    ids = upload["files"][0]["workout_ids"]
    sports = [person.get("/workouts/" + workout_id).json["sport"] for workout_id in ids]
    assert {"run", "ride"} <= set(sports) and len(ids) in (3, 5), sports


GENERATED = [
    ("steady.gpx", gpx_walk(500), 4500, 1500),
    ("walk.gpx", gpx_walk(500, step_m=4.2, sport="walking"), 2100, 1500),
    ("hill.gpx", gpx_walk(500, climb=lambda i: 100 + i), 4500, 1500),
    ("five.tcx", tcx_run(5000, 1500), 5000, 1500),
    ("laps.tcx", tcx_run(5000, 1500, laps=5), 5000, 1500),
    ("ten.fit", fit_run(10_000, 3000, START), 10_000, 3000),
]


@pytest.mark.parametrize("name, data, distance_m, elapsed_s", GENERATED, ids=[g[0] for g in GENERATED])
def test_generated_files_have_exactly_the_figures_they_were_made_with(person, name, data, distance_m, elapsed_s):
    """The project's own corpus, which runs everywhere."""
    workout = person.upload_one(name, data)
    assert (workout["distance_m"], workout["elapsed_s"]) == (distance_m, elapsed_s)
    assert workout["average_speed_mps"] == pytest.approx(distance_m / elapsed_s, rel=0.001)


def test_a_climb_is_counted_by_the_rule(person):
    """Mean of five, then a metre of hysteresis: 500 steps of a metre up are about 498 m, and nothing down."""
    workout = person.upload_one("hill.gpx", gpx_walk(500, climb=lambda i: 100 + i))
    assert 496 <= workout["elevation_gain_m"] <= 500
    assert workout["elevation_loss_m"] == 0


BROKEN = [
    ("truncated.gpx", gpx_walk(50)[:-30], "xml-not-well-formed"),
    ("planned.gpx", gpx_document([]), "no-track-points"),
    ("nowhere.gpx", gpx_document([trkpt("1.0", "2.0", START), trkpt("north", "2.0", START)]), "invalid-position"),
    ("torn.fit", fit_run(5000, 1500, START)[:-40], "fit-"),
    ("course.fit", with_file_id(START, kind=6).bytes(), "not-an-activity"),
    ("empty.fit", FitFile().bytes(), ""),
]


@pytest.mark.parametrize("name, data, slug", BROKEN, ids=[b[0] for b in BROKEN])
def test_a_broken_file_is_refused_with_what_and_where_and_leaves_nothing(person, name, data, slug):
    """Never half a workout."""
    upload = person.upload_and_wait((name, data))
    (file,) = upload["files"]
    assert upload["status"] == "failed" and file["status"] == "failed" and not file["workout_ids"], upload
    assert slug in file["problem"]["type"] and says_what_and_where(file["problem"]), file
    assert person.items("/workouts") == []


def test_a_zip_of_many_gives_each_file_its_own_result(person):
    """A good one, a broken one and another good one: two workouts and one refusal that names its file."""
    archive = zip_of([("a/one.gpx", gpx_walk(100)), ("b/two.gpx", gpx_walk(50)[:-30]), ("three.tcx", tcx_run(3000, 900))])
    upload = person.upload_and_wait(("many.zip", archive))
    by_name = {file["name"].rpartition("/")[2]: file for file in upload["files"] if not file["name"].endswith(".zip")}
    assert by_name["one.gpx"]["status"] == "ready" and by_name["three.tcx"]["status"] == "ready"
    assert by_name["two.gpx"]["status"] == "failed" and by_name["two.gpx"]["problem"]["detail"]
    assert sorted(w["distance_m"] for w in person.items("/workouts")) == [900, 3000]
