"""One upload as one trace: the request, and what its event did elsewhere, as a collector sees it (OTLP over HTTP)."""

import http.server
import json
import threading
import uuid

import pytest

from harness.client import Person, multipart
from harness.files import gpx_walk
from harness.waiting import until


class Collector(http.server.BaseHTTPRequestHandler):
    spans = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in body["resourceSpans"]:
            service = {a["key"]: a["value"]["stringValue"] for a in resource["resource"]["attributes"]}["service.name"]
            Collector.spans += [{**span, "service": service} for scope in resource["scopeSpans"] for span in scope["spans"]]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def collector():
    Collector.spans = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


# The services that a workout is told to.
READERS = ("gamification", "inventory")


def test_an_upload_is_one_trace_from_the_request_to_the_board(make_server, collector):
    server = make_server({"tracing.endpoint": collector})
    person = Person.register(server.address)
    trace = uuid.uuid4().hex
    body, content_type = multipart([("a.gpx", gpx_walk(50))])
    sent = person.request("POST", "/uploads", body=body,
                          headers={"Content-Type": content_type, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert sent.status == 202, sent

    def whole():
        mine = [span for span in Collector.spans if span["traceId"] == trace]
        names = {(span["service"], span["name"]) for span in mine}
        assert {"POST /api/v1/uploads"} <= {name for _, name in names}, names
        assert {(reader, "process workout.recorded") for reader in READERS} <= names, names
        return mine
    mine = until(whole, "both ends of the trace", 20)
    by_id = {span["spanId"]: span for span in mine}
    for applied in [span for span in mine if span["name"] == "process workout.recorded"]:
        request = by_id[applied["parentSpanId"]]
        assert applied["service"] in READERS and applied["kind"] == 5
        assert (request["name"], request["kind"]) == ("POST /api/v1/uploads", 2)
        assert int(request["startTimeUnixNano"]) <= int(applied["startTimeUnixNano"]) <= int(applied["endTimeUnixNano"])
    roots = [span for span in mine if span["parentSpanId"] == "00f067aa0ba902b7"]
    assert [span["service"] for span in roots] == ["gateway"]
