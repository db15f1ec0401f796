"""What a comparison prints at its end: one line a ratio, which bench/run collects."""

import operator

COMPARE = {">=": operator.ge, "<=": operator.le}
PREFIX = "result\t"


def result(what, ratio, goal=None, note=""):
    """`goal`: (">=" or "<=", number), or None where the figure is told for information.
    The line: `result`, what, ratio, goal, verdict, note, with tabs between."""
    verdict = "for information"
    if goal:
        verdict = "reached" if COMPARE[goal[0]](ratio, goal[1]) else "MISSED"
    told = f"{goal[0]} {goal[1]:g}" if goal else "-"
    figure = f"{ratio:.4g}" if ratio < 1000 else f"{ratio:.0f}"
    print(f"{PREFIX}{what}\t{figure}\t{told}\t{verdict}\t{note}", flush=True)


def read_result(line):
    """The fields of such a line, or None."""
    return line.rstrip("\n").split("\t")[1:] if line.startswith(PREFIX) else None
