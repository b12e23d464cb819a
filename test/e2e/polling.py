"""An impatient buyer who never pays: asks for a path all the time, and remembers every answer."""

import time

from background import Background


class UnpaidPoller(Background):
    """`with UnpaidPoller(stack, path) as poller:` polls until the block ends."""

    def __init__(self, stack, path, interval=0.004):
        super().__init__()
        self._stack = stack
        self._path = path
        self._interval = interval
        self.answers = []  # (when in Unix seconds, status, or 0 for none)
        self.unanswered = []  # (when in Unix seconds, after how many seconds, why)

    def _run(self):
        while not self._end.is_set():
            asked = time.time()
            try:
                status = self._stack.get(self._path).status
            except OSError as failed:
                status = 0
                self.unanswered.append((asked, time.time() - asked, repr(failed)))
            self.answers.append((asked, status))
            time.sleep(self._interval)

    def first(self, status):
        """When that status was seen for the first time, or None."""
        return next((when for when, seen in list(self.answers) if seen == status), None)

    def statuses(self):
        """How often each status was seen."""
        counts = {}
        for _, status in self.answers:
            counts[status] = counts.get(status, 0) + 1
        return counts

    def free_rides(self):
        """Answers that only a payment may bring."""
        return [answer for answer in self.answers if 200 <= answer[1] < 300]
