"""The chart, rendered: with a values file of charts/portitor/ci, or with values given in a test."""

import functools
import json

from cluster import chart, tools

_CI = chart.CHART / "ci"


class Renders:
    """Renders each values file once."""

    def __init__(self):
        self.helm = tools.program("helm")
        self.text = functools.lru_cache(self._text)
        self.objects = functools.lru_cache(self._objects)

    @staticmethod
    def names():
        """The values files."""
        return sorted(path.stem for path in _CI.glob("*.yaml"))

    @staticmethod
    def file(values):
        """The path of a values file."""
        return _CI / f"{values}.yaml"

    def of(self, **values):
        """The objects that these values make."""
        return chart.objects(self.helm, *given(values))

    def _text(self, values):
        return chart.render(self.helm, f"--values={self.file(values)}")

    def _objects(self, values):
        return chart.objects(self.helm, f"--values={self.file(values)}")


def given(values):
    """Arguments of Helm for nested values."""
    return [argument for key, value in values.items() for argument in ("--set-json", f"{key}={json.dumps(value)}")]


def select(objects, kind, role=None):
    """The objects of a kind, and of a role by its label."""
    return [
        each
        for each in objects
        if each["kind"] == kind and role in (None, each["metadata"]["labels"].get("app.kubernetes.io/component"))
    ]


def pods(objects, *kinds):
    """The pod templates, by the name of what makes pods of them."""
    return {
        f"{each['kind']}/{each['metadata']['name']}": each["spec"].get("template", each)
        for each in objects
        if each["kind"] in (kinds or ("Deployment", "Job", "Pod"))
    }


def config(objects):
    """The text of the operator's file."""
    (found,) = select(objects, "ConfigMap")
    return found["data"]["portitor.yaml"]
