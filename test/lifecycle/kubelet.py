"""A kubelet for tests: runs the pods that the cluster's controllers make, as processes of this machine."""

import sys
import threading
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kube import STRATEGIC_PATCH  # noqa: E402
from pod import Pod  # noqa: E402
from pod_network import PodNetwork  # noqa: E402
from service_names import ServiceNames  # noqa: E402

NODE = "node-1"
_INTERVAL = 0.1


class Kubelet:
    """`with Kubelet(cluster, kube, start_container):` runs pods until the block ends.

    `start_container(image, args, environment, mounts, network_namespace, log)` starts the program of an image and
    returns a Popen. A pod has one container, and volumes of the usual kinds; a claim gets one that outlives the pod.
    """

    def __init__(self, cluster, kube, start_container):
        self._cluster = cluster
        self._kube = kube
        self._start_container = start_container
        self._network = PodNetwork(cluster)
        self._names = ServiceNames(cluster)
        self._pods = {}
        self._told = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kubelet")
        self.failure = None

    def __enter__(self):
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
        self._kube.ask("POST", "/api/v1/nodes", node, allowed=(409,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def pods(self, component):
        """The pods of one of the chart's components, the oldest first."""
        return [each for each in list(self._pods.values()) if f"-{component}-" in f"{each.name}-"]

    def _run(self):
        try:
            while not self._end.wait(_INTERVAL):
                self._step()
        except Exception:
            self.failure = traceback.format_exc()
            print(self.failure, file=sys.stderr)
        for pod in self._pods.values():
            pod.kill()

    def _step(self):
        live = {each["metadata"]["uid"]: each for each in self._kube.items("/api/v1/pods")}
        for uid, each in live.items():
            if not each["spec"].get("nodeName"):
                self._bind(each)
            elif uid not in self._pods and "deletionTimestamp" not in each["metadata"] and not _is_over(each):
                self._pods[uid] = Pod(self._cluster, self._kube, self._network, self._start_container, each)
            elif uid not in self._pods and "deletionTimestamp" in each["metadata"]:
                self._forget(each)
        for uid, pod in list(self._pods.items()):
            goes_on = pod.step(live.get(uid))
            if not goes_on:
                pod.kill()
                del self._pods[uid]
            if uid in live:
                self._tell(live[uid], pod)
                if not goes_on:
                    self._forget(live[uid])
        self._names.update(self._kube.items("/apis/discovery.k8s.io/v1/endpointslices"))

    def _bind(self, pod):
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod["metadata"]["name"]}, "target": target}
        self._kube.ask("POST", f"{_path(pod)}/binding", binding, allowed=(404, 409))

    def _tell(self, live, pod):
        status = pod.status()
        if self._told.get(pod.uid) == status:
            return
        self._told[pod.uid] = status
        changed = {"metadata": {"uid": pod.uid}, "status": status}
        self._kube.ask("PATCH", f"{_path(live)}/status", changed, (404, 409), STRATEGIC_PATCH)

    def _forget(self, pod):
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        self._kube.ask("DELETE", _path(pod), options, allowed=(404, 409))


def _is_over(pod):
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _path(pod):
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
