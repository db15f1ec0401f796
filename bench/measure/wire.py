"""HTTP with as little work as Python allows on the client's side: requests are made beforehand, answers barely read."""

import json
import select
import socket
import uuid


def request_bytes(method, path, headers=(), body=b""):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{k}: {v}" for k, v in dict(headers).items())]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def form(data, name="run.gpx"):
    """(body, content type) of a form with one file."""
    boundary = "ekiden-" + uuid.uuid4().hex
    head = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n").encode()
    return head + data + f"\r\n--{boundary}--\r\n".encode(), "multipart/form-data; boundary=" + boundary


class Wire:
    """One kept-alive connection. @threads one"""

    def __init__(self, address, timeout_s=120):
        self.address, self.timeout_s = address, timeout_s
        self.open()

    def open(self):
        self.socket = socket.create_connection(self.address, timeout=self.timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waiting = b""

    def refresh(self):
        """Opens it again where the server has ended it, as servers do with connections that rest between two rounds."""
        if select.select([self.socket], [], [], 0)[0]:
            self.close()
            self.open()

    def close(self):
        self.socket.close()

    def ask(self, request):
        """(status, body) of one request. Answers must have a Content-Length, or no body."""
        self.socket.sendall(request)
        return self.answer()

    def answer(self):
        data = self.waiting
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self.more()
        head = data[:end].lower()
        mark = head.find(b"\r\ncontent-length:")
        size = int(head[mark + 17:].split(b"\r\n", 1)[0]) if mark >= 0 else 0
        stop = end + 4 + size
        while len(data) < stop:
            data += self.more()
        self.waiting = data[stop:]
        return int(data[9:12]), data[end + 4:stop]

    def more(self):
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise ConnectionError("the server ended the connection")
        return piece


def ask_json(address, method, path, headers=(), body=None):
    """One request on a connection of its own. Raises unless the answer is 2xx."""
    wire = Wire(address)
    try:
        data = json.dumps(body).encode() if body is not None else b""
        extra = {"Content-Type": "application/json"} if body is not None else {}
        status, answer = wire.ask(request_bytes(method, path, {**extra, **dict(headers)}, data))
    finally:
        wire.close()
    if status // 100 != 2:
        raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
    return json.loads(answer) if answer else None
