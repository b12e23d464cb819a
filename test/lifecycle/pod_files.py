"""What a pod finds in its volumes and its environment."""

import base64
import math
import re

from kube import MERGE_PATCH

_UNKNOWN = "the test's kubelet does not know {}"


class PodFiles:
    """Writes the volumes of one pod below `folder`, and works out its environment. What it claims is below `claims`, where
    it outlives the pod."""

    def __init__(self, kube, pod, folder, claims, address):
        self._kube = kube
        self._pod = pod
        self._folder = folder
        self._claims = claims
        self._fields = {
            "metadata.name": pod["metadata"]["name"],
            "metadata.namespace": pod["metadata"]["namespace"],
            "metadata.uid": pod["metadata"]["uid"],
            "spec.nodeName": pod["spec"]["nodeName"],
            "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default"),
            "status.podIP": address,
        }

    def mounts(self, container):
        """{path in the container: folder}, all written."""
        volumes = {each["name"]: each for each in self._pod["spec"].get("volumes", [])}
        return {
            each["mountPath"]: self._write(volumes[each["name"]]) for each in container.get("volumeMounts", [])
        }

    def environment(self, container):
        out = {"KUBERNETES_SERVICE_HOST": self._kube.address, "KUBERNETES_SERVICE_PORT": str(self._kube.port)}
        for each in container.get("env", []):
            out[each["name"]] = expanded(each["value"], out) if "value" in each else self._value_from(each, container)
        return out

    def _value_from(self, variable, container):
        (kind, what), = variable.get("valueFrom", {"": None}).items()
        if kind == "fieldRef":
            return self._fields[what["fieldPath"]]
        if kind == "resourceFieldRef" and what["resource"] == "limits.cpu":
            return str(_cpus(container["resources"]["limits"]["cpu"]))
        if kind in ("secretKeyRef", "configMapKeyRef"):
            return self._data("secrets" if kind == "secretKeyRef" else "configmaps", what["name"])[what["key"]].decode()
        raise NotImplementedError(_UNKNOWN.format(variable))

    def _write(self, volume):
        if "persistentVolumeClaim" in volume:
            return self._claimed(volume["persistentVolumeClaim"]["claimName"])
        folder = self._folder / volume["name"]
        folder.mkdir(parents=True, exist_ok=True)
        if "emptyDir" in volume:
            folder.chmod(0o777)
            return folder
        sources = volume["projected"]["sources"] if "projected" in volume else [volume]
        for source in sources:
            for path, content in self._files(source):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
        return folder

    def _claimed(self, name):
        """The folder of a claim, which is bound to it as by a provisioner that waits for the first pod. Another claim of
        the same name would begin with an empty one."""
        path = f"/api/v1/namespaces/{self._pod['metadata']['namespace']}/persistentvolumeclaims/{name}"
        claim = self._kube.ask("GET", path)
        folder = self._claims / claim["metadata"]["uid"]
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        if claim["status"]["phase"] != "Bound":
            bound = {"phase": "Bound", "accessModes": claim["spec"]["accessModes"]}
            self._kube.ask("PATCH", f"{path}/status", {"status": bound}, content_type=MERGE_PATCH)
        return folder

    def _files(self, source):
        if "serviceAccountToken" in source:
            yield source["serviceAccountToken"]["path"], self._token(source["serviceAccountToken"])
        elif "downwardAPI" in source:
            for item in source["downwardAPI"]["items"]:
                yield item["path"], self._fields[item["fieldRef"]["fieldPath"]].encode()
        elif "configMap" in source:
            yield from self._items("configmaps", source["configMap"], source["configMap"]["name"])
        elif "secret" in source:
            name = source["secret"].get("secretName") or source["secret"]["name"]
            yield from self._items("secrets", source["secret"], name)
        else:
            raise NotImplementedError(_UNKNOWN.format(source))

    def _items(self, kind, source, name):
        data = self._data(kind, name)
        wanted = source.get("items") or [{"key": key, "path": key} for key in data]
        return [(each["path"], data[each["key"]]) for each in wanted]

    def _data(self, kind, name):
        found = self._kube.ask("GET", f"/api/v1/namespaces/{self._pod['metadata']['namespace']}/{kind}/{name}")
        if kind == "secrets":
            return {key: base64.b64decode(value) for key, value in found.get("data", {}).items()}
        return {key: value.encode() for key, value in found.get("data", {}).items()}

    def _token(self, wanted):
        meta = self._pod["metadata"]
        account = self._pod["spec"].get("serviceAccountName", "default")
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "expirationSeconds": wanted.get("expirationSeconds", 3600),
                "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]},
            },
        }
        where = f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/{account}/token"
        return self._kube.ask("POST", where, request)["status"]["token"].encode()


def _cpus(quantity):
    """Whole processors, as many as are at least needed."""
    return math.ceil(int(quantity[:-1]) / 1000) if quantity.endswith("m") else math.ceil(float(quantity))


def expanded(text, environment):
    """`$(NAME)` is replaced, as Kubernetes does in commands and values."""
    return re.sub(r"\$\(([A-Za-z_0-9]+)\)", lambda found: environment.get(found[1], found[0]), text)
