"""Roles that end, and what the kubelet does for Portitor's containers: what has ended is started again."""

import contextlib
import random

from background import Background


@contextlib.contextmanager
def controller_down(stack):
    """As when its node has died: nobody else takes over."""
    stack.cluster.processes["controller"].kill()
    yield
    stack.start_role("controller")
    stack.wait_ready("controller", timeout=60)


def restart(stack, role, *flags):
    """In order, and with other flags until it is restarted without them."""
    assert stack.cluster.processes[role].stop(timeout=40) == 0
    stack.start_role(role, *flags)
    stack.wait_ready(role, timeout=60)


class Kubelet(Background):
    """`with Kubelet(stack):` starts a role again as soon as it has ended, however it did."""

    def __init__(self, stack, roles=("controller", "verifier", "registrar"), delay=0.1):
        super().__init__()
        self._stack = stack
        self._roles = roles
        self._delay = delay
        self.starts = dict.fromkeys(roles, 0)

    def __exit__(self, *how):
        super().__exit__(*how)
        for role in self._roles:
            self._stack.wait_ready(role, timeout=60)

    def _run(self):
        while not self._end.wait(self._delay):
            self._start_ended()
        self._start_ended()

    def _start_ended(self):
        for role in self._roles:
            if not self._stack.cluster.processes[role].running:
                self._stack.start_role(role)
                self.starts[role] += 1


class Killer(Background):
    """`with Killer(stack, seed, weights):` kills roles with SIGKILL at random moments until the block ends. Who starts
    them again is another's business."""

    def __init__(self, stack, seed, weights, pause=(0.2, 2.5)):
        super().__init__()
        self._stack = stack
        self._random = random.Random(seed)
        self._weights = weights
        self._pause = pause
        self.kills = dict.fromkeys(weights, 0)

    def _run(self):
        while not self._end.wait(self._random.uniform(*self._pause)):
            (role,) = self._random.choices(list(self._weights), list(self._weights.values()))
            process = self._stack.cluster.processes[role]
            if process.running:
                process.kill()
                self.kills[role] += 1
