"""Looking into the stores of a stopped server, and bending what lies there, as a crash or a restored copy would."""

import abc
import contextlib
import datetime
import sqlite3
import struct
import uuid


def pack_headers(headers):
    return b"".join(struct.pack(">II", len(name), len(value)) + name + value
                    for name, value in ((n.encode(), v.encode()) for n, v in headers))


class Stores(abc.ABC):
    """The same questions in both shapes. SQL is what SQLite and PostgreSQL share, with `?` for a parameter."""

    @abc.abstractmethod
    def opened(self, service):
        """A context: the service's database, in one transaction that is committed at its end."""

    @abc.abstractmethod
    def locked(self, service):
        """A context in which the service can change nothing in its database."""

    @abc.abstractmethod
    def rewind_offsets(self, share, rng):
        """Sets every group's committed offsets back to a random earlier place: its last `share` comes again.
        Returns how many events that are."""

    def publish_again(self, service, share, rng):
        """Marks some published outbox rows as not published: the relay sends these events a second time."""
        with self.opened(service) as database:
            ids = [row[0] for row in database.execute("SELECT event_id FROM outbox WHERE published_at IS NOT NULL").fetchall()]
            chosen = [one for one in ids if rng.random() < share]
            for one in chosen:
                database.execute("UPDATE outbox SET published_at = NULL WHERE event_id = ?", (one,))
        return len(chosen)

    def append_to_outbox(self, service, topic, key, kind, subject, sequence, data):
        """Puts an event into a service's outbox as that service itself never would. Returns its id."""
        event, now = uuid.uuid4(), datetime.datetime.now(datetime.timezone.utc)
        headers = [("ce_specversion", "1.0"), ("ce_id", str(event)), ("ce_source", service), ("ce_type", kind),
                   ("ce_subject", subject), ("ce_time", now.strftime("%Y-%m-%dT%H:%M:%SZ")), ("ce_partitionkey", key),
                   ("content-type", "application/json"), ("ce_schema", "1"), ("ce_sequence", str(sequence))]
        micros = int(now.timestamp() * 1_000_000)
        with self.opened(service) as database:
            position = (database.execute("SELECT MAX(position) FROM outbox").fetchone()[0] or 0) + 1
            database.execute("INSERT INTO outbox (event_id, position, topic, key, type, subject, sequence, headers, data, "
                             "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                             (event.bytes, position, topic, key.encode(), kind, subject, sequence, pack_headers(headers), data,
                              micros))
        return str(event)


class EmbeddedStores(Stores):
    """One data folder with a SQLite file for each service, and one for the log."""

    def __init__(self, data):
        self.data = data

    @contextlib.contextmanager
    def opened(self, service):
        (path,) = sorted(self.data.rglob(f"{service}.db"))
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as database:
            with database:
                yield database

    @contextlib.contextmanager
    def locked(self, service):
        with self.opened(service) as database:
            database.execute("BEGIN IMMEDIATE")
            yield
            database.execute("ROLLBACK")

    def rewind_offsets(self, share, rng):
        moved = 0
        with self.opened("log") as database:
            rows = database.execute("SELECT c.group_id, c.partition_id, c.next_offset, p.begin_offset FROM commits c "
                                    "JOIN partitions p ON p.id = c.partition_id").fetchall()
            for group, partition, committed, begin in rows:
                target = earlier(begin, committed, share, rng)
                moved += committed - target
                database.execute("UPDATE commits SET next_offset = ? WHERE group_id = ? AND partition_id = ?",
                                 (target, group, partition))
        return moved


def earlier(begin, committed, share, rng):
    """An offset before `committed`, drawn from its last `share`."""
    back = int((committed - begin) * share * rng.random()) + 1
    return max(begin, committed - back)
