"""What goes wrong with a cluster."""

import textwrap


class ClusterError(Exception):
    """Something about the cluster itself does not work."""


class KubectlError(ClusterError):
    """kubectl refused; its own words are in `stderr`."""

    def __init__(self, arguments, returncode, stderr):
        self.returncode = returncode
        self.stderr = stderr.strip()
        command = textwrap.shorten(" ".join(arguments), 80, placeholder=" ...")
        super().__init__(f"kubectl {command}: {self.stderr or f'exit code {returncode}'}")


class ApiError(ClusterError):
    """The API server refused a request; its own words are in `message`."""

    def __init__(self, method, path, status, message):
        self.status = status
        self.message = message
        super().__init__(f"{method} {path.partition('?')[0]}: {status}: {message}")
