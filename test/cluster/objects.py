"""The Kubernetes objects that a cluster starts with, and those that helpers make."""

import yaml

from .components import WEB_PORT
from .netns import ADDRESS
from .tools import REPOSITORY

PORTITOR = "portitor"
TRAEFIK = "traefik"
ROLES = ("controller", "verifier", "registrar")

_FILES = REPOSITORY / "charts" / "portitor" / "files"
_RBAC_GROUP = "rbac.authorization.k8s.io"


def project_crds():
    """The project's own CRD files."""
    return sorted((_FILES / "crds").glob("*.yaml"))


def access():
    """Namespaces, service accounts, and who may do what: for the project's roles by its own rules."""
    rules = [_placed(rule) for file in sorted((_FILES / "rbac").glob("*.yaml")) for rule in _documents(file)]
    local = {rule["metadata"]["name"] for rule in rules if rule["kind"] == "Role"}
    made = [namespace(PORTITOR), namespace(TRAEFIK), *rules]
    for role in ROLES:
        name = f"portitor-{role}"
        made += [_service_account(PORTITOR, name), _binding(name, "ClusterRole", name, PORTITOR, name)]
        if name in local:
            made.append(_binding(name, "Role", name, PORTITOR, name))
    made.append(_service_account(TRAEFIK, "traefik"))
    # The names of the ClusterRoles in Traefik's own files.
    for role in ("gateway-role", "traefik-ingress-controller"):
        made.append(_binding(f"traefik-{role}", "ClusterRole", role, TRAEFIK, "traefik"))
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


def _documents(file):
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


def _placed(rule):
    if rule["kind"] in ("Role", "RoleBinding"):
        rule["metadata"].setdefault("namespace", PORTITOR)
    return rule


def _service_account(in_namespace, name):
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": in_namespace}}


def _binding(name, role_kind, role, account_namespace, account):
    metadata = {"name": name}
    if role_kind == "Role":
        metadata["namespace"] = account_namespace
    return {
        "apiVersion": f"{_RBAC_GROUP}/v1",
        "kind": f"{role_kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC_GROUP, "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": account_namespace}],
    }
