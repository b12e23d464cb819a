"""What goes wrong with a cluster."""


class ClusterError(Exception):
    """Something about the cluster itself does not work."""


class KubectlError(ClusterError):
    """kubectl refused; its own words are in `stderr`."""

    def __init__(self, arguments, returncode, stderr):
        self.returncode = returncode
        self.stderr = stderr.strip()
        super().__init__(f"kubectl {' '.join(arguments)}: {self.stderr or f'exit code {returncode}'}")
