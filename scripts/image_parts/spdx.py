"""The SBOM: SPDX 2.3, of every file in the image and every package that it came from or was compiled in."""

import hashlib
import json
import re
import urllib.parse
import uuid

from . import debian, rootfs

_DOCUMENT = "SPDXRef-DOCUMENT"
_IMAGE = "SPDXRef-Image"
_PORTITOR = "SPDXRef-Portitor"

# What the file LICENSE in the root of the sources is.
LICENSE = "Apache-2.0"


def document(root, version, created):
    """The SBOM as text; the same files give the same text."""
    files = [_file(path, file) for path, file in sorted(root.items()) if not file.target]
    dynamic = {file.package.name: file.package for file in root.values() if file.package}
    static = {name: debian.package(name) for name in rootfs.STATIC_PACKAGES}
    packages = dynamic | static
    relations = [_relation(_DOCUMENT, "DESCRIBES", _IMAGE)]
    relations += [_relation(_IMAGE, "CONTAINS", file["SPDXID"]) for file in files]
    relations.append(_relation(_IMAGE, "CONTAINS", _PORTITOR))
    relations += [_relation(_file_id(path), "GENERATED_FROM", _PORTITOR) for path in (rootfs.BINARY, rootfs.LICENSE)]
    for path, file in sorted(root.items()):
        if file.package and not file.target:
            relations.append(_relation(_file_id(path), "GENERATED_FROM", _package_id(file.package)))
    libraries = {file.package.name for path, file in root.items() if file.package and ".so" in path}
    binary = _file_id(rootfs.BINARY)
    relations += [_relation(binary, "DYNAMIC_LINK", _package_id(packages[name])) for name in sorted(libraries)]
    relations += [_relation(binary, "STATIC_LINK", _package_id(packages[name])) for name in sorted(static)]
    content = {
        "packages": [_image(files, version), _portitor(version), *(_package(packages[name]) for name in sorted(packages))],
        "files": files,
        "relationships": relations,
    }
    return _text(
        {
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": _DOCUMENT,
            "name": f"portitor-{version}",
            # Unique to what it describes, and the same for the same.
            "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, created + _text(content))}",
            "creationInfo": {"created": created, "creators": ["Tool: portitor-scripts-image.py"]},
            **content,
        }
    )


def _image(files, version):
    sha1s = sorted(_checksum(file, "SHA1") for file in files)
    return {
        "SPDXID": _IMAGE,
        "name": "portitor-image",
        "versionInfo": version,
        "primaryPackagePurpose": "CONTAINER",
        "downloadLocation": "NOASSERTION",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "licenseComments": "each package that the image was made of has its own",
        "copyrightText": "NOASSERTION",
        "filesAnalyzed": True,
        "packageVerificationCode": {
            "packageVerificationCodeValue": hashlib.sha1("".join(sha1s).encode()).hexdigest(),
            # It cannot hold a hash of itself.
            "packageVerificationCodeExcludedFiles": [f"./{rootfs.SBOM}"],
        },
    }


def _portitor(version):
    """What is in this repository. Nobody has published it anywhere that could be named here."""
    return {
        "SPDXID": _PORTITOR,
        "name": "portitor",
        "versionInfo": version,
        "primaryPackagePurpose": "APPLICATION",
        "downloadLocation": "NOASSERTION",
        "licenseConcluded": LICENSE,
        "licenseDeclared": LICENSE,
        "licenseComments": f"see /{rootfs.LICENSE}",
        "copyrightText": "NOASSERTION",
        "filesAnalyzed": False,
    }


def _package(package):
    version = urllib.parse.quote(package.version, safe="~")
    name = urllib.parse.quote(package.name)
    return {
        "SPDXID": _package_id(package),
        "name": package.name,
        "versionInfo": package.version,
        "supplier": "Organization: Debian",
        "sourceInfo": f"built from source package {package.source} {package.source_version}",
        "downloadLocation": "NOASSERTION",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": package.licence or "NOASSERTION",
        "licenseComments": f"see /usr/share/doc/{package.source}/copyright",
        "copyrightText": "NOASSERTION",
        "filesAnalyzed": False,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"pkg:deb/debian/{name}@{version}?arch={package.architecture}&distro=debian-12",
            }
        ],
    }


def _file(path, file):
    return {
        "SPDXID": _file_id(path),
        "fileName": f"./{path}",
        "checksums": [
            # SPDX asks for the weak one.
            {"algorithm": "SHA1", "checksumValue": hashlib.sha1(file.data).hexdigest()},
            {"algorithm": "SHA256", "checksumValue": hashlib.sha256(file.data).hexdigest()},
        ],
        "licenseConcluded": "NOASSERTION",
        "licenseInfoInFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION",
    }


def _checksum(file, algorithm):
    (found,) = (each["checksumValue"] for each in file["checksums"] if each["algorithm"] == algorithm)
    return found


def _relation(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _package_id(package):
    return _id("Package", package.name)


def _file_id(path):
    return _id("File", path)


def _id(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.]", "-", name)


def _text(value):
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
