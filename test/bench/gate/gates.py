"""The gates that are compared. Each is started anew for each sample: `with gate.run(work) as running`."""

import base64
import contextlib
import json
from pathlib import Path
from typing import NamedTuple

from processes import Failed, Program, free_port, get, run

NGINX = Path("/usr/sbin/nginx")
# Another Portitor, beside the one that is measured.
OTHER = "other"
# The same one, with its payments on record in a file.
SQLITE = "sqlite"


class Running(NamedTuple):
    """A gate that is ready on a port."""

    program: Program
    port: int


class Work(NamedTuple):
    """What a gate is started for."""

    data: object  # gate_data.Data
    api_port: int
    folder: object
    certificate: object = None  # a file with the certificate and its key, where it is to speak TLS
    terms: list = ()  # what ours answers to the first requests


class Portitor:
    """Ours, which learns its routes from the API server's look-alike."""

    def __init__(self, binary, name="portitor", on_disk=False):
        self.name = name
        self._binary = binary
        self._on_disk = on_disk
        self._flags = run(binary, "--help=all")

    def can(self, flag):
        """Whether it knows a flag."""
        return flag in self._flags

    @contextlib.contextmanager
    def run(self, work):
        """Ready when it serves all routes."""
        port, health = free_port(), free_port()
        kubeconfig = work.folder / "kubeconfig.yaml"
        kubeconfig.write_text(_KUBECONFIG % work.api_port)
        command = [self._binary, "--role=verifier", "--kubeconfig", kubeconfig, "--listen", f"127.0.0.1:{port}"]
        command += ["--health-listen", f"127.0.0.1:{health}", "--default-facilitator", work.data.facilitator]
        command += ["--allow-insecure-facilitator"]
        if self.can("--threads"):
            command += ["--threads", "1"]
        if self._on_disk:
            command += ["--ledger", _new_ledger(work.folder)]
        if work.certificate:
            if not self.can("--tls-cert-file"):
                raise Failed("this portitor has no --tls-cert-file")
            command += ["--tls-cert-file", work.certificate, "--tls-key-file", work.certificate]
        with Program(self.name, command, work.folder) as program:
            wanted = f"\nportitor_routes {work.data.count}\n"
            program.wait_for(lambda: wanted in get(f"http://127.0.0.1:{health}/metrics"))
            program.wait_for_port(port)
            yield Running(program, port)


class Command:
    """A gate that is one command with a port."""

    def __init__(self, name, words):
        self.name = name
        self._words = words

    @contextlib.contextmanager
    def run(self, work):
        """Ready when it listens."""
        port = free_port()
        with Program(self.name, self._words(port, work), work.folder) as program:
            program.wait_for_port(port)
            yield Running(program, port)


def raw_epoll(binary):
    """The baseline by hand."""
    return Command("raw", lambda port, work: [binary, port, work.data.table])


def go(binary, name="go", *options):
    """The baseline in Go."""

    def words(port, work):
        command = [binary, "-listen", f"127.0.0.1:{port}", "-routes", work.data.table, *options]
        return command + (["-tls-cert", work.certificate, "-tls-key", work.certificate] if work.certificate else [])

    return Command(name, words)


def nginx():
    """nginx with the answer to the first request for each request: no gate, but a well-known speed."""

    def words(port, work):
        body, header = (_json(work.terms[0][version]) for version in ("v1", "v2"))
        settings = _NGINX % {
            "folder": work.folder,
            "port": port,
            "tls": "ssl" if work.certificate else "",
            "certificate": f"ssl_certificate {work.certificate}; ssl_certificate_key {work.certificate};"
            if work.certificate
            else "",
            "header": base64.b64encode(header.encode()).decode(),
            "body": body,
        }
        file = work.folder / "nginx.conf"
        file.write_text(settings)
        return [NGINX, "-c", file, "-e", "stderr"]

    return Command("nginx", words)


def _new_ledger(folder):
    """A file that is not there yet, as each sample begins with an empty record."""
    for old in folder.glob("ledger.db*"):
        old.unlink()
    return folder / "ledger.db"


def _json(value):
    return json.dumps(value, separators=(",", ":"))


_KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: bench
clusters: [{name: bench, cluster: {server: "http://127.0.0.1:%d"}}]
users: [{name: bench, user: {}}]
contexts: [{name: bench, context: {cluster: bench, user: bench}}]
"""

_NGINX = """\
daemon off;
master_process off;
pid %(folder)s/nginx.pid;
error_log stderr;
events { worker_connections 8192; }
http {
    access_log off;
    client_body_temp_path %(folder)s/nginx-body;
    proxy_temp_path %(folder)s/nginx-proxy;
    fastcgi_temp_path %(folder)s/nginx-fastcgi;
    uwsgi_temp_path %(folder)s/nginx-uwsgi;
    scgi_temp_path %(folder)s/nginx-scgi;
    keepalive_requests 1000000000;
    server_tokens off;
    ssl_protocols TLSv1.3;
    server {
        listen 127.0.0.1:%(port)d %(tls)s;
        %(certificate)s
        location / {
            default_type application/json;
            add_header PAYMENT-REQUIRED '%(header)s' always;
            add_header Cache-Control no-store always;
            return 402 '%(body)s';
        }
    }
}
"""
