"""The test cluster itself: that it works, that two do not meet, and that nothing of one stays."""

import concurrent.futures
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cluster import ApiError, Cluster, ClusterError, KubectlError, wait_until
from cluster.registry import default_directory

CLI = Path(__file__).parent / "cluster"
GATEWAY = "http://127.0.0.1:8000"

# Answers every request with the path just as it arrived.
ECHO = """
import http.server
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("10.77.0.1", 9000), Echo).serve_forever()
"""


@pytest.fixture(scope="module")
def cluster():
    with Cluster(traefik_throttle="10ms") as started:
        yield started


def config_map(name, **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"} | metadata}


def run(*arguments, **options):
    return subprocess.run([CLI, *arguments], capture_output=True, text=True, timeout=60, **options)


def lives(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A dead orphan keeps its id until init gets round to it.
    return stat.rpartition(")")[2].split()[0] != "Z"


def traces(name, pids=()):
    """What is left of the cluster `name`."""
    paths = [f"/run/netns/portitor-{name}", f"/etc/netns/portitor-{name}", default_directory(name)]
    paths += [f"/run/portitor-clusters/{name}.json"]
    left = [path for path in paths if os.path.exists(path)] + [pid for pid in pids if lives(pid)]
    found = subprocess.run(["pgrep", "-f", f"/portitor-cluster-{name}/"], capture_output=True, text=True)
    return left + found.stdout.split()


def test_kubectl_works(cluster):
    assert cluster.get("namespace", "portitor")["status"]["phase"] == "Active"
    assert cluster.get("namespace", "absent") is None
    with pytest.raises(KubectlError, match="NotFound"):
        cluster.kubectl("get", "namespace", "absent")


def test_the_api_without_kubectl(cluster):
    cluster.apply(config_map("plain") | {"data": {"a": "1", "b": "2"}})
    # What an apply leaves out goes; a patch changes what it names.
    cluster.apply(config_map("plain") | {"data": {"a": "1"}})
    cluster.patch("cm", "plain", {"data": {"c": "3"}}, "default")
    for kind in ("configmap", "configmaps", "cm", "ConfigMap"):
        assert cluster.get(kind, "plain", "default")["data"] == {"a": "1", "c": "3"}
    assert cluster.get("httproutes.gateway.networking.k8s.io")["items"] == []
    with pytest.raises(ApiError, match="no kind widgets"):
        cluster.get("widgets")
    with pytest.raises(ApiError, match="dat: field not declared"):
        cluster.apply(config_map("plain") | {"dat": {}})
    assert cluster.api.may("delete", "configmaps")
    assert not cluster.role_api("verifier").may("delete", "configmaps")
    assert not cluster.api.impersonating("somebody").may("delete", "configmaps")
    cluster.delete("configmap", "plain", ns="default")
    assert cluster.get("configmap", "plain", "default") is None
    with pytest.raises(ApiError, match="404"):
        cluster.delete("configmap", "plain", ns="default")
    cluster.delete("configmap", "plain", ns="default", missing_ok=True)


def test_roles_are_known_to_the_api_server(cluster):
    for role in ("controller", "verifier", "registrar"):
        user = cluster.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", role=role)
        assert user == f"system:serviceaccount:portitor:portitor-{role}"
    with pytest.raises(KubectlError, match="Forbidden"):
        cluster.kubectl("get", "secrets", "-n", "kube-system", role="verifier")
    users = {event["user"]["username"] for event in cluster.audit_events()}
    assert {"admin", "system:serviceaccount:portitor:portitor-verifier"} <= users


def test_what_an_owner_leaves_is_collected(cluster):
    cluster.apply(config_map("owner"))
    owner = cluster.get("configmap", "owner", "default")["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner}
    cluster.apply(config_map("child", ownerReferences=[reference]))
    cluster.kubectl("delete", "configmap", "owner")
    wait_until(lambda: cluster.get("configmap", "child", "default") is None, 10, "the child is collected")


def test_traefik_answers(cluster):
    assert cluster.http("GET", f"{GATEWAY}/unknown").status == 404
    cluster.popen(["/usr/bin/python3", "-c", ECHO], "echo")
    cluster.service("shop", "echo", 9000)
    rule = {"matches": [{"path": {"type": "PathPrefix", "value": "/echo"}}]}
    cluster.apply(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": "echo", "namespace": "shop"},
            "spec": {
                "parentRefs": [{"name": "traefik-gateway", "namespace": "traefik"}],
                "rules": [rule | {"backendRefs": [{"name": "echo", "port": 9000}]}],
            },
        }
    )
    wait_until(lambda: cluster.http("GET", f"{GATEWAY}/echo").status == 200, 10, "the route works")
    assert cluster.http("GET", f"{GATEWAY}/echo/a%2Fb").body == b"/echo/a%2Fb"
    # The service's name, without Traefik: the path is not touched on its way out.
    assert cluster.http("GET", "http://echo.shop.svc:9000/a/../%61//b").body == b"/a/../%61//b"
    assert '"GET /echo/a%2Fb HTTP/1.1" 200' in cluster.access_log.read_text()
    resolved = subprocess.run(cluster.wrap(["getent", "ahostsv4", "echo.shop.svc"]), capture_output=True, text=True)
    assert resolved.stdout.startswith("10.77.0.1 ")


def test_processes_can_be_paused_and_killed(cluster):
    traefik = cluster.processes["traefik"]
    traefik.pause()
    with pytest.raises(TimeoutError):
        cluster.http("GET", f"{GATEWAY}/", timeout=0.2)
    traefik.resume()
    assert cluster.http("GET", f"{GATEWAY}/").status == 404

    apiserver = cluster.processes["apiserver"]
    apiserver.kill()
    assert (apiserver.running, apiserver.returncode) == (False, -signal.SIGKILL)
    with pytest.raises(KubectlError, match="refused"):
        cluster.kubectl("get", "namespaces")
    apiserver.start().wait_ready()
    assert cluster.get("namespace", "shop")


def test_two_clusters_side_by_side(cluster):
    name = f"{cluster.name}-cli"
    up = run("up", "--name", name, "--no-traefik", "--no-controller-manager")
    assert up.returncode == 0, up.stderr
    try:
        assert "there is a cluster" in run("up", "--name", name).stderr
        assert run("status", "--name", name).returncode == 0
        assert f"portitor-cluster-{name}/kubeconfig" in run("env", "--name", name).stdout
        created = run("exec", "--name", name, "--", "kubectl", "create", "namespace", "other")
        assert created.returncode == 0, created.stderr
        assert cluster.get("namespace", "other") is None
        other = Cluster.attach(name)
        pids = [process.pid for process in other.processes.values()]
        other.processes["etcd"].pause()
        assert cluster.get("namespace", "portitor")
    finally:
        assert run("down", "--name", name).returncode == 0
    assert traces(name, pids) == []
    assert cluster.get("namespace", "portitor")


def test_a_start_cut_off_half_way_can_be_removed(cluster):
    name = f"{cluster.name}-cut"
    with subprocess.Popen([CLI, "up", "--name", name]) as starting:
        started = Path(default_directory(name), "run", "apiserver.json")
        wait_until(started.exists, 10, "the API server is being started")
        starting.kill()
    assert traces(name) != []
    assert run("down", "--name", name).returncode == 0
    assert traces(name) == []


def test_a_failing_start_tells_why_and_leaves_nothing(tmp_path):
    (tmp_path / "precious").touch()
    refused = Cluster(directory=tmp_path)
    with pytest.raises(ClusterError, match="is not empty"):
        refused.up()
    assert (tmp_path / "precious").exists() and traces(refused.name) == []

    failing = Cluster(traefik_throttle="soon", controller_manager=False)
    with pytest.raises(ClusterError, match=r"traefik ended with exit code 1(.|\n)*soon"):
        failing.up()
    assert traces(failing.name) == []


def test_down_leaves_nothing():
    started = Cluster(traefik=False, controller_manager=False)
    started.up()
    pids = [process.pid for process in started.processes.values()]
    pids.append(started.popen(["sh", "-c", "sleep 600 & wait"], "nested").pid)
    started.processes["etcd"].pause()
    since = time.monotonic()
    started.down()
    assert time.monotonic() - since < 5
    assert traces(started.name, pids) == []
    started.down()


def test_many_requests_at_once(cluster):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: cluster.http("GET", f"{GATEWAY}/").status, range(200)))
    assert set(answers) == {404}
