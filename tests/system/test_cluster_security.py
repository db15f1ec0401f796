"""Two doors are one door: budgets are shared by the gateways, and what a client says of itself counts at neither; the
services' own ports believe nobody but the gateways."""

import time
import uuid

import pytest

from harness.client import API, Client, Person
from harness.raw import exchange, get

pytestmark = pytest.mark.cluster("two gateways")

LOGIN = API + "/auth/login"
BURST = 6
LIMITED = {"limits.enabled": "true", "limits.auth_burst": BURST, "limits.auth_per_s": 0.001}


class Doors:
    """Failed sign-ins, each at the next gateway."""

    def __init__(self, server):
        self.clients = [Client(address) for address in server.gateways]

    def sign_in(self, number, forwarded):
        body = {"email": f"x-{uuid.uuid4().hex}@example.org", "password": "wrong"}
        return self.clients[number % len(self.clients)].post(LOGIN, body, headers={"X-Forwarded-For": forwarded})

    def until_429(self, forwarded, most=3 * BURST):
        for i in range(most):
            answer = self.sign_in(i, forwarded(i))
            if answer.status == 429 and answer.slug == "too-many-requests":
                assert int(answer.headers["Retry-After"]) >= 1
                return i
        return most


def test_one_budget_for_both_gateways_whatever_address_a_client_claims(make_server):
    """What one gateway gave is gone at the other; an untrusted peer's X-Forwarded-For is nothing."""
    server = make_server(LIMITED)
    doors = Doors(server)
    assert doors.until_429(lambda i: f"203.0.113.{i}") == BURST
    for client in doors.clients:
        assert client.post(LOGIN, {"email": "x@example.org", "password": "wrong"}).status == 429


def test_behind_a_trusted_proxy_both_gateways_count_the_same_client(make_server):
    """A thousand hops, an IPv6 client that rotates inside its /64, and an address that is none: one budget each."""
    server = make_server({**LIMITED, "server.trusted_proxies": "127.0.0.0/8"})
    doors = Doors(server)
    # As many as fit the 8 KiB of a header.
    hops = ", ".join(f"10.0.{i // 250}.{i % 250}" for i in range(450))
    assert doors.until_429(lambda i: f"{i}.9.9.9, {hops}, 198.51.100.7") == BURST
    assert doors.until_429(lambda i: f"2001:db8:1:2:{i:x}::{i + 1:x}") == BURST
    assert doors.until_429(lambda i: "not an address at all") == BURST
    assert doors.until_429(lambda i: f"198.51.100.{100 + i}", most=2 * BURST) == 2 * BURST


def test_a_person_has_one_budget_at_both_gateways(make_server):
    """Reads with one token, turn by turn: what is admitted is the burst and what has come back since, not twice that."""
    burst, per_s = 20, 2
    server = make_server({"limits.enabled": "true", "limits.read_burst": burst, "limits.read_per_s": per_s})
    person = Person.register(server.address)
    clients = [Client(address) for address in server.gateways]
    begun = time.monotonic()
    statuses = [clients[i % 2].get(API + "/me", headers=person.headers).status for i in range(4 * burst)]
    came_back = (time.monotonic() - begun) * per_s
    assert set(statuses) == {200, 429}
    # Signing in has read nothing: the whole burst is there. One for the rounding of the last.
    assert burst <= statuses.count(200) <= burst + came_back + 1, statuses.count(200)


def test_no_service_believes_what_a_client_says_of_itself(make_server):
    """On the inner port of every process: 401 for forged identities and for a real token, and nothing of the route."""
    server = make_server()
    person = Person.register(server.address)
    caller = f"1|1790000000000|127.0.0.1|{person.id}|admin|{uuid.uuid4()}|session||AAAA"
    forged = [f"X-User-Id: {person.id}", f"X-Internal-User: {person.id}", f"X-Internal-Caller: {caller}",
              "Authorization: " + person.headers["Authorization"]]
    inner = [address for address in server.processes if address not in server.gateways]
    assert len(inner) == 6
    for address in inner:
        for header in (*forged, "X-Nothing: at all"):
            for path in (API + "/me", API + "/workouts", API + "/leaderboards", "/internal/user/api-keys/resolve"):
                answer = exchange(address, get(path, header, "Connection: close"))
                assert (answer.status, answer.slug) == (401, "not-from-here"), (address, path, header, answer)
    # A request id with a new line in it would forge a line of a log, or a header.
    for address in server.gateways:
        lie = exchange(address, get("/healthz", "X-Request-Id: a\x01b", "Connection: close"))
        assert lie.status in (200, 400) and b"a\x01b" not in lie.data, lie
        client = Client(address)
        lies = {"X-User-Id": person.id, "X-Internal-Caller": caller, "X-Internal-Role": "admin"}
        assert client.get(API + "/me", headers=lies).status == 401
        seen = client.get(API + "/me", headers={**lies, **person.headers, "X-Request-Id": str(uuid.UUID(int=7))})
        assert seen.status == 200 and seen.json["id"] == person.id and seen.json["role"] == "member"


@pytest.mark.parametrize("value, status, slug", [("0", 504, "deadline-exceeded"), ("-1", 400, "bad-deadline"), ("soon", 400, "bad-deadline"),
                                                 (str(10 * 365 * 86_400_000), 200, None)])
def test_a_deadline_goes_through_the_gateway(server, person, value, status, slug):
    """Expired: no service is asked; none: 400; ten years: as long as any other, and the service answers."""
    for address in server.gateways:
        answer = Client(address).get(API + "/me", headers={**person.headers, "Ekiden-Timeout-Ms": value})
        assert (answer.status, answer.slug) == (status, slug), answer
