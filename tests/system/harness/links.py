"""A cluster in which one kind of connection goes through gates."""

import contextlib

from harness.gate import Gate, Pass

LINKS = ("gamification", "postgres", "redis", "kafka")


@contextlib.contextmanager
def gated(make_server, link, settings=None):
    """(server, gates): a running cluster whose processes reach `link` through `gates` only. `link` is a service (one gate
    a process, between it and the gateways) or a server (one gate, between it and every process)."""
    server = make_server(settings, start=False)
    with contextlib.ExitStack() as stack:
        if link == "kafka":
            gates = [stack.enter_context(Gate(("127.0.0.1", server.servers.kafka_behind_gate), server.servers.kafka_gate))]
            server.settings["log.brokers"] = f"127.0.0.1:{gates[0].port}"
        elif link in ("postgres", "redis"):
            gates = [stack.enter_context(Gate(("127.0.0.1", server.servers.ports[link])))]
            key = "sql.url" if link == "postgres" else "redis.url"
            server.settings[key] = server.addresses[link].replace(str(server.servers.ports[link]), str(gates[0].port), 1)
        else:
            server.prepare()
            ports = [server.cluster.ports[f"{link}-{copy}"] for copy in (1, 2)]
            gates = [stack.enter_context(Gate(("127.0.0.1", port))) for port in ports]
            server.settings[f"upstream.{link}"] = [f"127.0.0.1:{gate.port}" for gate in gates]
        server.start()
        try:
            yield server, gates
        finally:
            for gate in gates:
                heal(gate)
            server.close()


def heal(gate):
    """Everything passes again; what was open is ended, as it may lack bytes in its middle."""
    gate.accept()
    gate.to_server, gate.to_client = Pass(), Pass()
    gate.cut()
