"""What the chart makes of its values files, to the letter: PORTITOR_UPDATE_GOLDEN=1 writes it down anew."""

import os
import re
from pathlib import Path

import yaml
from cluster import chart
from cluster.tools import REPOSITORY
from renders import select

GOLDEN = Path(__file__).parent / "golden"


def test_golden(renders, values):
    kept = GOLDEN / f"{values}.yaml"
    if os.environ.get("PORTITOR_UPDATE_GOLDEN"):
        kept.write_text(without_crds(renders.text(values)))
    assert without_crds(renders.text(values)) == kept.read_text()


def without_crds(text):
    """The CRDs are the files of the chart, and long."""
    documents = re.split(r"^---\n", text, flags=re.M)
    return "---\n".join(each for each in documents if "kind: CustomResourceDefinition" not in each)


def test_every_golden_file_has_values(renders):
    assert sorted(path.stem for path in GOLDEN.glob("*.yaml")) == renders.names()


def test_lint(renders, values):
    said = chart.helm(renders.helm, "lint", "--strict", chart.CHART, f"--values={renders.file(values)}")
    assert "0 chart(s) failed" in said
    assert "[WARNING]" not in said and "[ERROR]" not in said


def test_crds_are_the_files_and_are_kept(renders):
    made = select(renders.of(), "CustomResourceDefinition")
    assert len(made) == 3
    for crd in made:
        assert crd["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
        assert crd == yaml.safe_load((chart.CHART / "files" / "crds" / f"{crd['metadata']['name']}.yaml").read_text())
    for crd in select(renders.of(crds={"keep": False}), "CustomResourceDefinition"):
        assert "annotations" not in crd["metadata"]
    assert select(renders.of(crds={"enabled": False}), "CustomResourceDefinition") == []
    assert select(renders.of(crds={"install": []}), "CustomResourceDefinition") == []
    (only,) = select(renders.of(crds={"install": ["PaymentRoute"]}), "CustomResourceDefinition")
    assert only["metadata"]["name"] == "paymentroutes.obol.org"


def test_version_is_the_projects():
    project = re.search(r"project\(portitor VERSION (\S+)", (REPOSITORY / "CMakeLists.txt").read_text())[1]
    about = yaml.safe_load((chart.CHART / "Chart.yaml").read_text())
    assert (about["version"], about["appVersion"]) == (project, project)


def test_names_follow_the_release(renders):
    def names(release, *arguments):
        text = chart.helm(renders.helm, "template", release, chart.CHART, "--kube-version=1.37.2", *arguments)
        return {each["metadata"]["name"] for each in select(yaml.safe_load_all(text), "Deployment")}

    assert names("portitor") == {"portitor-controller", "portitor-verifier", "portitor-registrar"}
    assert "my-portitor-verifier" in names("my-portitor")
    assert "edge-portitor-verifier" in names("edge")
    assert "toll-verifier" in names("edge", "--set=fullnameOverride=toll")
    assert max(map(len, names("r" * 53))) <= 63


def test_the_notes_tell_what_the_record_of_payments_outlasts(renders):
    def notes(*values):
        minimal = f"--values={renders.file('minimal')}"
        said = chart.helm(renders.helm, "install", "edge", chart.CHART, "--dry-run=client", minimal, *values)
        return " ".join(said.partition("NOTES:")[2].split())

    in_the_pod = notes()
    assert "It outlasts crashes of the container, and goes with the pod" in in_the_pod
    assert "ledger.persistence keeps it" in in_the_pod
    on_a_volume = notes("--set=ledger.persistence.enabled=true")
    assert "is on the volume claim edge-portitor-verifier, which outlives the release" in on_a_volume
    assert "a gap of seconds in which nobody is served and nobody charged" in on_a_volume
    assert "goes with the pod" not in on_a_volume
    several = notes("--set=verifier.replicas=2", "--set=verifier.acceptUnsharedClaims=true")
    assert "2 verifiers have a record of payments each" in several


def test_the_record_of_payments_has_a_writable_place(renders):
    def verifier(**ledger):
        objects = renders.of(ledger=ledger)
        deployment = select(objects, "Deployment", "verifier")[0]["spec"]
        pod = deployment["template"]["spec"]
        (container,) = pod["containers"]
        env = {each["name"]: each.get("value") for each in container["env"]}
        assert env["PORTITOR_LEDGER"] == "/var/lib/portitor/ledger.db"
        assert env["PORTITOR_LEDGER_MAX_SIZE"] == "768Mi"
        # Where `kubectl exec … portitor sales` finds the operator's networks.
        assert f"--config={env['PORTITOR_CONFIG']}" in container["args"]
        (mount,) = [each for each in container["volumeMounts"] if each["name"] == "ledger"]
        assert mount == {"name": "ledger", "mountPath": "/var/lib/portitor"}
        # It is not root, and its own file system is read-only: the volume is its group's.
        assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"] == 65532
        assert container["securityContext"]["readOnlyRootFilesystem"]
        (volume,) = [each for each in pod["volumes"] if each["name"] == "ledger"]
        del volume["name"]
        return deployment["strategy"]["type"], volume, select(objects, "PersistentVolumeClaim")

    assert verifier() == ("RollingUpdate", {"emptyDir": {}}, [])

    strategy, volume, (claim,) = verifier(persistence={"enabled": True, "size": "4Gi", "storageClass": "fast"})
    assert strategy == "Recreate"
    assert volume == {"persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "4Gi"}},
    }

    strategy, volume, claims = verifier(persistence={"enabled": True, "existingClaim": "book"})
    assert (strategy, claims) == ("Recreate", [])
    assert volume == {"persistentVolumeClaim": {"claimName": "book"}}
