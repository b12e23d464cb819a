"""One pod on this machine: its network, its one container, its probes, and what is told of it."""

import http.client
import signal
import time

from pod_files import PodFiles, expanded
from pod_network import resolver

_RESTART_DELAY = 0.3
_NOW = "%Y-%m-%dT%H:%M:%SZ"


class Pod:
    """Started by its first step(); the kubelet calls that again and again."""

    def __init__(self, cluster, kube, network, start_container, live):
        self.uid = live["metadata"]["uid"]
        self.name = live["metadata"]["name"]
        self.namespace = live["metadata"]["namespace"]
        self._cluster = cluster
        self._spec = live["spec"]
        (self._container,) = self._spec["containers"]
        self._start_container = start_container
        self._sandbox = network.sandbox()
        self.address = self._sandbox.address
        folder = cluster.directory / "pods" / self.uid
        files = PodFiles(kube, live, folder, cluster.directory / "claims", self.address)
        self._mounts = files.mounts(self._container)
        self._environment = files.environment(self._container)
        (folder / "resolv.conf").write_text(resolver(self.namespace))
        self._mounts["/etc/resolv.conf"] = folder / "resolv.conf"
        self._log = folder / "log"
        self._probes = {kind: Probe(self._container.get(f"{kind}Probe")) for kind in ("startup", "readiness", "liveness")}
        self._process = None
        self._started_at = time.gmtime()
        self._start_at = 0.0
        self._kill_at = None
        self._told_ready = None
        self._turned_at = ""
        self.restarts = -1
        self.exit_code = None
        self.made_at = time.monotonic()
        self.gone_at = None

    def log(self):
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def exec(self, *arguments):
        """Runs its program once more, with all that the pod has, as `kubectl exec` would; returns exit code and output."""
        output = self._log.with_name("exec")
        with open(output, "wb") as log:
            where = (self._mounts, self._sandbox.path, log)
            process = self._start_container(self._container["image"], arguments, self._environment, *where)
        return process.wait(60), output.read_text()

    def step(self, live):
        """Does what is due. False when it has ended for good."""
        now = time.monotonic()
        if live is None or "deletionTimestamp" in live["metadata"]:
            return self._end(live, now)
        if self._process is not None and self._process.poll() is not None:
            self._ended(now)
        if self._process is None and self.exit_code is None and now >= self._start_at:
            self._start()
        if self._process is not None:
            self._probe(now)
        return True

    def status(self):
        """The pod's status as a kubelet writes it."""
        running = self._process is not None
        ready = running and self._kill_at is None and self._probes["readiness"].good
        phase = "Running" if self.exit_code is None else "Succeeded" if self.exit_code == 0 else "Failed"
        if ready != self._told_ready:
            self._told_ready, self._turned_at = ready, time.strftime(_NOW, time.gmtime())
        conditions = [("Initialized", True), ("PodScheduled", True), ("ContainersReady", ready), ("Ready", ready)]
        state = {"running": {"startedAt": time.strftime(_NOW, self._started_at)}}
        if self.exit_code is not None:
            state = {"terminated": {"exitCode": self.exit_code, "reason": "Completed" if self.exit_code == 0 else "Error"}}
        elif not running:
            state = {"waiting": {"reason": "CrashLoopBackOff"}}
        return {
            "phase": phase,
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "hostIP": "10.77.0.1",
            "startTime": time.strftime(_NOW, self._started_at),
            "conditions": [
                {"type": kind, "status": str(value), "lastTransitionTime": self._turned_at} for kind, value in conditions
            ],
            "containerStatuses": [
                {
                    "name": self._container["name"],
                    "image": self._container["image"],
                    "imageID": "",
                    "ready": ready,
                    "restartCount": max(0, self.restarts),
                    "started": running,
                    "state": state,
                }
            ],
        }

    def crash(self):
        """Its program ends as by a fault."""
        self._process.kill()

    def kill(self):
        """At once, and its network with it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._sandbox.close()
        self.gone_at = time.monotonic()

    def _start(self):
        arguments = [expanded(each, self._environment) for each in self._container.get("args", [])]
        with open(self._log, "ab") as log:
            self._process = self._start_container(
                self._container["image"], arguments, self._environment, self._mounts, self._sandbox.path, log
            )
        self._started_at = time.gmtime()
        self.restarts += 1
        for probe in self._probes.values():
            probe.restart()

    def _ended(self, now):
        code = self._process.returncode
        self._process = None
        policy = self._spec.get("restartPolicy", "Always")
        if policy == "Always" or (policy == "OnFailure" and code != 0):
            self._start_at = now + _RESTART_DELAY
        else:
            self.exit_code = code

    def _end(self, live, now):
        if self._process is None:
            return False
        if self._kill_at is None:
            grace = live["metadata"].get("deletionGracePeriodSeconds", 30) if live else 0
            self._kill_at = now + grace
            self._process.send_signal(signal.SIGTERM)
        if self._process.poll() is None and now >= self._kill_at:
            self._process.kill()
            self._process.wait()
        if self._process.poll() is None:
            return True
        self.exit_code = self._process.returncode
        self._process = None
        return False

    def _probe(self, now):
        startup = self._probes["startup"]
        kinds = ["readiness", "liveness"] if startup.good else ["startup"]
        for kind in kinds:
            if self._probes[kind].due(now):
                self._probes[kind].saw(self._answers(self._probes[kind].what), now)
        if "liveness" in kinds and self._probes["liveness"].failed:
            self._process.kill()

    def _answers(self, probe):
        get = probe["httpGet"]
        ports = {each["name"]: each["containerPort"] for each in self._container.get("ports", []) if "name" in each}
        url = f"http://{self.address}:{ports.get(get['port'], get['port'])}{get['path']}"
        try:
            return 200 <= self._cluster.http("GET", url, timeout=probe.get("timeoutSeconds", 1)).status < 400
        except (OSError, http.client.HTTPException):
            return False


class Probe:
    """One probe of a container, and what it has come to; without `what` it is always good."""

    def __init__(self, what):
        self.what = what
        self.restart()

    def restart(self):
        """A container has started anew."""
        self.good = self.what is None
        self._failures = 0
        self._next = time.monotonic() + (self.what or {}).get("initialDelaySeconds", 0)

    @property
    def failed(self):
        return self.what is not None and self._failures >= self.what.get("failureThreshold", 3)

    def due(self, now):
        return self.what is not None and now >= self._next

    def saw(self, answers, now):
        self._next = now + self.what.get("periodSeconds", 10)
        self._failures = 0 if answers else self._failures + 1
        self.good = answers or (self.good and not self.failed)
