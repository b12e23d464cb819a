"""Reads an OCI archive back, strictly: what is not as the specification says is an error."""

import gzip
import hashlib
import io
import json
import tarfile

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class Archive:
    """An image of one layer. `index`, `manifest` and `config` are its documents, `layer` its files as a tar."""

    def __init__(self, path):
        with tarfile.open(path) as tar:
            self._files = {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}
        assert json.loads(self._files.pop("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
        self.index = json.loads(self._files.pop("index.json"))
        (image,) = self.index["manifests"]
        self.digest = image["digest"]
        self.manifest = json.loads(self._blob(image, _MANIFEST))
        assert self.manifest["mediaType"] == _MANIFEST
        self.config = json.loads(self._blob(self.manifest["config"], _CONFIG))
        (layer,) = self.manifest["layers"]
        self.layer = gzip.decompress(self._blob(layer, _LAYER))
        assert self.config["rootfs"] == {"type": "layers", "diff_ids": [_digest(self.layer)]}
        assert {self.index["schemaVersion"], self.manifest["schemaVersion"]} == {2}
        assert not self._files, f"nothing names these: {list(self._files)}"

    def unpack(self, directory):
        """Writes the files of the image into a folder, as a runtime does."""
        with tarfile.open(fileobj=io.BytesIO(self.layer)) as tar:
            # Links are written as they are: the one of the CA bundle is absolute, and meant for inside.
            tar.extractall(directory, numeric_owner=True)

    def _blob(self, descriptor, media_type):
        digest = descriptor["digest"]
        data = self._files.pop("blobs/" + digest.replace(":", "/"))
        assert descriptor["mediaType"] == media_type
        assert descriptor["size"] == len(data) and digest == _digest(data)
        return data


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()
