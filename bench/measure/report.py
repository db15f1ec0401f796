"""What a comparison prints at its end: one line a ratio, which bench/run collects."""

import operator

COMPARE = {">=": operator.ge, "<=": operator.le}
PREFIX = "result\t"


def verdict(figure, goal):
    """`goal`: (">=" or "<=", number), or None where the figure is told for information."""
    if goal is None:
        return "for information"
    return "reached" if COMPARE[goal[0]](figure, goal[1]) else "MISSED"


def result(what, figure, goal=None, note=""):
    """The line: `result`, what, figure, goal, verdict, note, with tabs between."""
    told = f"{goal[0]} {goal[1]:g}" if goal else "-"
    short = f"{figure:.4g}" if figure < 1000 else f"{figure:.0f}"
    print(f"{PREFIX}{what}\t{short}\t{told}\t{verdict(figure, goal)}\t{note}", flush=True)


def read_result(line):
    """The fields of such a line, or None."""
    return line.rstrip("\n").split("\t")[1:] if line.startswith(PREFIX) else None
