"""Which clusters there are on this machine. A cluster is listed before anything of it exists, so that one
whose start was cut off half way can still be found and removed."""

import dataclasses
import json
import os
import re
import tempfile
from pathlib import Path

from .errors import ClusterError

_LIST = Path("/run/portitor-clusters")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a cluster was asked to be."""

    name: str
    directory: str
    traefik_throttle: str = "2s"
    controller_manager: bool = True
    traefik: bool = True
    controllers: tuple = ("garbage-collector-controller", "namespace-controller")
    portitor: bool = True


def check_name(name):
    """Refuses a name that cannot be part of a network namespace's and a folder's name."""
    if not _NAME.fullmatch(name):
        raise ClusterError(f"'{name}' is no cluster name: up to 32 of a-z, 0-9 and '-', not '-' at either end")


def default_directory(name):
    """Where a cluster keeps its files unless told otherwise."""
    return str(Path(tempfile.gettempdir()) / f"portitor-cluster-{name}")


def register(settings):
    """Lists a new cluster; refuses a name that is taken."""
    _LIST.mkdir(parents=True, exist_ok=True)
    # Linked into place when complete, so that nobody ever reads half an entry.
    with tempfile.NamedTemporaryFile("w", dir=_LIST, prefix=".new-") as draft:
        json.dump(dataclasses.asdict(settings), draft)
        draft.flush()
        try:
            os.link(draft.name, _entry(settings.name))
        except FileExistsError:
            raise ClusterError(
                f"there is a cluster '{settings.name}' already; `cluster down --name {settings.name}` removes it"
            ) from None


def find(name):
    """The settings of a listed cluster, or None."""
    try:
        return Settings(**json.loads(_entry(name).read_text()))
    except FileNotFoundError:
        return None


def forget(name):
    """Takes a cluster off the list."""
    _entry(name).unlink(missing_ok=True)


def _entry(name):
    check_name(name)
    return _LIST / f"{name}.json"
