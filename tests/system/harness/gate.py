"""A TCP gate between two parts: it passes bytes on, or does to them what a bad network does, each way by itself.

    with Gate(("127.0.0.1", 5432)) as gate:      # connect to gate.address instead
        gate.to_server = Delay(0.2)              # from now on, also on connections that are open
        gate.cut()                               # closes all connections; new ones are welcome
        gate.refuse(); gate.accept()             # nothing listens; it listens again, on the same port"""

import asyncio
import contextlib
import socket
import threading

CHUNK = 65536


class Effect:
    """What happens to the pieces of one direction of one connection. `apply` yields what is sent on; Cut ends the
    connection. A gate makes a fresh copy of the effect for each connection."""

    def fresh(self):
        return self

    async def apply(self, piece):
        yield piece


class Cut(Exception):
    """The connection ends here."""


class Pass(Effect):
    """Sends everything on at once."""


class Noop(Effect):
    """Reads nothing any more: the sender's buffers fill, as when the other side hangs."""

    async def apply(self, piece):
        await asyncio.Event().wait()
        yield piece


class Drop(Effect):
    """Reads and forgets: the other side never hears anything."""

    async def apply(self, piece):
        for nothing in ():
            yield nothing


class Delay(Effect):
    """Sends on after a while, in order."""

    def __init__(self, seconds):
        self.seconds = seconds

    async def apply(self, piece):
        await asyncio.sleep(self.seconds)
        yield piece


class CloseOnData(Effect):
    """Ends the connection at the first byte."""

    async def apply(self, piece):
        raise Cut
        yield piece


class Corrupt(Effect):
    """Turns one bit of every `every`-th byte."""

    def __init__(self, every=1000):
        self.every = every
        self.seen = 0

    def fresh(self):
        return Corrupt(self.every)

    async def apply(self, piece):
        bent = bytearray(piece)
        for i in range(len(bent)):
            self.seen += 1
            if self.seen % self.every == 0:
                bent[i] ^= 1
        yield bytes(bent)


class BytesPerSecond(Effect):
    """A slow line."""

    def __init__(self, rate):
        self.rate = rate

    async def apply(self, piece):
        step = max(1, self.rate // 50)
        for at in range(0, len(piece), step):
            part = piece[at:at + step]
            await asyncio.sleep(len(part) / self.rate)
            yield part


class TimeLimit(Effect):
    """Ends the connection so long after its first byte."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.until = None

    def fresh(self):
        return TimeLimit(self.seconds)

    async def apply(self, piece):
        now = asyncio.get_running_loop().time()
        self.until = self.until or now + self.seconds
        if now >= self.until:
            raise Cut
        yield piece


class SmallerParts(Effect):
    """Sends pieces of at most `size` bytes, each a packet of its own."""

    def __init__(self, size=1):
        self.size = size

    async def apply(self, piece):
        for at in range(0, len(piece), self.size):
            yield piece[at:at + self.size]
            await asyncio.sleep(0)


class Concat(Effect):
    """Holds bytes back until there are `size` of them, or nothing has come for `seconds`."""

    def __init__(self, size, seconds=0.2):
        self.size = size
        self.seconds = seconds
        self.held = b""

    def fresh(self):
        return Concat(self.size, self.seconds)

    async def apply(self, piece):
        self.held += piece
        if len(self.held) < self.size:
            await asyncio.sleep(self.seconds)
        held, self.held = self.held, b""
        if held:
            yield held


class ByteLimit(Effect):
    """Passes so many bytes and then ends the connection, in the middle of whatever it is."""

    def __init__(self, size):
        self.left = self.size = size

    def fresh(self):
        return ByteLimit(self.size)

    async def apply(self, piece):
        part, self.left = piece[:self.left], self.left - len(piece)
        if part:
            yield part
        if self.left <= 0:
            raise Cut


class Substitute(Effect):
    """Puts other bytes of the same length in the place of some. A pattern that is cut in two passes unseen."""

    def __init__(self, old, new):
        assert len(old) == len(new)
        self.old, self.new = old, new

    async def apply(self, piece):
        yield piece.replace(self.old, self.new)


class CutAfter(Effect):
    """Passes everything up to and with the first `pattern`, then ends the connection: the answer to it is lost."""

    def __init__(self, pattern):
        self.pattern = pattern
        self.tail = b""

    def fresh(self):
        return CutAfter(self.pattern)

    async def apply(self, piece):
        yield piece
        self.tail = (self.tail + piece)[-(len(self.pattern) + len(piece)):]
        if self.pattern in self.tail:
            await asyncio.sleep(0.05)  # the other side has it and acts on it
            raise Cut
        self.tail = self.tail[-len(self.pattern):]


class Gate:
    """Listens on `port`, or a free one, of loopback and connects each client to `target`. Its own thread; close it."""

    def __init__(self, target, port=0):
        self.target = target
        self.to_server = Pass()
        self.to_client = Pass()
        self.connections = 0  # ever made
        self.open = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="gate", daemon=True)
        self.thread.start()
        self.port = port
        self.server = None
        self.accept()

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def on_loop(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=20)

    def accept(self):
        async def listen():
            self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port)
            self.port = self.server.sockets[0].getsockname()[1]
        if self.server is None:
            self.on_loop(listen())

    def refuse(self):
        async def stop():
            self.server.close()
            self.server = None
        if self.server is not None:
            self.on_loop(stop())

    def cut(self):
        """Resets all connections that are open."""
        async def reset():
            for writer in list(self.open):
                raw = writer.get_extra_info("socket")
                if raw is not None:
                    with contextlib.suppress(OSError):
                        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                writer.transport.abort()
        self.on_loop(reset())

    def close(self):
        async def end():
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        self.refuse()
        self.cut()
        self.on_loop(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=20)
        self.loop.close()

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            behind_reader, behind_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        self.open |= {writer, behind_writer}
        pumps = [asyncio.create_task(self.pump(reader, behind_writer, "to_server")),
                 asyncio.create_task(self.pump(behind_reader, writer, "to_client"))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for one in (writer, behind_writer):
                self.open.discard(one)
                one.transport.abort()

    async def pump(self, reader, writer, direction):
        template, effect = None, None
        while True:
            piece = await reader.read(CHUNK)
            if not piece:
                with contextlib.suppress(OSError):
                    writer.write_eof()
                return
            if getattr(self, direction) is not template:
                template = getattr(self, direction)
                effect = template.fresh()
            async for part in effect.apply(piece):
                writer.write(part)
                await writer.drain()
