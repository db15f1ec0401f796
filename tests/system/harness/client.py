"""An HTTP client over one kept-alive connection, and a person who is signed in through it."""

import http.client
import io
import json
import select
import socket
import uuid
import zlib

from harness.waiting import until

API = "/api/v1"
TERMINAL = ("ready", "failed", "duplicate")


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def slug(self):
        """The last part of a problem's type, or None."""
        if "problem+json" not in self.headers.get("Content-Type", ""):
            return None
        return self.json["type"].removeprefix("urn:ekiden:")

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


class Client:
    """Requests over one connection; a connection that the server closed is opened again for the next request."""

    def __init__(self, address, timeout_s=60):
        self.address = address
        self.timeout_s = timeout_s
        self.connection = None
        self.headers = {}

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def drop_if_ended(self):
        """An idle connection that the server has closed is seen by its end being there to read."""
        if self.connection is None:
            return
        socket_now = self.connection.sock
        if socket_now is None or select.select([socket_now], [], [], 0)[0]:
            self.close()

    def send(self, method, path, body=None, headers=None):
        """One attempt. Raises OSError or http.client.HTTPException where no answer came."""
        self.drop_if_ended()
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=self.timeout_s)
            self.connection.connect()
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        all_headers = {**self.headers, **(headers or {})}
        try:
            self.connection.request(method, path, body=body, headers=all_headers)
            response = self.connection.getresponse()
            data = response.read()
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        if response.headers.get("Content-Encoding") == "gzip":
            data = zlib.decompress(data, 31)
        return Answer(response.status, response.headers, data)

    def request(self, method, path, body=None, headers=None, json_body=None):
        headers = dict(headers or {})
        if json_body is not None:
            body = json.dumps(json_body).encode()
            headers.setdefault("Content-Type", "application/json")
        reused = self.connection is not None
        try:
            return self.send(method, path, body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # An idle connection may be closed at any time: that is no answer to this request.
            if not reused or method not in ("GET", "HEAD"):
                raise
            return self.send(method, path, body, headers)

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, json_body=None, **kwargs):
        return self.request("POST", path, json_body=json_body, **kwargs)


def multipart(files, fields=(), file_field="file"):
    """(body, content type) of a form. `files`: (name, bytes) pairs; `fields`: (name, text) pairs."""
    boundary = "ekiden-" + uuid.uuid4().hex
    out = io.BytesIO()
    for name, text in fields:
        out.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode())
    for name, data in files:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        out.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{file_field}"; filename="{escaped}"\r\n'
                  "Content-Type: application/octet-stream\r\n\r\n".encode())
        out.write(data)
        out.write(b"\r\n")
    out.write(f"--{boundary}--\r\n".encode())
    return out.getvalue(), f"multipart/form-data; boundary={boundary}"


class Person:
    """Somebody with an account, signed in. Paths are given below /api/v1."""

    def __init__(self, client, email, password, display_name):
        self.client = client
        self.email = email
        self.password = password
        self.display_name = display_name
        self.id = None
        self.tokens = {}

    @classmethod
    def register(cls, address, display_name=None, email=None, password=None, **fields):
        tag = uuid.uuid4().hex[:12]
        person = cls(Client(address), email or f"runner-{tag}@example.org", password or f"ekiden of {tag}",
                     display_name or f"Runner {tag}")
        answer = person.client.post(API + "/auth/register", {"email": person.email, "password": person.password,
                                                             "display_name": person.display_name, **fields})
        assert answer.status == 201, answer
        person.id = answer.json["id"]
        person.login()
        return person

    def login(self):
        answer = self.client.post(API + "/auth/login", {"email": self.email, "password": self.password})
        assert answer.status == 200, answer
        self.tokens = answer.json
        if self.id is None:
            self.id = self.get("/me").json["id"]
        return self

    @property
    def headers(self):
        return {"Authorization": "Bearer " + self.tokens["access_token"]}

    def request(self, method, path, json_body=None, headers=None, body=None):
        return self.client.request(method, API + path, body=body, json_body=json_body,
                                   headers={**self.headers, **(headers or {})})

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, json_body=None, **kwargs):
        return self.request("POST", path, json_body=json_body, **kwargs)

    def patch(self, path, json_body, **kwargs):
        return self.request("PATCH", path, json_body=json_body, **kwargs)

    def delete(self, path, **kwargs):
        return self.request("DELETE", path, **kwargs)

    def items(self, path):
        """All items of a list, page by page."""
        found, cursor = [], None
        while True:
            mark = "&" if "?" in path else "?"
            answer = self.get(path + (f"{mark}cursor={cursor}" if cursor else ""))
            assert answer.status == 200, answer
            found += answer.json["items"]
            cursor = answer.json["next_cursor"]
            if cursor is None:
                return found

    def upload(self, *files, fields=(), headers=None):
        """Sends (name, bytes) pairs as one upload."""
        body, content_type = multipart(files, fields)
        return self.request("POST", "/uploads", body=body, headers={"Content-Type": content_type, **(headers or {})})

    def wait_upload(self, upload_id, timeout_s=60):
        """The upload once nothing more happens to it."""
        def finished():
            answer = self.get("/uploads/" + upload_id)
            assert answer.status == 200, answer
            return answer.json if answer.json["status"] in TERMINAL else None
        return until(finished, f"the end of upload {upload_id}", timeout_s)

    def upload_and_wait(self, *files, fields=(), timeout_s=60):
        answer = self.upload(*files, fields=fields)
        assert answer.status == 202, answer
        assert answer.headers["Location"] == f"{API}/uploads/{answer.json['id']}"
        return self.wait_upload(answer.json["id"], timeout_s)

    def upload_one(self, name, data, fields=()):
        """The one workout of a file that is sound."""
        upload = self.upload_and_wait((name, data), fields=fields)
        assert upload["status"] == "ready", upload
        (workout_id,) = upload["files"][0]["workout_ids"]
        answer = self.get("/workouts/" + workout_id)
        assert answer.status == 200, answer
        return answer.json
