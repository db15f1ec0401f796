"""The program under test as a cluster: two processes of each service on real PostgreSQL, Kafka and Redis."""

import contextlib
import importlib.machinery
import importlib.util
import os
import pathlib
import resource
import secrets
import signal
import subprocess

import confluent_kafka
import confluent_kafka.admin
import psycopg2
import redis

from harness.server import CHEAP_HASH, NO_LIMITS, REPOSITORY, Running, ekiden, free_port
from harness.stores import Stores, earlier
from harness.waiting import until


def load_cluster_program():
    """deploy/local/cluster as a module: the tests start a cluster as a person does."""
    loader = importlib.machinery.SourceFileLoader("ekiden_cluster", str(REPOSITORY / "deploy/local/cluster"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


PROGRAM = load_cluster_program()


class SharedServers:
    """One PostgreSQL, Redis and Kafka for all clusters of a run; each cluster has a database and prefixes of its own."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for parent in (self.folder, *self.folder.parents):
            with contextlib.suppress(OSError):
                parent.chmod(parent.stat().st_mode | 0o055)  # PostgreSQL runs as a user of its own
        self.ports = {name: free_port() for name in PROGRAM.SERVERS}
        # Who comes to Kafka through a gate: the broker's port behind it, and the gate's own.
        self.kafka_behind_gate, self.kafka_gate = free_port(), free_port()

    def run(self, verb, name, *arguments):
        subprocess.run([REPOSITORY / "deploy/local/servers" / name, verb, self.folder / name, *map(str, arguments)], check=True)

    def start(self, *names):
        for name in names or PROGRAM.SERVERS:
            second = (self.kafka_behind_gate, self.kafka_gate) if name == "kafka" else ()
            self.run("start", name, self.ports[name], *second)
        return self

    def stop(self, *names):
        for name in names or reversed(PROGRAM.SERVERS):
            self.run("stop", name)

    def kill(self, name):
        self.run("kill", name)

    def new_place(self):
        """Addresses for one cluster, with a database of its own."""
        name = "t" + secrets.token_hex(4)
        with contextlib.closing(psycopg2.connect(self.url("postgres"))) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE {name}")
        return name, {"postgres": self.url(name), "redis": f"redis://127.0.0.1:{self.ports['redis']}",
                      "kafka": f"127.0.0.1:{self.ports['kafka']}"}

    def url(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.ports['postgres']}/{database}"


class ClusterStores(Stores):
    """A database with a schema for each service, topics and groups that begin with a prefix, keys that do."""

    def __init__(self, name, addresses):
        self.name = name
        self.addresses = addresses

    @contextlib.contextmanager
    def opened(self, service):
        with contextlib.closing(psycopg2.connect(self.addresses["postgres"], options=f"-c search_path={service}")) as connection:
            with connection, connection.cursor() as cursor:
                yield SharedSql(cursor)

    @contextlib.contextmanager
    def locked(self, service):
        with self.opened(service) as database:
            tables = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = ?", (service,)).fetchall()
            for (table,) in tables:
                database.execute(f"LOCK TABLE {table} IN SHARE MODE")
            yield

    def rewind_offsets(self, share, rng):
        moved = 0
        admin = confluent_kafka.Consumer({"bootstrap.servers": self.addresses["kafka"], "group.id": "none"})
        topics = [name for name in admin.list_topics(timeout=20).topics if name.startswith(self.name + ".")]
        with contextlib.closing(admin):
            for group in self.groups():
                moved += self.rewind_group(group, topics, share, rng)
        return moved

    def groups(self):
        """Consumer groups of this cluster, as Kafka knows them."""
        client = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.addresses["kafka"]})
        return [group.id for group in client.list_groups(timeout=20) if group.id.startswith(self.name + ".")]

    def rewind_group(self, group, topics, share, rng):
        moved = 0
        member = confluent_kafka.Consumer({"bootstrap.servers": self.addresses["kafka"], "group.id": group,
                                           "enable.auto.commit": False})
        with contextlib.closing(member):
            partitions = [confluent_kafka.TopicPartition(topic, partition)
                          for topic in topics for partition in member.list_topics(topic, timeout=20).topics[topic].partitions]
            chosen = []
            for at in member.committed(partitions, timeout=20):
                if at.offset < 0:
                    continue
                begin, _ = member.get_watermark_offsets(at, timeout=20)
                target = earlier(begin, at.offset, share, rng)
                moved += at.offset - target
                chosen.append(confluent_kafka.TopicPartition(at.topic, at.partition, target))
            if chosen:
                until(lambda: committed(member, chosen), f"the members of {group} to be gone", 30, every_s=0.2)
        return moved

    def flush_redis(self):
        with contextlib.closing(redis.Redis.from_url(self.addresses["redis"])) as client:
            client.flushall()


def committed(member, offsets):
    """Whether the broker took them: it does once no session of the group's members is left."""
    try:
        member.commit(offsets=offsets, asynchronous=False)
        return True
    except confluent_kafka.KafkaException as error:
        if error.args[0].code() != confluent_kafka.KafkaError.UNKNOWN_MEMBER_ID:
            raise
        return False


class SharedSql:
    """A cursor that takes `?` for a parameter."""

    def __init__(self, cursor):
        self.cursor = cursor

    def execute(self, statement, parameters=()):
        self.cursor.execute(statement.replace("?", "%s"), parameters)
        return self

    def fetchone(self):
        row = self.cursor.fetchone()
        return row and as_sqlite_has_it(row)

    def fetchall(self):
        return [as_sqlite_has_it(row) for row in self.cursor.fetchall()]


def as_sqlite_has_it(row):
    """Bytes are bytes."""
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)


class ClusterServer(Running):
    """Stands where Server stands: `address` is the first gateway's."""

    def __init__(self, folder, servers, settings=None):
        self.folder = pathlib.Path(folder)
        self.settings = {**CHEAP_HASH, **NO_LIMITS, **(settings or {})}
        self.servers = servers
        self.name, self.addresses = servers.new_place()
        self.cluster = PROGRAM.Cluster(self.folder / "cluster", self.addresses)
        self.address = ("127.0.0.1", free_port())
        self.expected_errors = ()

    @property
    def stores(self):
        return ClusterStores(self.name, self.addresses)

    @property
    def keys(self):
        return self.cluster.data / "keys"

    @property
    def pid(self):
        """Of the process that `address` leads to."""
        return self.cluster.pid("gateway-1")

    def pids(self):
        return [self.cluster.pid(name) for name in self.cluster.ours()]

    @property
    def processes(self):
        return [("127.0.0.1", self.cluster.ports[name]) for name in self.cluster.ours()]

    @property
    def gateways(self):
        return [("127.0.0.1", self.cluster.ports[f"gateway-{copy}"]) for copy in PROGRAM.COPIES]

    def ekiden(self, *arguments, **kwargs):
        self.prepare()
        return ekiden(*arguments, "--config", self.cluster.config_file, "--data", self.folder / "command", **kwargs)

    def prepare(self):
        own = {"log.prefix": self.name + ".", "redis.prefix": self.name + ":", "cluster.drain_delay": "0s"}
        settings = {key: parsed(value) for key, value in {**own, **self.settings}.items()}
        self.cluster.prepare(self.address[1], settings)

    def start(self):
        self.prepare()
        self.cluster.start_all()
        return self

    def kill(self):
        """kill -9 of every process of ours, at once."""
        self.signal_all(signal.SIGKILL)

    def stop(self):
        """SIGTERM to every process of ours, gateways first. Returns 0 where all ended well."""
        self.signal_all(signal.SIGTERM)
        return 0

    def signal_all(self, number):
        self.cluster.signal_together(list(reversed(self.cluster.ours())), number)

    def close(self):
        if self.cluster.ports:
            self.stop()

    def kill_one(self, name):
        self.cluster.signal(name, signal.SIGKILL)

    def stop_one(self, name):
        self.cluster.signal(name, signal.SIGTERM)

    @contextlib.contextmanager
    def frozen(self, name):
        """The process stands still, and then goes on as if nothing had been."""
        pid = self.cluster.pid(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def limit_descriptors(self, name, most):
        """Of the process `name`. Returns what puts the limit back."""
        pid = self.cluster.pid(name)
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, before[1]))
        return lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, before)

    def start_one(self, name):
        """Starts a process (also one that the plan does not have, `gamification-3`) and waits until it is ready."""
        self.cluster.start(name)
        self.cluster.await_ready([name])

    def log_files(self):
        return sorted((self.cluster.data / "logs").glob("*.log"))


def parsed(value):
    """As deploy/local/cluster reads `--set KEY=VALUE`."""
    return PROGRAM.parsed_setting(f"a.b={value}")[1] if isinstance(value, str) else value
