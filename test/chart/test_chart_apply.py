"""The chart before the real API server: it takes every object, and restricted namespaces take the pods."""

import json

import pytest
from cluster import KubectlError
from renders import pods

# As much of the Prometheus Operator as it takes to apply its object.
SERVICE_MONITOR = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "servicemonitors.monitoring.coreos.com"},
    "spec": {
        "group": "monitoring.coreos.com",
        "scope": "Namespaced",
        "names": {"kind": "ServiceMonitor", "plural": "servicemonitors"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


@pytest.fixture(scope="module")
def with_monitors(cluster):
    cluster.apply(SERVICE_MONITOR)
    cluster.kubectl("wait", "crd", SERVICE_MONITOR["metadata"]["name"], "--for=condition=Established")
    return cluster


def dry_run(cluster, objects):
    """What the API server says of these objects, field by field, without keeping them."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    flags = ["--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict"]
    return cluster.kubectl("apply", *flags, "-f", "-", stdin=text)


def test_the_api_server_takes_every_object(with_monitors, renders, values):
    objects = renders.objects(values)
    taken = dry_run(with_monitors, objects).splitlines()
    assert len(taken) == len(objects)


def test_it_refuses_a_field_that_there_is_not(cluster, renders):
    """The check above is one."""
    service = next(each for each in renders.of() if each["kind"] == "Service")
    service["spec"]["ports"][0]["targetport"] = 1
    with pytest.raises(KubectlError, match="targetport"):
        dry_run(cluster, [service])


def test_a_restricted_namespace_takes_the_pods(cluster, renders, values):
    namespace = f"restricted-{values}"
    cluster.kubectl("create", "namespace", namespace)
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    for name, template in pods(renders.objects(values)).items():
        account = template["spec"]["serviceAccountName"]
        cluster.kubectl("create", "serviceaccount", account, "-n", namespace)
        pod = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"]}
        pod["metadata"] = template["metadata"] | {"name": account, "namespace": namespace}
        dry_run(cluster, [pod])
    pod["spec"] = pod["spec"] | {"hostNetwork": True}
    with pytest.raises(KubectlError, match="violates PodSecurity"):
        dry_run(cluster, [pod])
