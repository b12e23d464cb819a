"""The image's files run with nothing else around them."""

import os
import subprocess
import time

import pytest
from cluster import wait_until
from cluster.certs import Certs
from cluster.netns import ADDRESS, Netns
from cluster.process import Process
from container import Container, command_line

PORTITOR = "/usr/bin/portitor"
OFFER = """\
apiVersion: obol.org/v1alpha1
kind: ServiceOffer
metadata: {name: hello, namespace: sellers}
spec:
  upstream: {service: hello, port: 9000, healthPath: /health}
  payment:
    network: base-sepolia
    payTo: "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955"
    price: {perRequest: "0.001"}
"""
# Answers as an API server does that has never heard of our kinds.
API_SERVER = """
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}'
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.HTTPServer((sys.argv[1], 6443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: test
contexts: [{{name: test, context: {{cluster: test, user: test}}}}]
clusters: [{{name: test, cluster: {{server: "https://{host}:6443"}}}}]
users: [{{name: test, user: {{token: something}}}}]
"""


def portitor(root, *flags, **around):
    return Container(root, [PORTITOR, *flags], **around)


def test_it_says_what_it_is(root):
    done = portitor(root, "--version").run()
    assert (done.returncode, done.stdout[:9], done.stderr) == (0, "portitor ", "")
    done = portitor(root, "--help").run()
    assert done.returncode == 0 and "--role" in done.stdout


def test_it_refuses_what_it_does_not_know(root):
    done = portitor(root, "--no-such-flag").run()
    assert done.returncode == 2 and "--no-such-flag" in done.stderr
    done = portitor(root, env={"PORTITOR_ROLE": "landlord"}).run()
    assert done.returncode == 2 and "landlord" in done.stderr


def test_an_offer_gives_its_children(root):
    done = portitor(root, "--role=once", "--file=-", "--output=yaml").run(OFFER)
    assert done.returncode == 2, done.stderr
    for kind in ("Middleware", "HTTPRoute", "PaymentRoute"):
        assert f"kind: {kind}" in done.stdout


def test_a_configuration_is_read_from_a_mount(root, tmp_path):
    config = tmp_path / "config"
    config.mkdir()
    (config / "portitor.yaml").write_text("role: landlord\n")
    tmp_path.chmod(0o755)
    done = portitor(root, "--config=/etc/portitor/portitor.yaml", mounts={"/etc/portitor": config}).run()
    assert done.returncode == 2 and "landlord" in done.stderr


@pytest.fixture
def service_account(tmp_path):
    """What a pod gets, of an API server that is not there."""
    tmp_path.chmod(0o755)
    folder = tmp_path / "account"
    folder.mkdir()
    certs = Certs(tmp_path / "certs")
    certs.create(["IP:127.0.0.1"], {})
    (folder / "ca.crt").write_bytes(certs.ca.read_bytes())
    (folder / "token").write_text("something")
    (folder / "namespace").write_text("portitor")
    return folder


@pytest.fixture
def verifier(root, service_account, tmp_path):
    run = portitor(
        root,
        *["--role=verifier", "--log-format=json"],
        env={"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "6443"},
        mounts={"/var/run/secrets/kubernetes.io/serviceaccount": service_account},
    )
    with run.running(tmp_path / "log") as started:
        yield started


def get(container, path):
    line = container.inside(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:8081{path}"])
    return subprocess.run(line, capture_output=True, text=True).stdout


def test_a_verifier_serves_and_ends_in_order(verifier, tmp_path):
    wait_until(lambda: get(verifier, "/healthz") == "200", 10, "it answers", interval=0.1)
    assert get(verifier, "/metrics") == "200"
    assert get(verifier, "/readyz") == "503"
    start = time.monotonic()
    assert verifier.stop() == 0
    assert time.monotonic() - start < 5
    assert "shutting down" in (tmp_path / "log").read_text()


def test_it_has_no_rights_and_no_neighbours(verifier):
    pid = verifier.pid
    with open(f"/proc/{pid}/status") as lines:
        status = {line.split(":")[0]: line.split(":")[1].split() for line in lines}
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert status[kind] == ["0" * 16], kind
    assert status["NoNewPrivs"] == ["1"]
    assert status["Uid"] == ["65532"] * 4 == status["Gid"] and status["Groups"] == []
    assert status["NSpid"] == [str(pid), "1"]
    for kind in ("mnt", "pid", "user", "net", "ipc", "uts"):
        assert namespace(pid, kind) != namespace("self", kind), kind


def namespace(pid, kind):
    return os.readlink(f"/proc/{pid}/ns/{kind}")


def test_nothing_can_be_written_and_nothing_needs_to_be(verifier):
    wait_until(lambda: get(verifier, "/healthz") == "200", 10, "it answers", interval=0.1)
    with open(f"/proc/{verifier.pid}/mountinfo") as lines:
        mounts = {line.split()[4]: line.split()[5].split(",") for line in lines}
    assert "/" in mounts and "/dev" in mounts
    # Devices are written to, and what the kernel shows of itself is not the image's.
    own = {place: flags for place, flags in mounts.items() if not place.startswith(("/proc", "/dev/"))}
    assert [place for place, flags in own.items() if "ro" not in flags] == []


def test_a_write_fails(root, tmp_path):
    """Proved by a program that tries: Debian's own touch, on the libraries of the image."""
    tools = tmp_path / "tools"
    tools.mkdir()
    tmp_path.chmod(0o755)
    subprocess.run(["cp", "/usr/bin/touch", tools], check=True)
    for place in ("/file", "/etc/file", "/usr/bin/file", "/tools/file", "/dev/file"):
        done = Container(root, ["/tools/touch", place], mounts={"/tools": tools}).run()
        assert done.returncode == 1 and "Read-only file system" in done.stderr, done.stderr


@pytest.fixture(scope="module")
def network():
    """A network with a DNS server that knows one name below image.test."""
    netns = Netns(f"image-{os.getpid()}")
    netns.create()
    flags = ["--keep-in-foreground", "--no-hosts", "--no-resolv", "--bind-interfaces", "--conf-file=/dev/null"]
    flags += [f"--listen-address={ADDRESS}", f"--address=/api.image.test/{ADDRESS}", "--pid-file", "--user=root"]
    dns = subprocess.Popen(netns.wrap(["dnsmasq", *flags]), stderr=subprocess.DEVNULL)
    yield netns
    dns.kill()
    dns.wait()
    netns.delete()


@pytest.fixture(scope="module")
def certs(network, tmp_path_factory):
    """An API server in that network; the authority that its certificate is of."""
    folder = tmp_path_factory.mktemp("api")
    for each in (folder, folder.parent):
        each.chmod(0o755)
    made = Certs(folder / "certs")
    made.create(["DNS:api.image.test", "DNS:api", "DNS:hosts.image.test"], {})
    command = ["/usr/bin/python3", "-c", API_SERVER, ADDRESS, made.certificate("server"), made.key("server")]
    server = subprocess.Popen(network.wrap(command), stderr=subprocess.DEVNULL)
    wait_until(lambda: listens(network), 10, "the API server listens")
    yield made
    server.kill()
    server.wait()


def listens(network):
    command = ["curl", "-sk", "-o", "/dev/null", f"https://{ADDRESS}:6443/"]
    return subprocess.run(network.wrap(command)).returncode == 0


@pytest.fixture
def ask(root, network, certs, tmp_path):
    """Has a container ask the API server by a name, with more mounts."""

    def run(host, mounts):
        (tmp_path / "kubeconfig").write_text(KUBECONFIG.format(host=host))
        resolver = f"nameserver {ADDRESS}\nsearch image.test\noptions ndots:5 attempts:1\n"
        (tmp_path / "resolv.conf").write_text(resolver)
        (tmp_path / "hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} hosts.image.test\n")
        around = {f"/etc/{name}": tmp_path / name for name in ("resolv.conf", "hosts")}
        around["/kubeconfig"] = tmp_path / "kubeconfig"
        tmp_path.chmod(0o755)
        flags = ["release-finalizers", "--dry-run", "--kubeconfig=/kubeconfig"]
        return portitor(root, *flags, mounts=around | mounts, netns=network.path).run()

    return run


# The names come from DNS, from DNS by the search list, and from /etc/hosts.
@pytest.mark.parametrize("host", ["api.image.test", "api", "hosts.image.test"])
def test_names_are_resolved_and_the_bundle_is_what_is_trusted(ask, certs, host):
    done = ask(host, {"/etc/ssl/certs/ca-certificates.crt": certs.ca})
    assert done.returncode == 0 and "0 objects would be released" in done.stdout, done.stderr


def test_an_authority_that_is_not_in_the_bundle_is_not_trusted(ask):
    done = ask("api.image.test", {})
    assert done.returncode == 1 and "certificate" in done.stderr


def test_a_name_that_nobody_knows_is_an_error(ask, certs):
    done = ask("nobody.image.test", {"/etc/ssl/certs/ca-certificates.crt": certs.ca})
    assert done.returncode == 1 and "nobody.image.test" in done.stderr


def test_a_container_can_be_a_process_of_a_cluster(root, network, service_account, tmp_path):
    command = command_line(
        root,
        [PORTITOR, "--role=verifier"],
        env={"KUBERNETES_SERVICE_HOST": ADDRESS, "KUBERNETES_SERVICE_PORT": "6444"},
        mounts={"/var/run/secrets/kubernetes.io/serviceaccount": service_account},
        # The process is started in the cluster's network already.
        netns="/proc/self/ns/net",
    )
    process = Process("verifier", command, network, tmp_path, ready=lambda _: serves(network))
    process.start().wait_ready(10)
    assert process.stop() == 0
    assert process.log().count("shutting down") == 1 and "second signal" not in process.log()
    # Killed, it takes the program with it.
    process.start().wait_ready(10)
    process.kill()
    wait_until(lambda: not serves(network), 5, "nobody serves any more")


def serves(network):
    line = network.wrap(["curl", "-s", "-o", "/dev/null", "--fail", "http://127.0.0.1:8081/healthz"])
    return subprocess.run(line).returncode == 0
