"""Clients that ask paths at a steady rate, each in a process of its own, and tell how long each answer took."""

import multiprocessing
import os
import time

from measure.machine import CLIENT_CORE, pin_self
from measure.wire import Wire

INTERVAL_S = 0.003
RAMP_S = 0.2  # left out at the beginning: the connection is new


def phase(wire, request, orders):
    """Asks until something is ordered; returns the seconds that each answer took."""
    taken, begun = [], time.perf_counter()
    due = begun
    while not orders.poll():
        now = time.perf_counter()
        if now < due:
            time.sleep(due - now)
            due = time.perf_counter()
        status, body = wire.ask(request)
        if status != 200:
            raise RuntimeError(f"{request[:60]!r}: {status} {body[:200]!r}")
        # From when it was due: a late answer delays the questions behind it, and they count as late too.
        answered = time.perf_counter()
        if answered - begun > RAMP_S:
            taken.append(answered - due)
        due += INTERVAL_S
    return taken


def probe(address, request, orders):
    """Runs in the child: each "go" of the parent is one phase, which lasts until its "stop"."""
    pin_self(CLIENT_CORE)
    try:
        # Before the load's own processes on this core, so that a wait is the server's.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
        orders.send(True)
    except PermissionError:
        orders.send(False)
    while orders.recv() == "go":
        # Anew for each phase: the server ends connections that rest for long.
        wire = Wire(address)
        taken = phase(wire, request, orders)
        wire.close()
        orders.recv()
        orders.send(taken)


class Prober:
    """Asks several paths at once. `requests`: name to the request's bytes."""

    def __init__(self, address, requests):
        self.orders, self.processes = {}, []
        for name, request in requests.items():
            self.orders[name], theirs = multiprocessing.Pipe()
            self.processes.append(multiprocessing.Process(target=probe, args=(address, request, theirs), daemon=True))
            self.processes[-1].start()
            theirs.close()
        self.is_first = all([one.recv() for one in self.orders.values()])

    def during(self, work):
        """{name: seconds of every answer} while `work` ran."""
        for one in self.orders.values():
            one.send("go")
        try:
            work()
        finally:
            for one in self.orders.values():
                one.send("stop")
        return {name: one.recv() for name, one in self.orders.items()}

    def close(self):
        for one in self.orders.values():
            one.send("end")
        for process in self.processes:
            process.join(10)
