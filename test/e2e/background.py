"""What goes on beside a test."""

import threading


class Background:
    """`with` runs `_run()` on a thread of its own until the block ends; `_run()` has to look at `_end`."""

    def __init__(self):
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _run(self):
        raise NotImplementedError
