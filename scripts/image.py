#!/usr/bin/python3
"""Writes the container image of build/release/portitor, without a container engine: an OCI archive, and beside it the
SBOM. The same binary, packages and commit give the same digest.

    image.py                  build/image/portitor-VERSION.tar and .spdx.json
    image.py --root DIR       only the files of the image, for the Dockerfile
"""

import argparse
import datetime
import os
import shutil
import subprocess
from pathlib import Path

from image_parts import archive, debian, rootfs, spdx

ROOT = Path(__file__).resolve().parents[1]


def git(*command):
    """What git says of the sources, or None where they are not under git, or it is not there."""
    if not shutil.which("git"):
        return None
    done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def source_date():
    """The time that everything in the image has: that of the last commit, unless SOURCE_DATE_EPOCH says another."""
    found = os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct")
    if not found:
        raise SystemExit("image: set SOURCE_DATE_EPOCH: there is no commit to take the time of")
    return int(found)


def revision():
    """The commit, if that is what the sources are."""
    commit = git("rev-parse", "HEAD")
    if not commit:
        return None
    return commit + ("-dirty" if git("status", "--porcelain", "--untracked-files=no") else "")


def labels(version, created):
    """Only what is known: there is no public address."""
    values = {
        "title": "portitor",
        "description": "Sells HTTP services in Kubernetes for x402 payments",
        "licenses": spdx.LICENSE,
        "version": version,
        "revision": revision(),
        "created": created,
    }
    return {f"org.opencontainers.image.{key}": value for key, value in values.items() if value}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--binary", default=ROOT / "build/release/portitor", type=Path, help="what to pack")
    options.add_argument("--output", default=ROOT / "build/image", type=Path, help="folder of the archive")
    options.add_argument("--root", metavar="DIR", help="write the files there, and no archive")
    chosen = options.parse_args()
    if not chosen.binary.exists():
        options.error(f"{chosen.binary} is not there: scripts/build.sh release")

    said = subprocess.run([chosen.binary, "--version"], check=True, capture_output=True, text=True).stdout
    version = said.split()[1]
    epoch = source_date()
    created = datetime.datetime.fromtimestamp(epoch, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    root = rootfs.make(chosen.binary)
    sbom = spdx.document(root, version, created)
    root[rootfs.SBOM] = rootfs.File(sbom.encode())
    unpacked = sum(len(file.data) for file in root.values())
    print(f"{len(root)} files, {unpacked / 1e6:.2f} MB, the binary {len(root[rootfs.BINARY].data) / 1e6:.2f} MB")
    if chosen.root:
        rootfs.write(root, chosen.root, epoch)
        return

    chosen.output.mkdir(parents=True, exist_ok=True)
    target = chosen.output / f"portitor-{version}.tar"
    digest, layer = archive.write(
        target,
        root,
        epoch=epoch,
        created=created,
        architecture=debian.architecture(),
        labels=labels(version, created),
        reference=version,
    )
    target.with_suffix(".spdx.json").write_text(sbom)
    print(f"{target}: {target.stat().st_size / 1e6:.2f} MB, its layer {layer / 1e6:.2f} MB\n{digest}")


if __name__ == "__main__":
    main()
