"""What kube-proxy and the cluster's DNS do for a Service: its name leads to its ready endpoints."""

import signal


class ServiceNames:
    """Keeps the file that the cluster's dnsmasq reads true to the EndpointSlices."""

    def __init__(self, cluster):
        self._process = cluster.processes["dnsmasq"]
        self._file = cluster.directory / "service-hosts"
        self._written = None

    def update(self, slices):
        """`slices` are all EndpointSlices; those of Services that select pods count."""
        lines = sorted(line for each in slices for line in _lines(each))
        text = "\n".join(lines) + "\n"
        if text == self._written:
            return
        self._file.write_text(text)
        self._process.send(signal.SIGHUP)
        self._written = text


def _lines(each):
    labels = each["metadata"].get("labels", {})
    if labels.get("endpointslice.kubernetes.io/managed-by") != "endpointslice-controller.k8s.io":
        return
    name = f"{labels['kubernetes.io/service-name']}.{each['metadata']['namespace']}"
    for endpoint in each.get("endpoints") or []:
        if endpoint.get("conditions", {}).get("ready"):
            yield f"{endpoint['addresses'][0]} {name}.svc.cluster.local {name}.svc {name}"
