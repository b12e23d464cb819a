"""Writes an image as an OCI archive: the same files and facts give the same bytes."""

import hashlib
import io
import json
import tarfile
import zlib
from pathlib import Path

from . import rootfs

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def write(path, root, *, epoch, created, architecture, labels, reference):
    """Writes the archive; returns the digest of the image and the size of its layer."""
    layer = _tar(root, epoch)
    blobs = Blobs()
    packed = _gzip(layer)
    config = {
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": f"{rootfs.USER}:{rootfs.USER}",
            "Entrypoint": ["/" + rootfs.BINARY],
            "WorkingDir": "/",
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        "history": [{"created": created, "created_by": "scripts/image.py"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": blobs.add(_CONFIG, _json(config)),
        "layers": [blobs.add(_LAYER, packed)],
        "annotations": labels,
    }
    image = blobs.add(_MANIFEST, _json(manifest))
    named = {
        **image,
        "platform": {"architecture": architecture, "os": "linux"},
        "annotations": {"org.opencontainers.image.ref.name": reference},
    }
    files = {
        "index.json": _json({"schemaVersion": 2, "manifests": [named]}),
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        **{f"blobs/sha256/{digest}": data for digest, data in blobs.data.items()},
    }
    content = {name: rootfs.File(data) for name, data in files.items()}
    partial = Path(path).with_suffix(".partial")
    partial.write_bytes(_tar(content, epoch))
    partial.replace(path)
    return image["digest"], len(packed)


class Blobs:
    """What is stored by its digest."""

    def __init__(self):
        self.data = {}

    def add(self, media_type, data):
        """Stores it; returns its descriptor."""
        digest = _digest(data)
        self.data[digest.removeprefix("sha256:")] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _tar(files, epoch):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted([*rootfs.folders(files), *files]):
            # Owner and group are root's, and have no name, by default.
            entry = tarfile.TarInfo(name)
            entry.mtime = epoch
            file = files.get(name)
            if file is None:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            elif file.target:
                entry.type, entry.mode, entry.linkname = tarfile.SYMTYPE, 0o777, file.target
            else:
                entry.mode, entry.size = file.mode, len(file.data)
            tar.addfile(entry, io.BytesIO(file.data) if file else None)
    return out.getvalue()


def _gzip(data):
    # 31: with a gzip header, in which zlib writes neither a time nor a name.
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _json(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
