"""Our events as others see them: the AsyncAPI document, and the records on Kafka as kcat reads them."""

import json
import os
import subprocess

import jsonschema
import pytest

from harness.client import API, Client, Person
from harness.files import gpx_walk, tcx_run
from harness.server import REPOSITORY
from harness.waiting import until

ERROR = 0  # in AsyncAPI's diagnostics
TYPES = {"workouts": {"workout.recorded", "workout.changed", "workout.deleted"}, "users": {"user.registered", "user.changed"}}


@pytest.fixture(scope="module")
def document(server):
    answer = Client(server.address).get(API + "/asyncapi.json")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("application/json"), answer
    return answer


def test_asyncapis_own_parser_accepts_the_document(document):
    """Without an error; and it finds every event in it."""
    modules = subprocess.run([REPOSITORY / "tools/foreign_js"], capture_output=True, text=True, timeout=600, check=True).stdout.strip()
    checked = subprocess.run(["node", REPOSITORY / "tests/system/harness/asyncapi_check.js"], input=document.body, capture_output=True,
                             timeout=120, check=True, env={**os.environ, "NODE_PATH": modules})
    said = json.loads(checked.stdout)
    assert said["accepted"] and not [one for one in said["diagnostics"] if one["severity"] == ERROR], said
    assert TYPES["workouts"] <= set(said["messages"]), said


def test_the_parser_refuses_a_document_that_is_broken(document):
    """Else it would say nothing that it accepts ours."""
    broken = document.json
    broken["channels"]["workouts"]["messages"]["workout.recorded"]["$ref"] = "#/components/messages/nothing"
    modules = subprocess.run([REPOSITORY / "tools/foreign_js"], capture_output=True, text=True, timeout=600, check=True).stdout.strip()
    checked = subprocess.run(["node", REPOSITORY / "tests/system/harness/asyncapi_check.js"], input=json.dumps(broken).encode(),
                             capture_output=True, timeout=120, check=True, env={**os.environ, "NODE_PATH": modules})
    said = json.loads(checked.stdout)
    assert [one for one in said["diagnostics"] if one["severity"] == ERROR], said


def kcat(server, topic):
    """All records of a topic, as kcat's JSON."""
    read = subprocess.run(["kcat", "-C", "-b", server.addresses["kafka"], "-t", f"{server.name}.{topic}", "-o", "beginning", "-e", "-q", "-J"],
                          capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in read.stdout.splitlines()]


def headers_of(record):
    names, values = record["headers"][::2], record["headers"][1::2]
    assert len(set(names)) == len(names), names
    return dict(zip(names, values, strict=True))


@pytest.mark.cluster("topics on Kafka")
def test_kcat_reads_what_the_document_says(server, document):
    """Every record: CloudEvents' headers as required, the key that they name, and data that fits the event's schema."""
    person = Person.register(server.address, "Kay Cat")
    made = [person.upload_one("a.gpx", gpx_walk(40)), person.upload_one("b.tcx", tcx_run(3000, 900))]
    assert person.patch("/workouts/" + made[0]["id"], {"sport": "walk"}).status == 200
    assert person.delete("/workouts/" + made[1]["id"]).status == 204
    components = document.json["components"]

    def mine(topic):
        records = [record for record in kcat(server, topic) if record["key"] == person.id]
        return records if {headers_of(record)["ce_type"] for record in records} >= TYPES[topic] - {"user.changed"} else None
    workouts = until(lambda: mine("workouts"), "the events of workouts", every_s=0.3)
    users = until(lambda: mine("users"), "the events of users", every_s=0.3)
    for topic, records in (("workouts", workouts), ("users", users)):
        for record in records:
            headers = headers_of(record)
            jsonschema.validate(headers, components["schemas"]["headers"])
            assert headers["ce_partitionkey"] == record["key"] == person.id
            message = components["messages"][headers["ce_type"]]
            assert f"#/components/messages/{headers['ce_type']}" in [
                one["$ref"] for one in document.json["channels"][topic]["messages"].values()]
            jsonschema.validate(json.loads(record["payload"]), message["payload"])
    # In order, whatever came twice.
    for workout in made:
        versions = [int(headers_of(r)["ce_sequence"]) for r in workouts if headers_of(r)["ce_subject"] == workout["id"]]
        firsts = list(dict.fromkeys(versions))
        assert firsts == [1, 2], versions
