"""The chart before the real API server: it takes every object, and restricted namespaces take the pods."""

import pytest
from cluster import ApiError, is_true, wait_until
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
    # The Gateway's, by some of the values: `helm test` has a Role in it. And those with keys of their own.
    for name in ("edge", "sellers", "models"):
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    name = SERVICE_MONITOR["metadata"]["name"]
    wait_until(lambda: is_true(cluster.get("crd", name), "Established"), 10, "the ServiceMonitor's CRD is established")
    return cluster


def dry_run(cluster, objects):
    """The API server looks at these objects, field by field, and does not keep them; the names that it took."""
    return [cluster.api.apply(each, dry_run=True)["metadata"]["name"] for each in objects]


def test_the_api_server_takes_every_object(with_monitors, renders, values):
    objects = renders.objects(values)
    # A pod is refused whose account there is not yet.
    for pod in pods(objects, "Pod").values():
        where = {"name": pod["spec"]["serviceAccountName"], "namespace": pod["metadata"]["namespace"]}
        with_monitors.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": where})
    assert dry_run(with_monitors, objects) == [each["metadata"]["name"] for each in objects]


def test_it_refuses_a_field_that_there_is_not(cluster, renders):
    """The check above is one."""
    service = next(each for each in renders.of() if each["kind"] == "Service")
    service["spec"]["ports"][0]["targetport"] = 1
    with pytest.raises(ApiError, match="targetport"):
        dry_run(cluster, [service])


def test_a_restricted_namespace_takes_the_pods(cluster, renders, values):
    namespace = f"restricted-{values}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}})
    for name, template in pods(renders.objects(values)).items():
        account = template["spec"]["serviceAccountName"]
        cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": namespace}})
        pod = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"]}
        pod["metadata"] = template["metadata"] | {"name": account, "namespace": namespace}
        dry_run(cluster, [pod])
    pod["spec"] = pod["spec"] | {"hostNetwork": True}
    with pytest.raises(ApiError, match="violates PodSecurity"):
        dry_run(cluster, [pod])
