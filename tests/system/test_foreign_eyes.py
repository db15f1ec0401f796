"""What programs of others say of us: schemathesis of the OpenAPI document, promtool of the metrics and the alerts."""

import re
import subprocess

import pytest

from harness.client import Client
from harness.files import gpx_walk
from harness.server import REPOSITORY
from harness.waiting import until

ALERTS = REPOSITORY / "deploy/prometheus/alerts.yml"
# A request that fits the document may still be refused by a rule that a schema cannot say (an unknown zone, a taken name).
CHECKS_LEFT_OUT = "positive_data_acceptance"


def run(*command, **kwargs):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, **kwargs)


@pytest.fixture(scope="session")
def schemathesis():
    made = run(REPOSITORY / "tools/foreign")
    assert made.returncode == 0, made
    return made.stdout.strip() + "/schemathesis"


def test_no_answer_strays_from_the_openapi_document(make_server, admin_of, schemathesis):
    """Thousands of requests made from the document, good and bad: every status, type and body is one that it names."""
    server = make_server()
    admin = admin_of(server)
    admin.upload_one("a.gpx", gpx_walk(100))
    url = f"http://{server.address[0]}:{server.address[1]}/api/v1/openapi.json"
    # Deleting oneself, or ending one's own session, would end the test.
    made = run(schemathesis, "run", url, "-H", "Authorization: " + admin.headers["Authorization"], "--workers", 1, "--seed", 1,
               "--max-examples", 30, "--phases", "examples,coverage,fuzzing", "--exclude-checks", CHECKS_LEFT_OUT,
               "--exclude-path-regex", r"^/api/v1/(me$|me/sessions|me/password|auth/logout)", "--no-color")
    assert made.returncode == 0, made.stdout[-6000:] + made.stderr[-2000:]
    tested = re.search(r"Tested: (\d+)", made.stdout)
    assert tested and int(tested.group(1)) >= 30, made.stdout[-2000:]


def test_prometheus_accepts_the_metrics_and_knows_what_the_alerts_ask_for(server):
    """promtool finds nothing to say of any process; every series of an alert is one that we have."""
    rules = "\n".join(line for line in ALERTS.read_text().splitlines() if "summary" not in line)
    asked = set(re.findall(r"ekiden_[a-z_]+", rules))
    assert len(asked) >= 8, asked

    def all_are_shown():
        shown = set()
        for address in server.processes:
            text = Client(address).get("/metrics").body.decode()
            checked = run("promtool", "check", "metrics", input=text)
            assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), checked
            shown |= set(re.findall(r"^(ekiden_[a-z_]+)", text, flags=re.MULTILINE))
        assert asked <= shown, asked - shown
        return True
    until(all_are_shown, "every series that the alerts ask for", 30, every_s=0.5)


def test_the_alerts_ring_when_they_should():
    made = run("promtool", "test", "rules", ALERTS.with_name("alerts_test.yml"))
    assert made.returncode == 0, made
    made = run("promtool", "check", "config", ALERTS.with_name("prometheus.yml"))
    assert made.returncode == 0, made
