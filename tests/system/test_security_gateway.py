"""Attacks on the door: framing, headers, paths, slow clients, bombs. Each case and the answer it must get."""

import gzip
import json
import re
import socket
import threading
import time
import uuid
import zlib

import pytest

from harness.client import API, Client, Person, multipart
from harness.files import gpx_walk
from harness.raw import exchange, get, read_answer
from harness.waiting import until

LOGIN = API + "/auth/login"
BIG = "a" * 9000


def post(path, body, *lines, length=True):
    head = list(lines) + ([f"Content-Length: {len(body)}"] if length else [])
    return get(path, *head, method="POST") + body


def chunked(*lines):
    return post(LOGIN, b"4\r\n{\"a\"\r\n0\r\n\r\n", "Content-Type: application/json", *lines, length=False)


FRAMING = {
    "length and chunked": (get("/healthz", "Content-Length: 5", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n", 400, "bad-framing"),
    "unknown coding": (get(LOGIN, "Transfer-Encoding: xchunked", method="POST") + b"0\r\n\r\n", 501, "bad-framing"),
    "two codings": (get(LOGIN, "Transfer-Encoding: chunked, identity", method="POST") + b"0\r\n\r\n", 400, "bad-framing"),
    "codings in two headers": (get(LOGIN, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n", 400, "bad-framing"),
    "two lengths": (get(LOGIN, "Content-Length: 5", "Content-Length: 6", method="POST") + b"{    }", 400, "bad-framing"),
    "length +1": (get(LOGIN, "Content-Length: +1", method="POST") + b"{", 400, "bad-framing"),
    "length -1": (get(LOGIN, "Content-Length: -1", method="POST") + b"{", 400, "bad-framing"),
    "length 0x1": (get(LOGIN, "Content-Length: 0x1", method="POST") + b"{", 400, "bad-framing"),
    "two hosts": (get("/healthz", "Host: evil"), 400, "bad-host"),
    "no host": (get("/healthz", host=None), 400, "bad-host"),
    "foreign absolute form": (get("http://evil/healthz"), 421, "misdirected"),
    "folded header": (get("/healthz", "X-A: b", " c"), 400, "bad-header"),
    "space before colon": (get("/healthz", "X-A : b"), 400, "bad-header"),
    "NUL in a header": (get("/healthz", b"X-A: b\x00c"), 400, "bad-header"),
    "bare LF": (b"GET /healthz HTTP/1.1\nHost: localhost\n\n", 400, "bad-header"),
    "request id with a newline": (get("/healthz", b"X-Request-Id: a\nX-User-Id: 1"), 400, "bad-header"),
    "long chunk extension": (get(LOGIN, "Content-Type: application/json", "Transfer-Encoding: chunked", method="POST")
                             + b"2;x=" + b"a" * 4096 + b"\r\n{}\r\n0\r\n\r\n", 400, "bad-header"),
    "large header": (get("/healthz", "X-A: " + BIG), 431, "headers-too-large"),
    "65 headers": (get("/healthz", *[f"X-{i}: a" for i in range(65)]), 431, "headers-too-large"),
    "long URL": (get("/" + BIG), 414, "uri-too-long"),
    "unknown version": (get("/healthz", version="HTTP/9.9"), 505, "version-not-supported"),
}


@pytest.mark.parametrize("case", FRAMING)
def test_a_message_whose_end_is_in_doubt_is_refused_and_the_connection_closed(server, case):
    """No second parser may ever see another message in these bytes: what follows is not answered."""
    data, status, slug = FRAMING[case]
    answer = exchange(server.address, data + get("/healthz"))
    assert (answer.status, answer.slug) == (status, slug), answer
    assert answer.closed and len(re.findall(rb"HTTP/1.1 \d{3} ", answer.data)) == 1, answer


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW", "get"])
def test_unknown_methods_get_405_with_allow(server, method):
    """And the answer says which methods there are."""
    answer = exchange(server.address, get("/healthz", method=method))
    assert (answer.status, answer.slug) == (405, "method-not-allowed") and "GET" in answer.headers["allow"]


def test_a_known_path_with_another_method_names_those_that_are_there(client):
    """405 with the path's own methods."""
    answer = client.request("DELETE", LOGIN)
    assert answer.status == 405 and "POST" in answer.headers["Allow"] and "DELETE" not in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/api/v1/../admin", "/api/v1/%2e%2e/me", "/api/v1/%2e%2e%2fme", "/api//v1/me", "//healthz",
                                  "/api/v1/me%00", "/api/v1/%2fme", "/api/v1/.", "/api/%5cv1", "/%zz", "/api/v1/%ff"])
def test_a_path_is_never_normalised_into_another_route(server, path):
    """400 bad-path, whatever lies behind it."""
    answer = exchange(server.address, get(path, "Connection: close"))
    assert (answer.status, answer.slug) == (400, "bad-path"), answer


def test_forwarded_addresses_of_an_untrusted_peer_do_not_change_who_is_counted(make_server):
    """After the burst comes 429 with Retry-After and the standard fields, however the client calls itself."""
    server = make_server({"limits.enabled": "true", "limits.auth_burst": 10, "limits.auth_per_s": 0.01})
    client = Client(server.address)
    answers = [client.post(LOGIN, {"email": f"x{i}@example.org", "password": "wrong"},
                           headers={"X-Forwarded-For": f"203.0.113.{i}"}) for i in range(14)]
    assert [a.status for a in answers[10:]] == [429] * 4 and 429 not in [a.status for a in answers[:10]]
    last = answers[-1]
    assert last.slug == "too-many-requests" and int(last.headers["Retry-After"]) >= 1
    assert '"auth"' in last.headers["RateLimit"] and "q=10" in last.headers["RateLimit-Policy"]
    # Other classes of requests have budgets of their own.
    assert client.get("/healthz").status == 200


def logins_until_429(server, forwarded, most=40):
    client = Client(server.address)
    for i in range(most):
        body = {"email": f"x-{uuid.uuid4().hex}@example.org", "password": "wrong"}
        answer = client.post(LOGIN, body, headers={"X-Forwarded-For": forwarded(i)})
        if answer.status == 429 and answer.slug == "too-many-requests":
            return i
    return most


def test_behind_a_trusted_proxy_the_entry_from_the_right_counts(make_server):
    """A thousand invented hops change nothing; a malformed entry falls back to the peer; an IPv6 client is its /64."""
    settings = {"limits.enabled": "true", "limits.auth_burst": 5, "limits.auth_per_s": 0.01, "server.trusted_proxies": "127.0.0.0/8"}
    server = make_server(settings)
    hops = ", ".join(f"10.0.{i // 250}.{i % 250}" for i in range(450))
    assert logins_until_429(server, lambda i: f"{i}.9.9.9, {hops}, 198.51.100.7") == 5
    assert logins_until_429(server, lambda i: f"198.51.100.{100 + i}", most=12) == 12
    assert logins_until_429(server, lambda i: f"2001:db8:1:2:{i:x}::{i + 1:x}") == 5
    assert logins_until_429(server, lambda i: f"2001:db8:1:{i + 16:x}::1", most=12) == 12
    assert logins_until_429(server, lambda i: "not an address at all") == 5


def test_identity_comes_from_the_token_only(server, person):
    """X-User-Id and X-Internal-* of a stranger are nothing; a request id from outside is replaced."""
    lies = {"X-User-Id": person.id, "X-Internal-Role": "admin", "X-Request-Id": str(uuid.UUID(int=7))}
    answer = Client(server.address).get(API + "/me", headers=lies)
    assert answer.status == 401 and answer.slug == "not-signed-in"
    assert answer.json["instance"] != lies["X-Request-Id"] and len(answer.json["instance"]) == 36
    assert Client(server.address).get("/internal/user/api-keys/resolve", headers=lies).status == 404


def slow_head(address, out):
    with socket.create_connection(address) as connection:
        begun = time.monotonic()
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        connection.settimeout(1)
        data = b""
        for i in range(60):
            try:
                connection.sendall(b"X")
                data = connection.recv(4096)
                break
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
        out.append((time.monotonic() - begun, data))


def slow_body(address, out):
    with socket.create_connection(address) as connection:
        begun = time.monotonic()
        connection.sendall(get(LOGIN, "Content-Type: application/json", "Content-Length: 5000", method="POST"))
        connection.settimeout(1)
        data = b""
        for i in range(60):
            try:
                connection.sendall(b"1")
                data = connection.recv(4096)
                break
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
        out.append((time.monotonic() - begun, data))


def never_reads(address, person, workout_id, out):
    """Asks for a large answer again and again and reads none of it, until the server has had enough."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(address)
        begun = time.monotonic()
        one = get(f"{API}/workouts/{workout_id}/original", *[f"{k}: {v}" for k, v in person.headers.items()])
        connection.sendall(one * 8)
        while time.monotonic() - begun < 60:
            try:
                connection.send(b"\r\n", socket.MSG_DONTWAIT)
            except BlockingIOError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                out.append(time.monotonic() - begun)
                return
            time.sleep(0.2)
        out.append(None)


def test_slow_clients_are_sent_away_and_nobody_else_waits(make_server):
    """Heads get 5 s in all, bodies 500 B/s; who never reads is cut off; meanwhile everybody else is answered."""
    server = make_server()
    person = Person.register(server.address)
    workout = person.upload_one("long.gpx", gpx_walk(30_000, step_s=1, step_m=3))
    heads, bodies, unread = [], [], []
    threads = [threading.Thread(target=slow_head, args=(server.address, heads)) for _ in range(100)]
    threads += [threading.Thread(target=slow_body, args=(server.address, bodies)) for _ in range(20)]
    threads.append(threading.Thread(target=never_reads, args=(server.address, person, workout["id"], unread)))
    for thread in threads:
        thread.start()
    times = []
    while any(t.is_alive() for t in threads):
        begun = time.monotonic()
        assert server.is_healthy(timeout_s=5)
        times.append(time.monotonic() - begun)
        time.sleep(0.05)
    assert len(heads) == 100 and all(4 < took < 15 for took, _ in heads), heads[:3]
    assert all(data == b"" or b" 408 " in data.split(b"\r\n")[0] for _, data in heads), heads[:3]
    assert sum(b" 408 " in data for _, data in heads) >= 90
    assert len(bodies) == 20 and all(8 < took < 30 for took, _ in bodies), bodies[:3]
    assert sum(b" 408 " in data for _, data in bodies) >= 18, bodies[:3]
    assert unread and unread[0] is not None and unread[0] < 45, unread
    assert sorted(times)[len(times) // 2] < 0.1, "the median answer of others took over 100 ms"


def bomb(size):
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * (1 << 20)
    return b"".join(compressor.compress(block) for _ in range(size >> 20)) + compressor.flush()


def test_a_compressed_body_is_stopped_at_the_cap(server):
    """A body of kilobytes that becomes megabytes is 413 before it does; a second layer is 415."""
    client = Client(server.address)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    # Small enough for the cap on what arrives, large once it is unpacked.
    answer = client.request("POST", LOGIN, body=bomb(8 << 20), headers=headers)
    assert (answer.status, answer.slug) == (413, "decompressed-too-large"), answer
    twice = client.request("POST", LOGIN, body=gzip.compress(gzip.compress(b"{}")), headers=headers)
    assert twice.status == 415, twice
    once = client.request("POST", LOGIN, body=gzip.compress(b'{"email":"a@example.org","password":"b"}'), headers=headers)
    assert once.status == 401, once
    other = client.request("POST", LOGIN, body=b"{}", headers={**headers, "Content-Encoding": "br"})
    assert other.status == 415


def test_a_bomb_as_a_gzipped_upload_form_is_stopped(make_server):
    """Content-Encoding gzip of an upload: 413 at the route's cap, and memory stays where it was."""
    server = make_server()
    person = Person.register(server.address)
    body, content_type = multipart([("a.gpx", b"@@")])
    front, back = body.split(b"@@")
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = compressor.compress(front)
    block = b" " * (1 << 20)
    for _ in range(256):
        packed += compressor.compress(block)
    packed += compressor.compress(back) + compressor.flush()
    before = server.memory_kib()
    answer = person.request("POST", "/uploads", body=packed, headers={"Content-Type": content_type, "Content-Encoding": "gzip"})
    assert (answer.status, answer.slug) == (413, "decompressed-too-large"), answer
    assert server.grown_kib(before) < 64 * 1024


def test_pipelined_requests_are_answered_in_order_and_then_the_connection_ends(server):
    """A thousand at once: the first ones in their order, no more than the allowed run, then a close."""
    paths = [f"/api/v1/leaderboards/{i}/all/all" for i in range(1000)]
    answer = exchange(server.address, b"".join(get(path) for path in paths), timeout_s=10)
    count = answer.data.count(b"HTTP/1.1 401")
    assert answer.closed and 1 <= count <= 17 and answer.data.count(b"HTTP/1.1 ") == count, (count, answer)
    quick = exchange(server.address, get("/healthz") * 1000, timeout_s=10)
    assert quick.closed and 1 <= quick.data.count(b"HTTP/1.1 200") <= 17


@pytest.mark.parametrize("origin", ["null", "https://app.example.com.evil", "http://localhost"])
def test_no_origin_is_let_in(client, origin):
    """No answer allows another site's page to read it, and none ever allows credentials."""
    for method, path in (("GET", "/api/v1/openapi.json"), ("OPTIONS", "/api/v1/me")):
        answer = client.request(method, path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("value, status, slug", [("0", 504, "deadline-exceeded"), ("-1", 400, "bad-deadline"), ("soon", 400, "bad-deadline"),
                                                 ("1.5", 400, "bad-deadline"), (str(10 * 365 * 86_400_000), 200, None),
                                                 ("9" * 40, 200, None)])
def test_a_deadline_that_is_past_absurd_or_endless(client, value, status, slug):
    """Expired: 504 without running; not a number: 400; ten years: as long as any other."""
    answer = client.get("/api/v1/openapi.json", headers={"Ekiden-Timeout-Ms": value})
    assert (answer.status, answer.slug) == (status, slug), answer


@pytest.mark.parametrize("types", [[], ["text/plain"], ["application/json", "application/json"], ["application/json; charset=latin1"],
                                   ["application/x-www-form-urlencoded"], ["multipart/form-data; boundary=x"]])
def test_a_body_needs_one_fitting_content_type(server, types):
    """Missing, wrong or twice: 415."""
    body = b'{"email":"a@example.org","password":"b"}'
    answer = exchange(server.address, post(LOGIN, body, "Connection: close", *[f"Content-Type: {t}" for t in types]))
    assert answer.status == 415, answer


def test_every_refusal_is_a_problem_that_tells_nothing_of_the_inside(server):
    """RFC 9457 with our own types; no path, stack, statement or version in it."""
    for data in (get("/nothing"), get("/api/v1/me"), get("/%00"), post(LOGIN, b"{", "Content-Type: application/json")):
        answer = exchange(server.address, data, timeout_s=0.5)
        problem = json.loads(answer.body)
        assert problem["type"].startswith("urn:ekiden:") and problem["status"] == answer.status and problem["title"]
        assert len(problem["instance"]) == 36
        for word in (b".cpp", b"/src", b"SELECT", b"sqlite", b"boost", b"exception"):
            assert word not in answer.data, answer
        assert "server" not in answer.headers or not any(c.isdigit() for c in answer.headers["server"])


def test_a_connection_that_says_nothing_is_closed(server):
    """An open socket without a byte does not live for ever."""
    with socket.create_connection(server.address) as connection:
        answer = read_answer(connection, timeout_s=12)
        assert answer.closed


def test_many_idle_connections_do_not_keep_others_out(server):
    """A thousand sockets that wait: the next one is served at once."""
    idle = []
    try:
        for _ in range(1000):
            connection = socket.create_connection(server.address)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: l\r\n")
            idle.append(connection)
        until(lambda: Client(server.address, timeout_s=5).get("/healthz").status == 200, "an answer beside idle connections", 5)
    finally:
        for connection in idle:
            connection.close()
