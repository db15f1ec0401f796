"""Processes of this machine: where they run, what they have used, whether anything else runs."""

import os
import pathlib
import statistics
import time

SERVER_CORE, CLIENT_CORE = 0, 1


def on_core(core, *command):
    """`command`, pinned to one core."""
    return ["taskset", "-c", str(core), *map(str, command)]


def pin_self(core=CLIENT_CORE):
    os.sched_setaffinity(0, {core})


def children_of(pid):
    """All processes below `pid`, without itself."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *children_of(child)]
    return found


def tree(pid):
    return [pid, *children_of(pid)]


def cpu_s(*pids):
    """CPU seconds that these processes have used so far: user and system, all threads, also those that ended."""
    # Linux: the clock of process PID is ~PID << 3 | 2. To the nanosecond, where /proc/PID/stat counts hundredths.
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


def rss_kib(*pids):
    """Resident memory of these processes together; pages that they share count for each."""
    def one(pid):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise RuntimeError(f"/proc tells no VmRSS of {pid}")
    return sum(map(one, pids))


def pss_kib(*pids):
    """As `rss_kib`, but a page that n processes share counts as a part of n."""
    def one(pid):
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
        raise RuntimeError(f"/proc tells no Pss of {pid}")
    return sum(map(one, pids))


def idle_share(seconds=0.5):
    """The part of all cores' time that nobody used, over the next moment."""
    def read():
        fields = [int(x) for x in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return fields[3] + fields[4], sum(fields)
    idle, total = read()
    time.sleep(seconds)
    idle_now, total_now = read()
    return (idle_now - idle) / max(1, total_now - total)


class Quiet:
    """Waits before a round until nobody else works; counts how often that came true, as a figure's worth hangs on it."""

    def __init__(self, wait_s):
        self.wait_s = wait_s
        self.rounds = self.quiet = 0

    def wait(self):
        self.rounds += 1
        deadline = time.monotonic() + self.wait_s
        while True:
            if idle_share() > 0.85:
                self.quiet += 1
                return
            if time.monotonic() > deadline:
                return

    def __str__(self):
        return f"{self.quiet} of {self.rounds} rounds began while the machine was quiet"


def percentile(values, share):
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Samples:
    """Figures of many rounds by name."""

    def __init__(self):
        self.values = {}

    def add(self, name, value):
        self.values.setdefault(name, []).append(value)

    def median(self, name):
        return statistics.median(self.values[name])

    def line(self, name, unit, scale=1.0, digits=2):
        values = [v * scale for v in self.values[name]]
        return (f"{name:<26} {statistics.median(values):>10.{digits}f} {unit} "
                f"({min(values):.{digits}f} to {max(values):.{digits}f}, n={len(values)})")
