"""`kubectl portitor`: the plug-in under the real kubectl, and the kubeconfig that kubectl would use."""

import shutil

import pytest

CONTEXTS = """\
apiVersion: v1
kind: Config
current-context: {name}
clusters: [{{name: {name}, cluster: {{server: 'https://127.0.0.1:1'}}}}]
users: [{{name: {name}, user: {{token: planted-secret}}}}]
contexts: [{{name: {name}, context: {{cluster: {name}, user: {name}, namespace: sellers}}}}]
"""


@pytest.fixture
def kubectl(run, on_path):
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not on the PATH: see test/tools/build.sh")
    return lambda *arguments, **env: run(*arguments, program=shutil.which("kubectl"), env=on_path | env)


def test_kubectl_starts_it(kubectl):
    done = kubectl("portitor", "version")
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("portitor ")


def test_it_speaks_of_itself_as_one_calls_it(kubectl):
    assert "Usage: kubectl portitor version [options]" in kubectl("portitor", "version", "--help").stdout
    done = kubectl("portitor", "version", "--outptu=json")
    assert done.returncode == 2 and "did you mean --output? (see kubectl portitor version --help)" in done.stderr


def test_commands_take_the_flags_of_kubectl(kubectl, tmp_path):
    path = tmp_path / "config"
    path.write_text(CONTEXTS.format(name="here"))
    done = kubectl("portitor", "sell", "list", "--kubeconfig", str(path), "--context", "there", "-n", "portitor")
    assert done.returncode == 1 and f'{path} has no context "there"' in done.stderr


def test_without_a_kubeconfig_it_says_what_to_do(run, on_path):
    done = run("release-finalizers", env=on_path)
    assert done.returncode == 1
    assert "neither a file of $KUBECONFIG nor ~/.kube/config" in done.stderr and "--kubeconfig" in done.stderr


def test_commands_use_the_files_that_kubectl_uses(run, on_path, tmp_path):
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text(CONTEXTS.format(name="home"))
    done = run("release-finalizers", env=on_path)
    assert done.returncode == 1 and "127.0.0.1:1" in done.stderr and "planted-secret" not in done.stderr
    done = run("release-finalizers", "--context=nowhere", env=on_path)
    assert f'{tmp_path}/.kube/config has no context "nowhere"' in done.stderr
    other = tmp_path / "other"
    other.write_text(CONTEXTS.format(name="other"))
    listed = on_path | {"KUBECONFIG": f"{tmp_path}/missing:{other}:{tmp_path}/.kube/config"}
    assert f'{other} has no context "nowhere"' in run("release-finalizers", "--context=nowhere", env=listed).stderr
    assert "127.0.0.1:1" in run("release-finalizers", "--context=home", env=listed).stderr


def test_a_role_does_not_look_there(run, on_path, tmp_path):
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text(CONTEXTS.format(name="home"))
    done = run("--role=verifier", "--health-listen=127.0.0.1:0", env=on_path)
    assert done.returncode == 1 and "not in a pod: give --kubeconfig" in done.stderr
