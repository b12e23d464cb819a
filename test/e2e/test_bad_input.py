"""The program started wrongly: one clear line, a non-zero exit, within a second; and --role=once on good and bad files."""

import json
import os
import resource
import socket
import subprocess
import time

import pytest
import yaml
import x402

from stack import binary, offer

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, user: me}}]
clusters: [{name: here, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: me, user: {token: planted-secret}}]
"""


def run(*arguments, env=None, stdin=None):
    # Nothing of the machine's own settings may decide a test.
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PORTITOR_", "KUBERNETES_"))}
    began = time.monotonic()
    done = subprocess.run(
        [binary(), *arguments], env=clean | (env or {}), input=stdin, capture_output=True, text=True, timeout=10
    )
    done.seconds = time.monotonic() - began
    return done


def assert_refused(done, *words, code=1):
    """One line that holds these words, and the exit code, within a second."""
    assert done.returncode == code, done
    assert done.seconds < 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("portitor: "), done.stderr
    for word in words:
        assert word in lines[0], lines[0]
    assert "planted-secret" not in done.stderr + done.stdout


@pytest.fixture
def kubeconfig(tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG)
    return path


@pytest.fixture
def busy_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_unknown_flag():
    assert_refused(run("--role=verifier", "--lisen=:1"), "--lisen", "did you mean --listen?", code=2)


def test_flag_given_twice():
    assert_refused(run("--role=verifier", "--listen=:1", "--listen=:2"), "--listen is given twice", code=2)
    # To once, 2 means changes.
    assert_refused(run("once", "--output=json", "-o", "yaml"), "--output and -o are the same: give one of them")
    assert_refused(run("--role=once", "--output=json", "-o", "yaml"), "--output and -o are the same")


def test_unknown_or_no_role():
    for arguments in (["--role=verifer"], []):
        done = run(*arguments)
        assert done.returncode == 2 and done.seconds < 1
        assert "controller" in done.stderr and "verifier" in done.stderr


@pytest.mark.parametrize("role", ["controller", "verifier", "registrar"])
def test_missing_kubeconfig(role):
    assert_refused(run(f"--role={role}", "--health-listen=127.0.0.1:0"), "--kubeconfig")
    assert_refused(
        run(f"--role={role}", "--health-listen=127.0.0.1:0", "--kubeconfig=/does/not/exist"), "/does/not/exist"
    )


def test_unreadable_kubeconfig(tmp_path):
    # As root, which the tests need to be, every file can be read; a folder cannot.
    done = run("--role=verifier", "--health-listen=127.0.0.1:0", f"--kubeconfig={tmp_path}")
    assert_refused(done, str(tmp_path))


def test_kubeconfig_with_what_is_not_supported(tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG.replace("user: {token: planted-secret}", "user: {exec: {command: x}, token: planted-secret}"))
    assert_refused(run("--role=verifier", "--health-listen=127.0.0.1:0", f"--kubeconfig={path}"), "exec", str(path))
    path.write_text(KUBECONFIG.replace("current-context: here", "current-context: there"))
    assert_refused(run("--role=verifier", "--health-listen=127.0.0.1:0", f"--kubeconfig={path}"), '"there"')
    path.write_text("a: [planted-secret\n")
    assert_refused(run("--role=verifier", "--health-listen=127.0.0.1:0", f"--kubeconfig={path}"), str(path))


def test_busy_ports(kubeconfig, busy_port):
    busy = f"127.0.0.1:{busy_port}"
    assert_refused(run("--role=registrar", f"--health-listen={busy}", f"--kubeconfig={kubeconfig}"), "--health-listen", busy)
    assert_refused(
        run("--role=verifier", "--health-listen=127.0.0.1:0", f"--listen={busy}", f"--kubeconfig={kubeconfig}"),
        "--listen",
        busy,
    )


def test_bad_values():
    for flag, word in (
        ("--listen=nowhere", "nowhere"),
        ("--log-level=loud", "debug"),
        ("--log-format=xml", "json"),
        ("--gateway=traefik", "NAMESPACE/NAME"),
        ("--public-url=example.com", "example.com"),
        ("--allow-insecure-facilitator=maybe", "true"),
        ("--default-facilitator=http://127.0.0.1:1", "https"),
        ("--default-facilitator=unheard-of", "unheard-of"),
    ):
        name = flag.partition("=")[0]
        done = run("--role=verifier", "--health-listen=127.0.0.1:0", flag, env={"PORTITOR_KUBECONFIG": "/does/not/exist"})
        # --listen is looked at only once the kubeconfig is read.
        if name != "--listen":
            assert_refused(done, word, code=2)


def test_http_facilitators_stay_local():
    flags = ["--role=once", "--allow-insecure-facilitator"]
    assert_refused(run(*flags, "--default-facilitator=http://facilitator.example.com"), "https")
    assert "-f FILE" in run(*flags, "--default-facilitator=http://127.0.0.1:1").stderr
    assert "-f FILE" in run(*flags, "--default-facilitator=http://facilitator.x402.svc").stderr


@pytest.mark.parametrize("host", ["127.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "svc", "a.svc.example"])
def test_a_public_host_in_disguise_is_not_local(host):
    done = run("--role=once", "--allow-insecure-facilitator", f"--default-facilitator=http://{host}")
    assert_refused(done, "https", host)


def test_configuration_file(tmp_path):
    path = tmp_path / "portitor.yaml"
    for text, words in (
        ("log-level: info\nlog-levle: debug\n", (f"{path}:2", "log-levle")),
        ("log-level: [a]\n", (f"{path}:1", "log-level")),
        ("facilitators:\n  - {name: a, url: 'https://a', uri: b}\n", ("uri",)),
        ("facilitators:\n  - {name: a}\n", ("url",)),
        ("a: [\n", (str(path),)),
    ):
        path.write_text(text)
        assert_refused(run("--role=once", f"--config={path}"), *words)
    assert_refused(run("--role=once", "--config=/does/not/exist"), "/does/not/exist")


def test_flag_over_environment_over_file_over_default(tmp_path):
    config, manifest = tmp_path / "portitor.yaml", tmp_path / "offer.yaml"
    manifest.write_text(json.dumps(offer("hello")))
    config.write_text("public-url: https://file.example.com\n")

    def url(*flags, env=None):
        done = run("--role=once", "-f", str(manifest), "-o", "json", *flags, env=env)
        return children(done)[0]["spec"].get("publicURL", "")

    environment = {"PORTITOR_PUBLIC_URL": "https://environment.example.com"}
    assert url() == ""
    assert url(f"--config={config}") == "https://file.example.com/services/hello"
    assert url(f"--config={config}", env=environment) == "https://environment.example.com/services/hello"
    flag = "--public-url=https://flag.example.com/"
    assert url(f"--config={config}", flag, env=environment) == "https://flag.example.com/services/hello"


def test_help_and_version():
    done = run("--help")
    assert done.returncode == 0
    for word in ("--role", "--kubeconfig", "PORTITOR_LOG_LEVEL", "controller", "registrar"):
        assert word in done.stdout
    assert run("--version").stdout.startswith("portitor ")


def children(done):
    """What `once -o json` says that the offers' children will be, one after the other."""
    return [each["wanted"] for of in json.loads(done.stdout)["offers"] for each in of.get("children", [])]


def test_once_shows_the_children_of_an_offer(tmp_path):
    manifest = tmp_path / "offers.yaml"
    manifest.write_text(yaml.safe_dump_all([offer("hello", "0.001", registration=True), offer("world", "0.05")]))
    kinds = ["PaymentRoute", "Middleware", "HTTPRoute", "RegistrationRequest", "PaymentRoute", "Middleware", "HTTPRoute"]
    flags = ["--role=once", "-f", str(manifest), "--public-url=https://api.example.com"]
    as_json = run(*flags, "-o", "json")
    assert as_json.returncode == 2 and as_json.stderr == ""
    made = children(as_json)
    assert [each["kind"] for each in made] == kinds
    assert made[0]["spec"]["price"] == "1000" and made[4]["spec"]["price"] == "50000"
    assert made[1]["spec"]["forwardAuth"]["address"].endswith("/verify/sellers/hello")
    as_yaml = run(*flags, "-o", "yaml")
    assert yaml.safe_load(as_yaml.stdout) == json.loads(as_json.stdout)
    as_text = run(*flags)
    assert "sellers/hello" in as_text.stdout and "+ create HTTPRoute sellers/so-world" in as_text.stdout
    only = run(*flags, "-o", "json", "sellers/world")
    assert [each["kind"] for each in children(only)] == kinds[4:]
    from_stdin = run("--role=once", "-f", "-", "-o", "json", stdin=json.dumps(offer("hello")))
    assert len(children(from_stdin)) == 3
    # Whole folders, and several flags; an offer that comes twice is a mistake.
    twice = run("--role=once", "-f", str(tmp_path), "-f", str(manifest))
    assert twice.returncode == 1 and twice.stderr.count("sellers/hello stands in") == 1
    assert [each["kind"] for each in children(run("--role=once", "-f", str(tmp_path), "-o", "json"))] == [
        kind for kind in kinds if kind != "RegistrationRequest"
    ]


@pytest.mark.parametrize("price", ["0,01", "abc", "-1", "0", "0." + "0" * 29 + "1"])
def test_once_says_what_is_wrong_with_a_price(tmp_path, price):
    manifest = tmp_path / "offer.yaml"
    manifest.write_text(yaml.safe_dump(offer("hello", price)))
    done = run("--role=once", "-f", str(manifest), "-o", "json")
    assert_refused(done, "sellers/hello", "price")
    assert "PaymentRoute" not in done.stdout


def test_once_says_what_is_wrong_with_an_offer(tmp_path):
    manifest = tmp_path / "offer.yaml"
    manifest.write_text(yaml.safe_dump(offer("hello", payTo="0x" + "1" * 39)))
    assert_refused(run("--role=once", "-f", str(manifest)), "sellers/hello", "payTo")
    # What the API server takes, and the operator's lists do not allow.
    for bad, reason, word in (
        (offer("hello", network="base-sepola"), "UnknownNetwork", "base-sepola"),
        (offer("hello", facilitator="unheard-of"), "UnknownFacilitator", "unheard-of"),
        (offer("hello", "0.0000001"), "InvalidPrice", "spec.payment.price.perRequest"),
    ):
        manifest.write_text(yaml.safe_dump(bad))
        done = run("--role=once", "-f", str(manifest))
        assert done.returncode == 2 and f"! blocked: {reason}" in done.stdout and word in done.stdout
        assert "1 blocked" in done.stdout and "PaymentRoute" not in done.stdout
    manifest.write_text("a: [\n")
    assert_refused(run("--role=once", "-f", str(manifest)), str(manifest))
    assert_refused(run("--role=once", "-f", "/does/not/exist"), "/does/not/exist")
    for nothing in ("kind: ConfigMap\n", "# no offer\n", ""):
        manifest.write_text(nothing)
        assert_refused(run("--role=once", "-f", str(manifest)), str(manifest), "no ServiceOffer")
    manifest.write_text("kind: ServiceOffer\nmetadata: {name: a}\nmetadata: {name: b}\n")
    for given in (manifest, tmp_path):
        done = run("--role=once", "-f", str(given))
        assert done.returncode == 1
        for word in (f"{manifest}: line 3", '"metadata" comes twice', "default/b is invalid: apiVersion"):
            assert word in done.stderr
    (tmp_path / "empty").mkdir()
    assert_refused(run("--role=once", "-f", str(tmp_path / "empty")), "empty", "*.yaml")
    assert_refused(run("--role=once", "-f", str(manifest), "-o", "xml"), '"xml"', "yaml")
    assert_refused(run("--role=once"), "-f FILE")


def test_once_shows_the_good_offers_beside_the_bad_ones(tmp_path):
    manifest = tmp_path / "offers.yaml"
    manifest.write_text(yaml.safe_dump_all([offer("bad", "0,01"), offer("good")]))
    done = run("--role=once", "-f", str(manifest), "-o", "json")
    assert_refused(done, "sellers/bad", "price")
    assert {each["metadata"]["name"] for each in children(done)} == {"x402-good", "good-payment", "so-good"}


def test_once_reads_plain_yaml_as_kubernetes_does(tmp_path):
    manifest = tmp_path / "offer.yaml"
    text = yaml.safe_dump(offer("hello", registration=True)).replace("enabled: true", "enabled: True")
    manifest.write_text(text.replace(f"payTo: '{x402.SELLER}'", f"payTo: {x402.SELLER}"))
    done = run("--role=once", "-f", str(manifest), "-o", "json", "--public-url=https://api.example.com")
    assert done.returncode == 2, done.stderr
    assert "RegistrationRequest" in done.stdout and x402.SELLER in done.stdout
    # A price without quotes is a number, which the API server refuses.
    manifest.write_text(text.replace("'0.001'", "0.001"))
    assert_refused(run("--role=once", "-f", str(manifest)), "sellers/hello", "spec.payment.price.perRequest")


def test_a_want_of_memory_is_an_error_and_no_abort(tmp_path):
    manifest = tmp_path / "offer.yaml"
    manifest.write_text("kind: ServiceOffer\nmetadata: {name: a}\nspec: {description: " + "x" * 60_000_000 + "}\n")
    limit = 200 << 20
    done = subprocess.run(
        [binary(), "--role=once", "-f", str(manifest)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (1, "portitor: std::bad_alloc\n")
