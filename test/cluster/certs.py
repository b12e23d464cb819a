"""Throw-away keys and certificates, made by openssl."""

import subprocess
from pathlib import Path

from .errors import ClusterError

_CONFIG = """\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {names}
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
"""


class Certs:
    """A certificate authority in a folder of its own, and what it signed."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.ca = self.directory / "ca.crt"

    def create(self, server_names, clients):
        """Makes the authority, the certificate `server` for `server_names` (openssl's spelling), one for each
        client in `clients` (file name to subject), and the key pair `tokens`, which signs and checks tokens."""
        self.directory.mkdir()
        (self.directory / "openssl.cnf").write_text(_CONFIG.format(names=", ".join(server_names)))
        self._certificate("ca", "ca", "/CN=test cluster", signed=False)
        self._certificate("server", "server", "/CN=server")
        for name, subject in clients.items():
            self._certificate(name, "client", subject)
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "tokens.key")
        self._openssl("pkey", "-in", "tokens.key", "-pubout", "-out", "tokens.pub")

    def certificate(self, name):
        """The certificate `name`."""
        return self.directory / f"{name}.crt"

    def key(self, name):
        """The private key of the certificate or key pair `name`."""
        return self.directory / f"{name}.key"

    def public_key(self, name):
        """The public key of the key pair `name`."""
        return self.directory / f"{name}.pub"

    def _certificate(self, name, section, subject, signed=True):
        signer = ["-CA", "ca.crt", "-CAkey", "ca.key"] if signed else []
        self._openssl(
            *["req", "-x509", "-config", "openssl.cnf", "-extensions", section, "-subj", subject, "-days", "30"],
            *["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"],
            *["-keyout", f"{name}.key", "-out", f"{name}.crt", *signer],
        )

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.directory, capture_output=True, text=True)
        if done.returncode != 0:
            raise ClusterError(f"openssl {arguments[0]}: {done.stderr.strip()}")
