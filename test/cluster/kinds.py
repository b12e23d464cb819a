"""What kinds of objects an API server has, by all the names that a user may give them."""

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind in one version."""

    group: str
    version: str
    kind: str  # ServiceOffer
    plural: str  # serviceoffers
    namespaced: bool

    def path(self, ns=None, name=None, subresource=None):
        """Of its objects, or of one; without a namespace, of those in `default` as kubectl has it."""
        parts = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        if self.namespaced:
            parts += ["namespaces", ns or "default"]
        return "/".join([*parts, *filter(None, (self.plural, name, subresource))])


class Kinds:
    """The kinds that the aggregated discovery documents tell of; the first one of a name has it, as with kubectl."""

    ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    PATHS = ("/api", "/apis")

    def __init__(self, documents):
        self._by_word = {}
        self._by_type = {}
        for document in documents:
            for group in document["items"]:
                for version in group["versions"]:
                    for resource in version.get("resources", []):
                        self._add(group["metadata"].get("name", ""), version["version"], resource)

    def named(self, word):
        """serviceoffers, ServiceOffer, so, with a group or without: its kind in the server's preferred version, or None."""
        return self._by_word.get(word.lower())

    def typed(self, api_version, kind):
        """The kind of an object that says this of itself, or None."""
        return self._by_type.get((api_version, kind))

    def _add(self, group, version, resource):
        response = resource.get("responseKind", {})
        kind = Kind(group, version, response.get("kind", ""), resource["resource"], resource["scope"] == "Namespaced")
        self._by_type.setdefault((f"{group}/{version}".lstrip("/"), kind.kind), kind)
        words = {kind.plural, resource.get("singularResource", ""), kind.kind, *resource.get("shortNames", [])}
        for word in filter(None, words):
            for spelled in (word, f"{word}.{group}"):
                self._by_word.setdefault(spelled.lower(), kind)
