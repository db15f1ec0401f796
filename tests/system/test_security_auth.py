"""Attacks on accounts: forged and reused tokens, guessed passwords, floods, hostile JSON and text."""

import base64
import concurrent.futures
import hashlib
import hmac
import json
import statistics
import time
import uuid

import nacl.signing
import pytest

from harness.client import API, Client, Person
from harness.raw import exchange, get
from harness.waiting import until

LOGIN = API + "/auth/login"
REAL_HASH = {"user.hash_memory_kib": 19 * 1024, "user.hash_passes": 2}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def me(address, token):
    return Client(address).get(API + "/me", headers={"Authorization": "Bearer " + token})


@pytest.fixture
def signing_key(server):
    """The server's own key: what only a test that owns the data folder can have."""
    if server.keys is None:
        pytest.skip("needs the keys' folder: not against EKIDEN_BASE_URL")
    file = server.keys / "access-token.key"
    assert file.stat().st_mode & 0o077 == 0, "others can read the signing key"
    return nacl.signing.SigningKey(file.read_bytes())


class Forge:
    """Takes a good token apart and makes bad ones of it."""

    def __init__(self, person, key):
        self.key = key
        header, payload, _ = person.tokens["access_token"].split(".")
        self.header, self.payload = json.loads(decode(header)), json.loads(decode(payload))
        self.raw_header = header

    def signed(self, raw_header=None, **changes):
        payload = {**self.payload, **changes}
        text = (raw_header or self.raw_header) + "." + encode(json.dumps({k: v for k, v in payload.items() if v is not None},
                                                                         separators=(",", ":")).encode())
        return text + "." + encode(self.key.sign(text.encode()).signature)

    def with_header(self, **changes):
        return self.signed(encode(json.dumps({**self.header, **changes}, separators=(",", ":")).encode()))


@pytest.fixture
def forge(person, signing_key):
    made = Forge(person, signing_key)
    assert me(person.client.address, made.signed()).status == 200, "the forge itself works: only then do refusals mean something"
    return made


def refused_tokens(forge, person):
    public = bytes(forge.key.verify_key)
    header, payload, signature = person.tokens["access_token"].split(".")
    now = int(time.time())
    none = encode(b'{"alg":"none","typ":"JWT"}')
    hs256 = encode(json.dumps({**forge.header, "alg": "HS256"}, separators=(",", ":")).encode())
    mac = encode(hmac.new(public, f"{hs256}.{payload}".encode(), hashlib.sha256).digest())
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    malleable = signature[:-1] + last[last.index(signature[-1]) ^ 1]
    other = Forge(person, nacl.signing.SigningKey.generate())
    return {
        "alg none": f"{none}.{payload}.",
        "alg none with the signature": f"{none}.{payload}.{signature}",
        "alg HS256 with the public key": f"{hs256}.{payload}.{mac}",
        "jku": forge.with_header(jku="http://127.0.0.1:1/keys"),
        "x5u": forge.with_header(x5u="http://127.0.0.1:1/cert"),
        "jwk": forge.with_header(jwk={"kty": "OKP", "crv": "Ed25519", "x": encode(public)}),
        "kid with a path": forge.with_header(kid="../../etc/passwd"),
        "kid with SQL": forge.with_header(kid="' OR 1=1 --"),
        "crit": forge.with_header(crit=["exp"]),
        "signed by somebody else": other.signed(),
        "expired": forge.signed(exp=now - 1),
        "expired long ago": forge.signed(exp=1),
        "not yet valid": forge.signed(nbf=now + 3600),
        "wrong audience": forge.signed(aud="other-api"),
        "wrong issuer": forge.signed(iss="evil"),
        "no expiry": forge.signed(exp=None),
        "expiry as text": forge.signed(exp="9999999999"),
        "role changed, old signature": f"{header}.{encode(json.dumps({**forge.payload, 'role': 'admin'}).encode())}.{signature}",
        "refresh token": person.tokens["refresh_token"],
        "malleable base64": f"{header}.{payload}.{malleable}",
        "padded base64": f"{header}.{payload}.{signature}==",
        "trailing bytes": person.tokens["access_token"] + "AAAA",
        "a fourth part": person.tokens["access_token"] + ".AAAA",
        "empty parts": "..",
        "very long": "a" * 5000,
    }


def test_every_bad_token_gets_the_same_401(server, forge, person):
    """Forged, expired, of another kind, encoded otherwise: one answer for all, so that nothing is learnt."""
    wrong = []
    bodies = set()
    for name, token in refused_tokens(forge, person).items():
        answer = me(server.address, token)
        if answer.status != 401 or answer.slug != "invalid-token":
            wrong.append((name, answer))
            continue
        problem = answer.json
        problem.pop("instance")
        bodies.add(json.dumps(problem, sort_keys=True))
    assert not wrong, wrong
    assert len(bodies) == 1, bodies


def test_a_good_token_still_passes_and_is_not_taken_from_the_url(server, person):
    """Only the Authorization header counts; twice is none."""
    token = person.tokens["access_token"]
    assert me(server.address, token).status == 200
    assert Client(server.address).get(f"{API}/me?access_token={token}").status == 401
    line = f"Authorization: Bearer {token}"
    twice = exchange(server.address, get(API + "/me", line, line, "Connection: close"))
    assert twice.status == 401, twice


def test_a_refresh_token_works_once_and_its_second_use_ends_the_session(server, person):
    """Reuse means that somebody has stolen it: the whole family is revoked."""
    client = Client(server.address)
    first = person.tokens["refresh_token"]
    renewed = client.post(API + "/auth/refresh", {"refresh_token": first})
    assert renewed.status == 200 and renewed.json["refresh_token"] != first
    assert me(server.address, renewed.json["access_token"]).status == 200
    again = client.post(API + "/auth/refresh", {"refresh_token": first})
    assert again.status == 401
    family = client.post(API + "/auth/refresh", {"refresh_token": renewed.json["refresh_token"]})
    assert family.status == 401, "the thief's or the owner's chain still lives"
    until(lambda: me(server.address, renewed.json["access_token"]).status == 401, "its access token to be refused", timeout_s=5)


def test_logout_and_a_new_password_end_sessions(server):
    """After each of them no refresh of an ended session is accepted."""
    dora = Person.register(server.address)
    first = dora.tokens
    dora.login()
    assert dora.post("/me/password", {"current_password": dora.password, "new_password": "quite another one"}).status == 204
    client = Client(server.address)
    assert client.post(API + "/auth/refresh", {"refresh_token": first["refresh_token"]}).status == 401
    until(lambda: me(server.address, first["access_token"]).status == 401, "the other session's access token to be refused", timeout_s=5)
    assert me(server.address, dora.tokens["access_token"]).status == 200
    assert dora.post("/auth/logout").status == 204
    until(lambda: me(server.address, dora.tokens["access_token"]).status == 401, "its own to be refused", timeout_s=5)
    assert client.post(API + "/auth/refresh", {"refresh_token": dora.tokens["refresh_token"]}).status == 401
    assert client.post(LOGIN, {"email": dora.email, "password": dora.password}).status == 401
    assert client.post(LOGIN, {"email": dora.email, "password": "quite another one"}).status == 200


def timed(call):
    begun = time.perf_counter()
    answer = call()
    return time.perf_counter() - begun, answer


def test_unknown_and_known_addresses_cannot_be_told_apart_at_login(make_server):
    """Same status, same body; the medians of their times lie close together, for both hash a password."""
    server = make_server(REAL_HASH)
    known = [Person.register(server.address).email for _ in range(8)]
    unknown = [f"nobody-{uuid.uuid4().hex}@example.org" for _ in range(8)]
    client = Client(server.address)
    times = {"known": [], "unknown": []}
    bodies = set()
    for _ in range(4):
        for kind, emails in (("known", known), ("unknown", unknown)):
            for email in emails:
                took, answer = timed(lambda: client.post(LOGIN, {"email": email, "password": "wrong password"}))
                assert (answer.status, answer.slug) == (401, "wrong-credentials"), answer
                times[kind].append(took)
                bodies.add(answer.json["detail"])
    assert len(bodies) == 1
    ratio = statistics.median(times["known"]) / statistics.median(times["unknown"])
    assert 0.6 < ratio < 1.6, f"known/unknown takes {ratio:.2f}"


def test_registering_a_taken_address_takes_as_long_as_a_new_one(make_server):
    """409 after the same hash: the time does not tell."""
    server = make_server(REAL_HASH)
    taken = Person.register(server.address).email
    client = Client(server.address)
    new_times, taken_times = [], []
    for i in range(12):
        body = {"password": "a long way home", "display_name": "Eve"}
        took, answer = timed(lambda: client.post(API + "/auth/register", {**body, "email": f"new-{i}@example.org"}))
        assert answer.status == 201
        new_times.append(took)
        took, answer = timed(lambda: client.post(API + "/auth/register", {**body, "email": taken.upper()}))
        assert (answer.status, answer.slug) == (409, "email-taken")
        taken_times.append(took)
    ratio = statistics.median(taken_times) / statistics.median(new_times)
    assert 0.5 < ratio < 2, f"taken/new takes {ratio:.2f}"


def test_a_flood_of_logins_is_bounded_and_leaves_the_rest_alone(make_server):
    """The queue for hashing fills: 503 with Retry-After; all other routes go on answering, also those of the same service."""
    server = make_server({"user.hash_memory_kib": 32 * 1024, "user.hash_passes": 2, "user.hash_queue_max": 8})
    person = Person.register(server.address)

    def login(_):
        client = Client(server.address)
        try:
            return client.post(LOGIN, {"email": f"{uuid.uuid4().hex}@example.org", "password": "wrong password"})
        finally:
            client.close()
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        flood = [pool.submit(login, i) for i in range(192)]
        others = []
        while not all(f.done() for f in flood):
            for path in ("/leaderboards", "/me"):
                took, answer = timed(lambda: person.get(path))
                assert answer.status == 200, answer
                others.append(took)
            assert server.is_healthy()
    answers = [f.result() for f in flood]
    statuses = {a.status for a in answers}
    assert statuses <= {401, 503} and 503 in statuses, statuses
    assert all(int(a.headers["Retry-After"]) >= 1 for a in answers if a.status == 503)
    assert statistics.median(others) < 0.2, "the median of other answers took over 200 ms"


def test_wrong_passwords_for_one_account_make_it_wait_longer_and_longer(make_server, admin_of):
    """429 by account with a growing Retry-After, also for the right password; a reset lets the owner in."""
    server = make_server()
    owner = Person.register(server.address)
    client = Client(server.address)
    waits, statuses = [], []
    for i in range(50):
        answer = client.post(LOGIN, {"email": owner.email, "password": f"guess {i}"}, headers={"X-Forwarded-For": f"203.0.113.{i}"})
        statuses.append(answer.status)
        if answer.status == 429:
            assert answer.slug == "too-many-attempts"
            waits.append(int(answer.headers["Retry-After"]))
    assert statuses[:4] == [401] * 4 and statuses[-1] == 429
    first = max(waits)

    def next_failure():
        answer = client.post(LOGIN, {"email": owner.email, "password": "yet another guess"})
        return answer if answer.status == 401 else None
    until(next_failure, "the end of the first delay", timeout_s=first + 5, every_s=0.1)
    longer = client.post(LOGIN, {"email": owner.email, "password": owner.password})
    assert longer.status == 429 and int(longer.headers["Retry-After"]) > first, (longer, waits)
    admin = admin_of(server)
    reset = admin.post(f"/admin/users/{owner.id}/password-reset")
    assert reset.status == 201, reset
    assert client.post(API + "/auth/reset", {"token": reset.json["token"], "password": "a fresh password"}).status == 204
    assert client.post(LOGIN, {"email": owner.email, "password": "a fresh password"}).status == 200


def test_a_reset_link_is_good_once_for_one_account_and_not_for_long(make_server, admin_of):
    """Again: 410. Somebody else's, or made up: 404. Too old: 410."""
    server = make_server({"user.reset_ttl": "3s"})
    owner, admin = Person.register(server.address), admin_of(server)
    client = Client(server.address)

    def use(token):
        return client.post(API + "/auth/reset", {"token": token, "password": "a fresh password"})
    token = admin.post(f"/admin/users/{owner.id}/password-reset").json["token"]
    assert use(token[:-1] + ("A" if token[-1] != "A" else "B")).status == 404
    assert use("ekp_" + "A" * 43).status == 404
    assert use(token).status == 204
    assert use(token).status == 410
    made = admin.post(f"/admin/users/{owner.id}/password-reset").json
    until(lambda: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 1)) > made["expires_at"][:19], "its end", 10)
    assert use(made["token"]).status == 410
    other = Person.register(server.address)
    assert other.post(f"/admin/users/{owner.id}/password-reset").status == 403


@pytest.mark.parametrize("password, status", [("a" * 7, 422), ("password1", 422), ("12345678", 422), ("runner@example.org", 422),
                                              ("é" * 40, 201), ("long " * 14, 201), ("x" * (1 << 20), 413)])
def test_passwords_are_long_enough_and_not_common(server, password, status):
    """Short and common ones are refused by name, long ones taken, a megabyte is too large a body."""
    name = f"runner-{uuid.uuid4().hex[:8]}@example.org" if "@" not in password else password
    answer = Client(server.address).post(API + "/auth/register", {"email": name, "password": password, "display_name": "Finn"})
    assert answer.status == status, answer
    if status == 422:
        assert answer.slug == "weak-password" and answer.json["field"] == "password"


@pytest.mark.parametrize("extra", [{"role": "admin"}, {"xp": 9e9}, {"email_verified": True}, {"id": "1"}, {"version": 99}])
def test_fields_that_are_not_ones_own_to_set_are_refused(server, person, extra):
    """422 unknown-field on registration and on the profile, and nothing is changed."""
    fresh = {"email": f"g-{uuid.uuid4().hex[:8]}@example.org", "password": "a long way home", "display_name": "Gail"}
    registered = Client(server.address).post(API + "/auth/register", {**fresh, **extra})
    assert (registered.status, registered.slug) == (422, "unknown-field") and registered.json["field"] == next(iter(extra))
    before = person.get("/me").json
    answer = person.patch("/me", {"display_name": "Changed", **extra})
    assert (answer.status, answer.slug) == (422, "unknown-field"), answer
    assert person.get("/me").json == before


BAD_JSON = {
    "depth 33": b"[" * 33 + b"]" * 33,
    "depth 100000": b"[" * 15_000,
    "a name twice": b'{"email":"a@example.org","email":"b@example.org","password":"x"}',
    "1e400": b'{"email":"a@example.org","password":1e400}',
    "lone surrogate": b'{"email":"\\ud800","password":"x"}',
    "byte order mark": b'\xef\xbb\xbf{"email":"a@example.org","password":"x"}',
    "trailing bytes": b'{"email":"a@example.org","password":"x"}x',
    "invalid UTF-8": b'{"email":"a\xff@example.org","password":"x"}',
    "overlong UTF-8": b'{"email":"a\xc0\xaf@example.org","password":"x"}',
    "comment": b'{"email":"a@example.org"/**/,"password":"x"}',
    "trailing comma": b'{"email":"a@example.org","password":"x",}',
    "NaN": b'{"email":"a@example.org","password":NaN}',
    "nothing": b"",
    "NUL": b'{"email":"a\x00@example.org","password":"x"}',
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_json_is_read_strictly(server, case):
    """400 bad-json: whoever reads it next must not read it otherwise."""
    answer = Client(server.address).request("POST", LOGIN, body=BAD_JSON[case], headers={"Content-Type": "application/json"})
    assert (answer.status, answer.slug) == (400, "bad-json"), answer


HOSTILE = ["Robert'); DROP TABLE users;--", "{{7*7}} ${jndi:ldap://x} %s%n%x", "<script>alert(1)</script>", "\" OR \"\"=\"",
           "=cmd|' /C calc'!A0", "..\\..\\etc\\passwd", "日本語 עברית ру́сский 🏃‍♀️"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_stored_and_returned_as_what_it_is(server, person, text):
    """In every text field: no escaping, no interpretation, and the tables are still there."""
    assert person.patch("/me", {"display_name": text}).json["display_name"] == text
    start = "2024-11-18T06:00:00Z"
    made = person.post("/workouts", {"sport": "run", "start_time": start, "elapsed_s": 600, "name": text, "description": text})
    assert made.status == 201, made
    read = person.get("/workouts/" + made.json["id"]).json
    assert (read["name"], read["description"]) == (text, text)
    found = person.request("GET", "/workouts?q=" + "".join(f"%{b:02x}" for b in text.encode()))
    assert found.status == 200 and [w["id"] for w in found.json["items"]] == [made.json["id"]], found
    key = person.post("/me/api-keys", {"name": text, "scopes": ["workouts:read"]})
    assert key.status == 201 and person.get("/me/api-keys").json["items"][0]["name"] == text
    login = Client(server.address).post(LOGIN, {"email": text, "password": text})
    assert login.status == 401, login


@pytest.mark.parametrize("name", ["a‮gpj.exe", "a⁦b", "x" + "́" * 10_000, "a\x00b", "a\nb", "", "   ", "a" * 81, "￾"])
def test_names_that_look_like_something_else_are_refused(person, name):
    """Bidirectional overrides, towers of marks, control characters, nothing, too much: 422 that names the field."""
    before = person.get("/me").json["display_name"]
    answer = person.patch("/me", {"display_name": name})
    assert answer.status == 422 and answer.json["field"] == "display_name", answer
    assert person.get("/me").json["display_name"] == before
    workout = {"sport": "run", "start_time": "2024-11-18T06:00:00Z", "elapsed_s": 600, "name": name}
    if name.strip():
        made = person.post("/workouts", workout)
        assert made.status in ((422,) if len(name) != 81 else (201, 422)), made


def test_registration_can_be_closed_or_by_invitation(make_server, admin_of):
    """Closed: nobody. By invitation: once for each code."""
    closed = make_server({"user.registration": "closed"})
    body = {"email": "h@example.org", "password": "a long way home", "display_name": "Hal"}
    answer = Client(closed.address).post(API + "/auth/register", body)
    assert (answer.status, answer.slug) == (403, "registration-closed")
    server = make_server({"user.registration": "invitation"})
    client = Client(server.address)
    assert client.post(API + "/auth/register", body).slug == "invitation-needed"
    code = admin_of(server).post("/invitations", {}).json["code"]
    assert client.post(API + "/auth/register", {**body, "invitation": code[:-2] + "AA"}).slug == "bad-invitation"
    assert client.post(API + "/auth/register", {**body, "invitation": code}).status == 201
    again = client.post(API + "/auth/register", {**body, "email": "i@example.org", "invitation": code})
    assert again.slug == "bad-invitation"


def test_a_registration_repeated_under_its_key_is_answered_with_the_first_answer(server):
    """Byte for byte; with another body: 422."""
    client = Client(server.address)
    body = {"email": f"j-{uuid.uuid4().hex[:8]}@example.org", "password": "a long way home", "display_name": "Jo"}
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = client.post(API + "/auth/register", body, headers=key)
    again = client.post(API + "/auth/register", body, headers=key)
    assert first.status == again.status == 201 and first.body == again.body
    other = client.post(API + "/auth/register", {**body, "display_name": "Joe"}, headers=key)
    assert (other.status, other.slug) == (422, "idempotency-key-reused")


def test_erasing_an_account_leaves_nothing(server):
    """Sessions, keys, workouts, the place on the boards: gone; the same address can register anew."""
    kim = Person.register(server.address, "Kim")
    made = kim.post("/workouts", {"sport": "ski", "start_time": "2024-11-18T06:00:00Z", "elapsed_s": 600, "distance_m": 2000})
    other = Person.register(server.address)
    board = "/leaderboards/distance/ski/all"
    until(lambda: any(r["user_id"] == kim.id for r in other.items(board)), "Kim on the board")
    refresh = kim.tokens["refresh_token"]
    assert kim.delete("/me").status == 204
    assert Client(server.address).post(API + "/auth/refresh", {"refresh_token": refresh}).status == 401
    assert Client(server.address).post(LOGIN, {"email": kim.email, "password": kim.password}).status == 401
    until(lambda: all(r["user_id"] != kim.id for r in other.items(board)), "the board without Kim")
    assert other.get("/users/" + kim.id).status == 404
    until(lambda: other.get("/workouts/" + made.json["id"]).status == 404, "the workout gone")
    assert Person.register(server.address, "Kim", email=kim.email).id != kim.id
