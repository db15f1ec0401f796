"""Bytes as they are, where an HTTP client would be too polite."""

import json
import socket
import time


class RawAnswer:
    def __init__(self, data, closed):
        self.data = data
        self.closed = closed
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        self.status = int(lines[0].split()[1]) if len(lines[0].split()) > 1 else 0
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            self.headers[name.strip().lower().decode()] = value.strip().decode()

    @property
    def slug(self):
        if "problem+json" not in self.headers.get("content-type", ""):
            return None
        return json.loads(self.body)["type"].removeprefix("urn:ekiden:")

    def __repr__(self):
        return f"<{self.status} closed={self.closed} {self.data[:300]!r}>"


def read_answer(connection, timeout_s):
    """One answer: until the connection ends, or the body is whole (then closed=False)."""
    deadline = time.monotonic() + timeout_s
    data = b""
    while True:
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            piece = b""
        except (TimeoutError, socket.timeout):
            return RawAnswer(data, closed=False)
        if not piece:
            return RawAnswer(data, closed=True)
        data += piece


def exchange(address, data, timeout_s=5.0):
    """Sends bytes and reads to the end of the connection, or until nothing has come for `timeout_s`."""
    with socket.create_connection(address, timeout=timeout_s) as connection:
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            # It was refused before all was sent; the answer is there all the same.
            pass
        return read_answer(connection, timeout_s)


def get(path="/healthz", *lines, method="GET", version="HTTP/1.1", host="localhost"):
    """A request's bytes; further header lines as they are given."""
    head = [f"{method} {path} {version}".encode()]
    if host is not None:
        head.append(f"Host: {host}".encode())
    head += [line if isinstance(line, bytes) else line.encode() for line in lines]
    return b"\r\n".join(head) + b"\r\n\r\n"
