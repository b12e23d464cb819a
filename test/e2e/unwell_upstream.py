"""Services that are not well: one that answers until a file is there, and from then on takes connections and never answers;
and one that fails in a new way each time.

Usage: unwell_upstream.py ADDRESS SILENT_PORT FLAPPING_PORT FILE
"""

import http.server
import itertools
import os
import sys
import threading
import time


class Falling(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    file = ""

    def do_GET(self):
        if os.path.exists(self.file):
            # Longer than anybody waits.
            time.sleep(20)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Flapping(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    codes = itertools.cycle(range(500, 508))

    def do_GET(self):
        self.send_response(next(self.codes))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    where = sys.argv[1]
    Falling.file = sys.argv[4]
    falling = http.server.ThreadingHTTPServer((where, int(sys.argv[2])), Falling)
    threading.Thread(target=falling.serve_forever, daemon=True).start()
    http.server.ThreadingHTTPServer((where, int(sys.argv[3])), Flapping).serve_forever()
