"""Looking into the data folder of a stopped server, and bending what lies there, as a crash or a restored copy would."""

import contextlib
import datetime
import sqlite3
import struct
import uuid


@contextlib.contextmanager
def opened(server, name):
    """The database `name`.db of the server's data folder, in one transaction."""
    (path,) = sorted(server.data.rglob(f"{name}.db"))
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as database:
        with database:
            yield database


def rewind_offsets(server, share, rng):
    """Sets every group's committed offsets back to a random earlier place: its last `share` comes again."""
    moved = 0
    with opened(server, "log") as database:
        rows = database.execute("SELECT c.group_id, c.partition_id, c.next_offset, p.begin_offset FROM commits c "
                                "JOIN partitions p ON p.id = c.partition_id").fetchall()
        for group, partition, committed, begin in rows:
            back = int((committed - begin) * share * rng.random()) + 1
            target = max(begin, committed - back)
            moved += committed - target
            database.execute("UPDATE commits SET next_offset = ? WHERE group_id = ? AND partition_id = ?",
                             (target, group, partition))
    return moved


def publish_again(server, service, share, rng):
    """Marks some published outbox rows as not published: the relay sends these events a second time."""
    with opened(server, service) as database:
        ids = [row[0] for row in database.execute("SELECT event_id FROM outbox WHERE published_at IS NOT NULL")]
        chosen = [one for one in ids if rng.random() < share]
        database.executemany("UPDATE outbox SET published_at = NULL WHERE event_id = ?", [(one,) for one in chosen])
    return len(chosen)


def pack_headers(headers):
    return b"".join(struct.pack(">II", len(name), len(value)) + name + value
                    for name, value in ((n.encode(), v.encode()) for n, v in headers))


def append_to_outbox(server, service, topic, key, kind, subject, sequence, data):
    """Puts an event into a service's outbox as that service itself never would. Returns its id."""
    event, now = uuid.uuid4(), datetime.datetime.now(datetime.timezone.utc)
    headers = [("ce_specversion", "1.0"), ("ce_id", str(event)), ("ce_source", service), ("ce_type", kind), ("ce_subject", subject),
               ("ce_time", now.strftime("%Y-%m-%dT%H:%M:%SZ")), ("ce_partitionkey", key), ("content-type", "application/json"),
               ("ce_schema", "1"), ("ce_sequence", str(sequence))]
    micros = int(now.timestamp() * 1_000_000)
    with opened(server, service) as database:
        position = (database.execute("SELECT MAX(position) FROM outbox").fetchone()[0] or 0) + 1
        database.execute("INSERT INTO outbox (event_id, position, topic, key, type, subject, sequence, headers, data, created_at) "
                         "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         (event.bytes, position, topic, key.encode(), kind, subject, sequence, pack_headers(headers), data, micros))
    return str(event)
