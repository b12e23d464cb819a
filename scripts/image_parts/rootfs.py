"""The files of the image: a mapping of paths (no leading slash) to what is there."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import debian

USER = 65532
BINARY = "usr/bin/portitor"
CA_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
SBOM = "usr/share/doc/portitor/sbom.spdx.json"
LICENSE = "usr/share/doc/portitor/LICENSE"

# Compiled in, and so in no list of the loader: headers, the archives of Crypto++, RE2, c-ares and SQLite, and the
# compiler's own parts.
STATIC_PACKAGES = [
    *["libboost1.81-dev", "libboost-json1.81-dev", "libboost-url1.81-dev", "libcrypto++-dev"],
    *["libfmt-dev", "libyaml-cpp-dev", "libre2-dev", "libc-ares-dev", "libsecp256k1-dev", "libsqlite3-dev", "libssl-dev"],
    *["libc6-dev", "libgcc-12-dev", "libstdc++-12-dev"],
]

_SOURCES = Path(__file__).resolve().parents[2]
_PASSWD = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:{0}:{0}:nonroot:/:/sbin/nologin\n".format(USER)
_GROUP = "root:x:0:\nnonroot:x:{0}:\n".format(USER)


@dataclass(frozen=True)
class File:
    """A file, or a symbolic link to `target`, and the package that it came from."""

    data: bytes = b""
    mode: int = 0o644
    target: str = ""
    package: debian.Package | None = None


def make(binary):
    """All files but the SBOM, which describes them."""
    root = {
        BINARY: File(_stripped(binary), 0o755),
        LICENSE: File((_SOURCES / "LICENSE").read_bytes()),
        "etc/passwd": File(_PASSWD.encode()),
        "etc/group": File(_GROUP.encode()),
        CA_BUNDLE: _ca_bundle(),
        # Where Debian's OpenSSL looks.
        "usr/lib/ssl/cert.pem": File(target="/" + CA_BUNDLE),
        **_libraries(binary),
    }
    return root | _notices(root)


def folders(root):
    """The folders that the files are in, each after the one that it is in."""
    return sorted({str(folder) for path in root for folder in Path(path).parents} - {"."})


def write(root, directory, epoch):
    """Writes the files into a folder, which must be new or empty."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise SystemExit(f"image: {directory} is not empty")
    directory.chmod(0o755)
    for folder in folders(root):
        (directory / folder).mkdir()
        (directory / folder).chmod(0o755)
    for path, file in root.items():
        where = directory / path
        if file.target:
            where.symlink_to(file.target)
        else:
            where.write_bytes(file.data)
            where.chmod(file.mode)
    # Folders last: what is made in them touches them.
    for path in [*root, *reversed(folders(root)), "."]:
        os.utime(directory / path, (epoch, epoch), follow_symlinks=False)


def _stripped(binary):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["strip", "--strip-all", "-o", out.name, binary], check=True)
        return Path(out.name).read_bytes()


def _libraries(binary):
    """What the loader says that it loads, and the loader."""
    listed = subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout
    if "not found" in listed:
        raise SystemExit(f"image: the binary does not run here:\n{listed}")
    places = {}
    for name, place in re.findall(r"^\s*(\S+) => (/\S+) \(0x", listed, re.M):
        # The loader looks in the same folders without its cache, so the image needs none.
        places[os.path.realpath(os.path.dirname(place)).lstrip("/") + "/" + name] = os.path.realpath(place)
    # The kernel wants this one exactly where the binary says.
    (loader,) = re.findall(r"^\s*(/\S+) \(0x", listed, re.M)
    places[loader.lstrip("/")] = os.path.realpath(loader)
    packages = debian.owners(places.values())
    return {
        inside: File(
            Path(place).read_bytes(),
            0o755 if inside == loader.lstrip("/") else 0o644,
            package=packages[place],
        )
        for inside, place in places.items()
    }


def _ca_bundle():
    """As Debian ships it: the bundle of this machine may hold authorities that only its owner trusts."""
    place = "/usr/share/ca-certificates/"
    certificates = [path for path in debian.files("ca-certificates") if path.startswith(place)]
    data = b"".join(Path(path).read_bytes().rstrip() + b"\n" for path in certificates)
    return File(data, package=debian.package("ca-certificates"))


def _notices(root):
    """The notices of everything that the image has files of, or code; once for all packages of one source."""
    packages = [file.package for file in root.values() if file.package]
    packages += [debian.package(name) for name in STATIC_PACKAGES]
    found = {}
    for package in sorted(packages, key=lambda each: each.name):
        path = f"usr/share/doc/{package.source}/copyright"
        found.setdefault(path, File(package.copyright_file.read_bytes(), package=package))
    return found

