"""The gate itself: each of its effects does what it says, else the fault tests would prove nothing."""

import contextlib
import socket
import threading
import time

import pytest

from harness import gate as g


@pytest.fixture
def echo():
    """A server that sends back what it gets; its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection):
        with connection, contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                connection.sendall(piece)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()
    listener.close()


@pytest.fixture
def gate(echo):
    with g.Gate(echo) as made:
        yield made


def talk(gate, sent, timeout_s=5):
    """Sends it and returns what comes back until as much has come, or the end, or `timeout_s` of silence (then None is
    appended to what came: a hanging peer)."""
    got = b""
    with socket.create_connection(gate.address, timeout=timeout_s) as connection:
        try:
            connection.sendall(sent)
            while len(got) < len(sent):
                piece = connection.recv(65536)
                if not piece:
                    return got, "closed"
                got += piece
        except TimeoutError:
            return got, "silent"
        except ConnectionError:
            return got, "closed"
    return got, "whole"


def test_it_passes_on(gate):
    data = bytes(range(256)) * 4000
    assert talk(gate, data) == (data, "whole")


@pytest.mark.parametrize("effect", [g.Drop(), g.Noop()])
@pytest.mark.parametrize("direction", ["to_server", "to_client"])
def test_silence(gate, effect, direction):
    setattr(gate, direction, effect)
    assert talk(gate, b"hello", timeout_s=0.5) == (b"", "silent")


def test_delay(gate):
    gate.to_client = g.Delay(0.3)
    begun = time.monotonic()
    assert talk(gate, b"hello") == (b"hello", "whole")
    assert time.monotonic() - begun >= 0.3


def test_close_on_data(gate):
    gate.to_server = g.CloseOnData()
    assert talk(gate, b"hello") == (b"", "closed")


def test_corrupt(gate):
    gate.to_server = g.Corrupt(every=3)
    assert talk(gate, b"aaaaaa") == (b"aa`aa`", "whole")


def test_a_slow_line(gate):
    gate.to_server = g.BytesPerSecond(1000)
    begun = time.monotonic()
    assert talk(gate, b"x" * 500)[1] == "whole"
    assert time.monotonic() - begun >= 0.5


def test_a_time_limit(gate):
    gate.to_server = g.TimeLimit(0.2)
    with socket.create_connection(gate.address, timeout=5) as connection:
        connection.sendall(b"a")
        assert connection.recv(1) == b"a"
        time.sleep(0.3)
        connection.sendall(b"b")
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1) == b""


def test_smaller_parts_arrive_whole(gate):
    gate.to_server, gate.to_client = g.SmallerParts(1), g.SmallerParts(3)
    assert talk(gate, b"0123456789" * 50) == (b"0123456789" * 50, "whole")


def test_concat_joins_what_came_apart(gate):
    gate.to_client = g.Concat(1 << 20, seconds=0.2)
    assert talk(gate, b"one two three") == (b"one two three", "whole")


def test_a_byte_limit(gate):
    gate.to_client = g.ByteLimit(7)
    assert talk(gate, b"0123456789") == (b"0123456", "closed")
    assert talk(gate, b"0123456789") == (b"0123456", "closed"), "each connection has a limit of its own"


def test_substitute(gate):
    gate.to_server = g.Substitute(b"COMMIT", b"COMMAT")
    assert talk(gate, b"COMMIT;") == (b"COMMAT;", "whole")


def test_cut_after_a_pattern(gate):
    gate.to_server = g.CutAfter(b"COMMIT")
    gate.to_client = g.Delay(1)  # the answer comes too late for a connection that was cut
    assert talk(gate, b"BEGIN;")[1] == "whole"
    assert talk(gate, b"BEGIN;COMMIT;") == (b"", "closed")


def test_cut_refuse_and_accept_again(gate):
    with socket.create_connection(gate.address, timeout=5) as connection:
        connection.sendall(b"a")
        assert connection.recv(1) == b"a"
        gate.cut()
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1) == b""
    gate.refuse()
    with pytest.raises(OSError):
        socket.create_connection(gate.address, timeout=5)
    gate.accept()
    assert talk(gate, b"again") == (b"again", "whole")
