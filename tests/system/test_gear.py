"""Gear through the whole program: its life, edits under If-Match, mileage that follows workouts, and a race for one pair."""

import concurrent.futures
import random
import re
import threading
import uuid

import pytest

from harness.client import Client, Person, multipart
from harness.waiting import until

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 500
WORKERS = 8
RACE_WORKOUTS = 64


def enter(person, kind="shoes", name="Blue", **fields):
    made = person.post("/gear", {"kind": kind, "name": name, **fields})
    assert made.status == 201, made
    assert made.headers["ETag"] == '"v1"' and made.headers["Location"].endswith(made.json["id"])
    return made.json["id"]


def record(person, distance_m, gear=(), sport="run", start="2024-11-18T06:00:00Z"):
    made = person.post("/workouts", {"sport": sport, "start_time": start, "elapsed_s": distance_m // 3 + 1, "distance_m": distance_m,
                                     "gear_ids": list(gear)})
    assert made.status == 201, made
    return made.json["id"]


def gear(person, gear_id):
    answer = person.get("/gear/" + gear_id)
    assert answer.status == 200, answer
    return answer.json


def await_distance(person, gear_id, distance_m):
    return until(lambda: (seen := gear(person, gear_id))["distance_m"] == distance_m and seen, f"{distance_m} m")


def edit(person, gear_id, body):
    """Reads and writes until nobody was in between."""
    while True:
        answer = person.patch("/gear/" + gear_id, body, headers={"If-Match": person.get("/gear/" + gear_id).headers["ETag"]})
        if answer.status != 412:
            assert answer.status == 200, answer
            return answer.json


def counted(server, name):
    """The sum of a counter over all processes."""
    texts = [Client(address).get("/metrics").body.decode() for address in server.processes]
    return sum(float(value) for text in texts for value in re.findall(rf"^{name} (\S+)$", text, flags=re.MULTILINE))


def test_the_life_of_a_pair_of_shoes(person):
    """Entered, run in, changed, retired, deleted; its mileage follows the workouts all along."""
    shoes = enter(person, brand="Ekiden", price_minor=12000, currency="EUR", life_distance_m=800_000, start_distance_m=5_000)
    first = record(person, 10_000, [shoes])
    record(person, 7_000, [shoes], start="2024-10-02T06:00:00Z")
    seen = await_distance(person, shoes, 22_000)
    assert seen["workout_count"] == 2 and seen["moving_s"] > 0 and seen["version"] >= 2
    assert seen["share_used"] == pytest.approx(0.0275) and seen["cost_per_km_minor"] == pytest.approx(12000 / 22)
    months = person.items(f"/gear/{shoes}/months?limit=1")
    assert [(m["month"], m["distance_m"]) for m in months] == [("2024-11", 10_000), ("2024-10", 7_000)]
    assert person.patch("/workouts/" + first, {"distance_m": 11_000}).status == 200
    await_distance(person, shoes, 23_000)
    assert person.delete("/workouts/" + first).status == 204
    await_distance(person, shoes, 12_000)
    assert edit(person, shoes, {"retired_on": "2024-12-31"})["retired_on"] == "2024-12-31"
    record(person, 1_000, [shoes])
    await_distance(person, shoes, 13_000)
    gone = person.delete("/gear/" + shoes, headers={"If-Match": person.get("/gear/" + shoes).headers["ETag"]})
    assert gone.status == 204 and person.get("/gear/" + shoes).status == 404
    assert person.items("/gear") == []


def test_an_edit_without_or_with_an_old_version_is_refused(person):
    """428 without If-Match, 412 when late; nothing is changed then."""
    shoes = enter(person)
    assert person.patch("/gear/" + shoes, {"name": "Green"}).status == 428
    assert person.delete("/gear/" + shoes).status == 428
    assert person.patch("/gear/" + shoes, {"name": "Green"}, headers={"If-Match": '"v1"'}).status == 200
    late = person.patch("/gear/" + shoes, {"name": "Black"}, headers={"If-Match": '"v1"'})
    assert (late.status, late.slug) == (412, "version-mismatch"), late
    assert person.patch("/gear/" + shoes, {"name": "Black"}, headers={"If-Match": "*"}).status == 412
    assert gear(person, shoes)["name"] == "Green" and gear(person, shoes)["version"] == 2
    assert person.get("/gear/" + shoes, headers={"If-None-Match": '"v2"'}).status == 304


BAD = [({"kind": "boots"}, "kind"), ({"name": ""}, "name"), ({"name": "x" * 101}, "name"), ({"notes": "a\u202eb"}, "notes"),
       ({"price_minor": -1, "currency": "EUR"}, "price_minor"), ({"price_minor": 1}, "currency"), ({"bought_on": "soon"}, "bought_on"),
       ({"life_distance_m": 10**18}, "life_distance_m"), ({"alert_percents": [0]}, "alert_percents"), ({"size": 44}, "size")]


@pytest.mark.parametrize(("fields", "field"), BAD)
def test_a_wrong_field_is_named(person, fields, field):
    answer = person.post("/gear", {"kind": "shoes", "name": "Blue", **fields})
    assert answer.status == 422 and answer.json["field"] == field, answer


def test_a_workout_that_moves_to_other_shoes_takes_its_distance_along(person):
    blue, green = enter(person), enter(person, name="Green")
    run = record(person, 10_000, [blue])
    await_distance(person, blue, 10_000)
    assert person.patch("/workouts/" + run, {"gear_ids": [green]}).status == 200
    await_distance(person, green, 10_000)
    assert gear(person, blue)["distance_m"] == 0 and gear(person, blue)["workout_count"] == 0


def test_defaults_count_for_workouts_that_name_no_gear(person):
    """From when they are set; what is retired is none any more."""
    shoes = enter(person)
    empty = person.get("/gear/defaults")
    assert empty.status == 200 and empty.json == {"sports": {}, "version": 0}
    assert person.request("PUT", "/gear/defaults", {"sports": {"run": [shoes]}}).status == 428
    made = person.request("PUT", "/gear/defaults", {"sports": {"run": [shoes]}}, headers={"If-Match": empty.headers["ETag"]})
    assert made.status == 200, made
    record(person, 5_000)
    record(person, 9_000, sport="ride")
    await_distance(person, shoes, 5_000)
    edit(person, shoes, {"retired_on": "2024-12-31"})
    left = person.get("/gear/defaults")
    assert left.json["sports"] == {}
    refused = person.request("PUT", "/gear/defaults", {"sports": {"run": [shoes]}}, headers={"If-Match": left.headers["ETag"]})
    assert (refused.status, refused.slug, refused.json["field"]) == (422, "retired-gear", "sports.run"), refused


def test_a_part_has_what_its_bikes_did_while_it_was_mounted(person):
    """Also where the mounting is entered, changed or removed afterwards."""
    red, black, chain = enter(person, "bike", "Red"), enter(person, "bike", "Black"), enter(person, "part", "KMC", component="chain")
    record(person, 10_000, [red], "ride", "2024-11-02T08:00:00Z")
    record(person, 20_000, [black], "ride", "2024-11-05T08:00:00Z")
    await_distance(person, red, 10_000)
    await_distance(person, black, 20_000)
    path = f"/gear/{chain}/mountings"
    first = person.post(path, {"bike_id": red, "mounted_at": "2024-11-01T00:00:00Z", "unmounted_at": "2024-11-04T00:00:00Z"})
    assert first.status == 201 and gear(person, chain)["distance_m"] == 10_000
    overlapping = person.post(path, {"bike_id": black, "mounted_at": "2024-11-03T00:00:00Z"})
    assert (overlapping.status, overlapping.slug) == (409, "overlapping-mounting"), overlapping
    second = person.post(path, {"bike_id": black, "mounted_at": "2024-11-04T00:00:00Z"})
    assert second.status == 201 and gear(person, chain)["distance_m"] == 30_000
    record(person, 3_000, [black], "ride", "2024-11-09T08:00:00Z")
    await_distance(person, chain, 33_000)
    one = f"{path}/{first.json['id']}"
    assert person.patch(one, {"unmounted_at": "2024-11-02T08:00:00Z"}).status == 428
    assert person.patch(one, {"unmounted_at": "2024-11-02T08:00:00Z"}, headers={"If-Match": '"v1"'}).status == 200
    assert gear(person, chain)["distance_m"] == 23_000
    assert person.delete(f"{path}/{second.json['id']}", headers={"If-Match": '"v1"'}).status == 204
    assert gear(person, chain)["distance_m"] == 0 and len(person.items(path)) == 1
    bound = person.delete("/gear/" + red, headers={"If-Match": person.get("/gear/" + red).headers["ETag"]})
    assert (bound.status, bound.slug) == (409, "has-mountings"), bound


def test_what_is_due_comes_first(person):
    """Sorted by the share of the expected life that is used."""
    fresh, worn = enter(person, name="Fresh", life_distance_m=100_000), enter(person, name="Worn", life_distance_m=10_000)
    enter(person, name="Eternal")
    record(person, 9_000, [fresh, worn])
    await_distance(person, fresh, 9_000)
    await_distance(person, worn, 9_000)
    due = person.items("/gear/due?limit=1")
    assert [(d["id"], d["due"], d["distance_left_m"]) for d in due] == [(worn, True, 1_000), (fresh, False, 91_000)]


def worn_events(server, gear_id):
    """The shares that the outbox tells of a piece."""
    with server.stores.opened("inventory") as database:
        rows = database.execute("SELECT data FROM outbox WHERE type = 'gear.worn' AND subject = ? ORDER BY position", (gear_id,)).fetchall()
    return [int(re.search(rb'"share_percent":(\d+)', bytes(data)).group(1)) for (data,) in rows]


def test_worn_gear_is_told_once_for_each_share(make_server):
    """Not again after it was taken back; anew where the limit changes."""
    server = make_server()
    person = Person.register(server.address)
    shoes = enter(person, life_distance_m=10_000)
    run = record(person, 8_500, [shoes])
    until(lambda: worn_events(server, shoes) == [80], "the first share")
    assert person.delete("/workouts/" + run).status == 204
    await_distance(person, shoes, 0)
    record(person, 9_000, [shoes])
    await_distance(person, shoes, 9_000)
    assert worn_events(server, shoes) == [80]
    edit(person, shoes, {"life_distance_m": 9_000})
    assert worn_events(server, shoes) == [80, 100]


def send_photo(person, gear_id, data, name="../../x.png"):
    body, content_type = multipart([(name, data)])
    return person.request("PUT", f"/gear/{gear_id}/photo", body=body, headers={"Content-Type": content_type})


def test_a_photo_is_what_its_bytes_say(person):
    """JPEG, PNG or WebP, at most 8 MiB; any name; shown as what it is, to its owner."""
    shoes = enter(person)
    assert person.get(f"/gear/{shoes}/photo").status == 404
    assert send_photo(person, shoes, b"<svg onload=alert(1)>").status == 415
    assert send_photo(person, shoes, PNG + bytes(8 << 20)).slug == "photo-too-large"
    made = send_photo(person, shoes, PNG)
    assert made.status == 200 and made.json["photo_type"] == "image/png", made
    shown = person.get(f"/gear/{shoes}/photo")
    assert shown.status == 200 and shown.body == PNG and shown.headers["Content-Type"] == "image/png"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert person.get(f"/gear/{shoes}/photo", headers={"If-None-Match": shown.headers["ETag"]}).status == 304
    assert person.delete(f"/gear/{shoes}/photo").status == 204 and person.get(f"/gear/{shoes}/photo").status == 404


def test_somebody_elses_gear_is_as_if_it_were_not_there(server, person):
    """404 for every call, the same as for an id that never was; a workout that names it gives it nothing."""
    shoes = enter(person)
    stranger = Person.register(server.address)
    for method, suffix, body in [("GET", "", None), ("PATCH", "", {"name": "mine"}), ("DELETE", "", None), ("GET", "/months", None),
                                 ("GET", "/mountings", None), ("GET", "/photo", None), ("DELETE", "/photo", None)]:
        seen = [stranger.request(method, f"/gear/{gear_id}{suffix}", json_body=body, headers={"If-Match": '"v1"'})
                for gear_id in (shoes, str(uuid.uuid4()))]
        problems = [{k: v for k, v in answer.json.items() if k != "instance"} for answer in seen]
        assert seen[0].status == seen[1].status == 404 and problems[0] == problems[1], (method, suffix, seen)
    own = enter(stranger)
    record(stranger, 4_000, [shoes, own])
    await_distance(stranger, own, 4_000)
    assert gear(person, shoes)["distance_m"] == 0


def test_who_leaves_takes_their_gear_along(make_server):
    """Nothing is left in any table, and the audit holds."""
    server = make_server()
    person = Person.register(server.address)
    bike, chain = enter(person, "bike", "Red"), enter(person, "part", "KMC")
    assert person.post(f"/gear/{chain}/mountings", {"bike_id": bike, "mounted_at": "2024-11-01T00:00:00Z"}).status == 201
    assert send_photo(person, bike, PNG).status == 200
    record(person, 4_000, [bike], "ride")
    await_distance(person, chain, 4_000)
    assert person.delete("/me").status in (202, 204)

    def left():
        with server.stores.opened("inventory") as database:
            return [table for table in ("gear", "mountings", "ledger", "workouts", "default_gear")
                    if database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] > 0]
    until(lambda: left() == [], "the erasure")
    made = server.ekiden("audit", "--wait", 20)
    assert made.returncode == 0, made


class Runner:
    """One connection's share of the race: records, edits and deletes workouts of one pair."""

    def __init__(self, person, shoes, seed):
        self.person, self.shoes, self.rng = person, shoes, random.Random(seed)

    def run(self, count):
        live = {}
        for i in range(count):
            distance = self.rng.randrange(100, 20_000)
            workout = record(self.person, distance, [self.shoes], start=f"2024-11-{1 + i:02}T06:00:00Z")
            live[workout] = distance
            what = self.rng.randrange(4)
            chosen = self.rng.choice(sorted(live))
            if what == 0:
                assert self.person.delete("/workouts/" + chosen).status == 204
                del live[chosen]
            elif what == 1:
                live[chosen] = self.rng.randrange(100, 20_000)
                answer = self.person.patch("/workouts/" + chosen, {"distance_m": live[chosen]})
                assert answer.status == 200, answer
        return sum(live.values()), len(live)


def test_a_race_for_one_pair_loses_no_update(make_server, rng, capsys):
    """64 workouts at once from 8 connections, while the owner renames the shoes: the sum, the version and the audit agree."""
    server = make_server()
    owner = Person.register(server.address)
    shoes = enter(owner, name="rename 0")
    before = counted(server, "ekiden_gear_updates_total")
    ended = threading.Event()

    def same_person():
        return Person(Client(owner.client.address), owner.email, owner.password, owner.display_name).login()

    def rename(person):
        done = late = 0
        while not ended.is_set():
            tag = person.get("/gear/" + shoes).headers["ETag"]
            answer = person.patch("/gear/" + shoes, {"name": f"rename {done + 1}"}, headers={"If-Match": tag})
            assert answer.status in (200, 412), answer
            done += answer.status == 200
            late += answer.status == 412
        return done, late

    runners = [Runner(same_person(), shoes, rng.random()) for _ in range(WORKERS)]
    with concurrent.futures.ThreadPoolExecutor(WORKERS + 1) as pool:
        renaming = pool.submit(rename, same_person())
        try:
            results = [future.result() for future in [pool.submit(runner.run, RACE_WORKOUTS // WORKERS) for runner in runners]]
        finally:
            ended.set()
        renames, late = renaming.result()
    distance, workouts = sum(r[0] for r in results), sum(r[1] for r in results)
    until(lambda: (seen := gear(owner, shoes))["distance_m"] == distance and seen["workout_count"] == workouts, f"{distance} m", 60)
    made = server.ekiden("audit", "--wait", 30)
    assert made.returncode == 0, made
    seen = gear(owner, shoes)
    assert (seen["distance_m"], seen["workout_count"], seen["name"]) == (distance, workouts, f"rename {renames}"), seen
    updates = counted(server, "ekiden_gear_updates_total") - before
    assert seen["version"] == 1 + updates, (seen, updates)
    with capsys.disabled():
        lost = counted(server, "ekiden_gear_lost_races_total")
        print(f"\n{renames} renames, {late} came late; {updates:.0f} updates in all, {lost:.0f} races lost")
