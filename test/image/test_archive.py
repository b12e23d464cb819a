"""The image as a file: well formed, small, the same each time, and described by its SBOM."""

import hashlib
import io
import json
import re
import subprocess
import tarfile
from pathlib import Path

from image_parts import rootfs

ROOT = Path(__file__).resolve().parents[2]
# What it takes today, and a tenth more: who adds to it says so here.
MOST_UNPACKED = 28_800_000
MOST_PACKED = 11_900_000


def entries(image):
    with tarfile.open(fileobj=io.BytesIO(image.layer)) as tar:
        return {entry.name: (entry, tar.extractfile(entry).read() if entry.isfile() else b"") for entry in tar}


def sbom(image):
    return json.loads(entries(image)[rootfs.SBOM][1])


def test_it_starts_the_program_as_nobody_in_particular(image):
    config = image.config["config"]
    assert config["Entrypoint"] == ["/usr/bin/portitor"] and config["User"] == "65532:65532"
    assert config["WorkingDir"] == "/" and "Env" not in config and "Cmd" not in config
    assert image.config["os"] == "linux" and image.config["architecture"] in ("amd64", "arm64")


def test_labels_say_what_is_known_and_no_more(image):
    labels = image.config["config"]["Labels"]
    assert {key.removeprefix("org.opencontainers.image.") for key in labels} <= {
        *("title", "description", "licenses", "version", "created", "revision")
    }
    said = subprocess.run([ROOT / "build/release/portitor", "--version"], capture_output=True, text=True).stdout
    assert said.startswith(f"portitor {labels['org.opencontainers.image.version']}\n")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    if commit.returncode == 0:
        assert labels["org.opencontainers.image.revision"].removesuffix("-dirty") == commit.stdout.strip()
    assert labels["org.opencontainers.image.created"] == image.config["created"]
    assert image.manifest["annotations"] == labels


def test_files_belong_to_root_and_nobody_else_may_write_them(image):
    for entry, _ in entries(image).values():
        assert (entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, "", "")
        assert entry.isdir() or entry.isfile() or entry.issym()
        assert entry.issym() or entry.mode in (0o755, 0o644), entry.name
    assert [name for name in entries(image) if "/sh" in name.replace("/share", "")] == []


def test_every_byte_has_a_reason(image, built):
    sizes = {name: entry.size for name, (entry, _) in entries(image).items()}
    assert sum(sizes.values()) < MOST_UNPACKED, sizes
    (archive,) = built.glob("*.tar")
    assert archive.stat().st_size < MOST_PACKED


def test_two_runs_give_the_same_digest(make, built, image, tmp_path):
    make("--output", tmp_path)
    for path in [*built.glob("*.tar"), *built.glob("*.json")]:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    assert (built / "said").read_text().splitlines()[-1] == image.digest


def test_the_folder_that_is_written_for_docker_has_the_same_files(make, image, tmp_path):
    folder = tmp_path / "image"
    make("--root", folder)
    written = {str(path.relative_to(folder)): path for path in folder.rglob("*")}
    assert written.keys() == entries(image).keys()
    for name, (entry, data) in entries(image).items():
        path, there = written[name], written[name].lstat()
        assert there.st_mtime == entry.mtime
        if entry.issym():
            assert str(path.readlink()) == entry.linkname
        else:
            assert there.st_mode & 0o7777 == entry.mode
            assert path.is_dir() == entry.isdir() and (path.is_dir() or path.read_bytes() == data)


def test_the_binary_does_not_know_the_folder_that_it_was_built_in():
    # With its debug information, which the build id is made from. "./src" and "/srcs" do not name a folder "/src".
    folder = re.escape(str(ROOT).encode())
    # The folder first: what begins with a literal is found fast.
    named = folder + rb"(?<![\w.-]" + folder + rb")(?![\w.-])"
    assert not re.search(named, (ROOT / "build/release/portitor").read_bytes())


def test_authorities_are_those_of_debian_and_not_of_this_machine(image):
    bundle = entries(image)[rootfs.CA_BUNDLE][1]
    shipped = subprocess.run(["dpkg-query", "-L", "ca-certificates"], capture_output=True, text=True).stdout
    assert bundle.count(b"BEGIN CERTIFICATE") == len(re.findall(r"/mozilla/.*\.crt$", shipped, re.M)) > 100


def test_the_sbom_names_every_file(image, built):
    inside = entries(image)
    (beside,) = built.glob("*.spdx.json")
    assert beside.read_bytes() == inside[rootfs.SBOM][1]
    named = {
        file["fileName"].removeprefix("./"): {each["algorithm"]: each["checksumValue"] for each in file["checksums"]}
        for file in sbom(image)["files"]
    }
    there = {name: data for name, (entry, data) in inside.items() if entry.isfile() and name != rootfs.SBOM}
    assert {name: sums["SHA256"] for name, sums in named.items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in there.items()
    }
    sha1s = "".join(sorted(sums["SHA1"] for sums in named.values()))
    whole = package(image, "portitor-image")
    code = whole["packageVerificationCode"]["packageVerificationCodeValue"]
    assert code == hashlib.sha1(sha1s.encode()).hexdigest()


def test_the_sbom_hangs_together(image):
    document = sbom(image)
    ids = [each["SPDXID"] for each in [document, *document["packages"], *document["files"]]]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", each) for each in ids)
    for relation in document["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= set(ids), relation
    assert document["creationInfo"]["created"] == image.config["created"]


def test_the_sbom_names_what_is_compiled_in(image):
    static = related(image, "STATIC_LINK")
    assert {"libboost1.81-dev", "libcrypto++-dev", "libstdc++-12-dev"} <= static
    assert {"libc6", "libssl3", "libmimalloc2.0", "libsecp256k1-1"} <= related(image, "DYNAMIC_LINK")
    # A library that is added to the build has to be added here too, unless the loader finds it.
    script = (ROOT / "scripts/install-deps.sh").read_text()
    build = re.search(r"build_packages=\((.*?)\)", script, re.S)[1].split()
    # mimalloc only takes malloc's place.
    assert {name for name in build if name.startswith("lib")} - {"libmimalloc-dev"} <= static


def related(image, kind):
    names = {each["SPDXID"]: each["name"] for each in sbom(image)["packages"]}
    relations = [each for each in sbom(image)["relationships"] if each["relationshipType"] == kind]
    assert {each["spdxElementId"] for each in relations} == {"SPDXRef-File-usr-bin-portitor"}
    return {names[each["relatedSpdxElement"]] for each in relations}


def package(image, name):
    (found,) = [each for each in sbom(image)["packages"] if each["name"] == name]
    return found


def test_what_is_given_away_comes_with_its_notices(image):
    for each in sbom(image)["packages"]:
        if each["name"] != "portitor-image":
            notice = each["licenseComments"].removeprefix("see /")
            assert len(entries(image)[notice][1]) > 500


def test_one_licence_is_named_everywhere(image):
    text = (ROOT / "LICENSE").read_bytes()
    # Nobody's own version of it.
    assert text == Path("/usr/share/common-licenses/Apache-2.0").read_bytes()
    assert entries(image)[rootfs.LICENSE][1] == text
    said = package(image, "portitor")
    assert said["licenseDeclared"] == said["licenseConcluded"] == "Apache-2.0"
    assert said["licenseComments"] == f"see /{rootfs.LICENSE}"
    made = {(each["spdxElementId"], each["relationshipType"]) for each in relations_to(image, said["SPDXID"])}
    assert made == {
        ("SPDXRef-Image", "CONTAINS"),
        ("SPDXRef-File-usr-bin-portitor", "GENERATED_FROM"),
        ("SPDXRef-File-usr-share-doc-portitor-LICENSE", "GENERATED_FROM"),
    }
    assert image.config["config"]["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert 'org.opencontainers.image.licenses="Apache-2.0"' in (ROOT / "Dockerfile").read_text()
    assert "artifacthub.io/license: Apache-2.0" in (ROOT / "charts/portitor/Chart.yaml").read_text()
    assert "[Apache License 2.0](LICENSE)" in (ROOT / "README.md").read_text()


def test_the_sbom_claims_nothing_for_what_is_others(image):
    """The image as a whole is under several licences, and it is published nowhere that could be named."""
    whole = package(image, "portitor-image")
    assert {whole["licenseDeclared"], whole["licenseConcluded"]} == {"NOASSERTION"}
    assert {each["downloadLocation"] for each in sbom(image)["packages"]} == {"NOASSERTION"}


def relations_to(image, identity):
    return [each for each in sbom(image)["relationships"] if each["relatedSpdxElement"] == identity]


def test_the_dockerfile_packs_the_same():
    text = (ROOT / "Dockerfile").read_text()
    steps = [line.split() for line in text.replace("\\\n", " ").splitlines() if line and line[0] != "#"]
    commands = [" ".join(words[1:]) for words in steps if words[0] == "RUN"]
    assert commands == [
        "scripts/install-deps.sh build",
        'PORTITOR_COMMIT="$REVISION" scripts/build.sh release --target portitor',
        "scripts/image.py --root /image",
    ]
    copied = [words[1:-1] for words in steps if words[0] == "COPY"]
    assert copied.pop() == ["--from=build", "/image"]
    assert all((ROOT / source).exists() for sources in copied for source in sources)
    assert ["FROM", "scratch"] in steps
    assert ["USER", "65532:65532"] in steps and ["ENTRYPOINT", '["/usr/bin/portitor"]'] in steps
    version = re.search(r"project\(portitor VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert f'org.opencontainers.image.version="{version}"' in text
