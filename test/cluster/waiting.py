"""Waiting for something to become true."""

import time

from .errors import ClusterError


def wait_until(condition, timeout, what, interval=0.02):
    """Polls `condition` until it returns something true, and returns that; `what` names it in the error."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            raise ClusterError(f"{what}: not so within {timeout:g} s")
        time.sleep(interval)
