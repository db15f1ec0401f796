"""Waiting for something to become true, with a deadline and a reason."""

import time


class Late(AssertionError):
    """What was waited for did not come."""


def until(check, what, timeout_s=20.0, every_s=0.02):
    """Calls `check` until it answers something true, and returns that. Raises Late with the last answer or error."""
    deadline = time.monotonic() + timeout_s
    last = None
    while True:
        try:
            last = check()
            if last:
                return last
        except (OSError, AssertionError) as error:
            last = error
        if time.monotonic() > deadline:
            raise Late(f"waited {timeout_s} s for {what}; last seen: {last!r}")
        time.sleep(every_s)
