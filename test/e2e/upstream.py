"""A seller's service: /health says 200, everything else answers with what it was asked, as JSON.

It is also a runtime with one model, in ollama's way and in OpenAI's.
"""

import http.server
import json
import sys

MODELS = {
    "/api/tags": {"models": [{"name": "qwen3:0.6b"}]},
    "/v1/models": {"object": "list", "data": [{"id": "qwen3:0.6b", "object": "model"}]},
}


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def _answer(self):
        echo = {"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}
        body = json.dumps(MODELS.get(self.path, echo)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        # As one that does not know that it is sold.
        self.send_header("Cache-Control", "public, max-age=600")
        self.send_header("CDN-Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Upstream).serve_forever()
