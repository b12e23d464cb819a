"""Sends requests as fast as one process can, and counts what comes back."""

import collections
import select

# What a gate may say to a request that is not paid: anything but a grant or a fault.
UNAVAILABLE = (502, 503)
BATCH = 16


class Sender:
    """Sends requests over a few connections, many at once over each, and counts the answers."""

    def __init__(self, connect, connections=8):
        self._connect = connect
        self._lines = [None] * connections
        self._received = [bytearray() for _ in range(connections)]
        self._fresh = [True] * connections
        self.answers = collections.Counter()
        self.wrong = []  # (request, answer) of those that must not be

    def close(self):
        for each in self._lines:
            if each:
                each.close()

    def send(self, make, count):
        """So many of what `make` returns."""
        waiting = collections.deque()
        left = count
        while left > 0 or waiting:
            batches = []
            for index in range(len(self._lines)):
                batch = []
                while len(batch) < BATCH and (waiting or left > 0):
                    if not waiting:
                        left -= 1
                    batch.append(waiting.popleft() if waiting else make())
                if batch:
                    batches.append((index, batch))
            for index, batch in batches:
                if self._lines[index] is None:
                    self._lines[index] = self._connect()
                    self._fresh[index] = True
                self._put(index, batch)
            for index, batch in batches:
                waiting.extend(self._take(index, batch))

    def _put(self, index, batch):
        line = self._lines[index]
        line.setblocking(False)
        content = memoryview(b"".join(batch))
        got = self._received[index]
        # What is answered meanwhile is read, so that neither side waits for the other's room.
        try:
            while content:
                readable, writable, _ = select.select([line], [line], [], 30)
                if readable:
                    came = line.recv(1 << 16)
                    if not came:
                        return
                    got += came
                if writable:
                    content = content[line.send(content) :]
        except OSError:
            pass

    def _take(self, index, batch):
        """Reads the answers; returns the requests that were not looked at, as an earlier one ended the connection."""
        line, got = self._lines[index], self._received[index]
        line.settimeout(40)
        for number, request in enumerate(batch):
            while True:
                size = _size_of(got)
                if size is not None and len(got) >= size:
                    break
                try:
                    came = line.recv(1 << 16)
                except OSError:
                    came = b""
                if not came:
                    line.close()
                    self._lines[index] = None
                    got.clear()
                    # The last answer before these may have been the connection's last one.
                    if number == 0 and self._fresh[index]:
                        self._count(0, request, b"")
                        number = 1
                    return batch[number:]
                got += came
            self._fresh[index] = False
            self._count(int(got[9:12]), request, bytes(got[:size]))
            del got[:size]
        return []

    def _count(self, status, request, answer):
        self.answers[status] += 1
        if status < 300 or (status >= 500 and status not in UNAVAILABLE):
            self.wrong.append((request, answer))


def _size_of(answer):
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return None
    at = answer.lower().find(b"content-length:", 0, head)
    length = int(answer[at + 15 : answer.find(b"\r\n", at)]) if at >= 0 else 0
    return head + 4 + length
