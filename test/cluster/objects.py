"""The Kubernetes objects that a cluster starts with, and those that helpers make."""

from pathlib import Path

import yaml

from . import chart
from .components import WEB_PORT
from .netns import ADDRESS

PORTITOR = chart.NAMESPACE
TRAEFIK = "traefik"
ROLES = ("controller", "verifier", "registrar")

_RBAC_GROUP = "rbac.authorization.k8s.io"
_CRDS = {"CustomResourceDefinition"}
_ACCESS = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}


def from_chart(helm):
    """The project's own CRDs, service accounts and rules, as its chart installs them."""
    return [each for each in chart.objects(helm) if each["kind"] in _CRDS | _ACCESS]


def from_files(folder):
    """Those of the YAML files in a folder."""
    texts = [path.read_text() for path in sorted(Path(folder).glob("*.y*ml"))]
    return [each for text in texts for each in yaml.load_all(text, chart.LOADER) if each]


def namespaces():
    """Those that everything else is in."""
    return [namespace(PORTITOR), namespace(TRAEFIK)]


def access():
    """Traefik's account with its rights."""
    made = [_service_account(TRAEFIK, "traefik")]
    # The names of the ClusterRoles in Traefik's own files.
    for role in ("gateway-role", "traefik-ingress-controller"):
        made.append(_cluster_role_binding(f"traefik-{role}", role, TRAEFIK, "traefik"))
    return made


def gateway():
    """Traefik's GatewayClass, and a Gateway that takes routes from every namespace."""
    listener = {"name": "web", "protocol": "HTTP", "port": WEB_PORT, "allowedRoutes": {"namespaces": {"from": "All"}}}
    return [
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": "traefik"},
            "spec": {"controllerName": "traefik.io/gateway-controller"},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "traefik-gateway", "namespace": TRAEFIK},
            "spec": {"gatewayClassName": "traefik", "listeners": [listener]},
        },
    ]


def namespace(name):
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def service(in_namespace, name, port):
    """A Service, and the EndpointSlice that no controller makes here: it leads to `port` in the cluster's own
    network namespace."""
    where = {"name": name, "namespace": in_namespace}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": where,
            "spec": {"ports": [{"port": port, "protocol": "TCP"}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": where | {"labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "ports": [{"name": "", "port": port, "protocol": "TCP"}],
            # Traefik skips an endpoint that does not say that it is ready.
            "endpoints": [{"addresses": [ADDRESS], "conditions": {"ready": True}}],
        },
    ]


def _service_account(in_namespace, name):
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": in_namespace}}


def _cluster_role_binding(name, role, account_namespace, account):
    return {
        "apiVersion": f"{_RBAC_GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC_GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": account_namespace}],
    }
