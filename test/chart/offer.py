"""An offer and the objects that the controller makes of it, in a cluster where the chart's policies are in force."""

from cluster import ApiError, wait_until
from renders import select

NAMESPACE = "sellers"
REFUSED_SPEC = "only Portitor's controller writes this spec"
REFUSED_STATUS = "write this status"
CHILDREN = {"paymentroute": "hello-payment", "registrationrequest": "hello-registration"}
STATUSES = {
    "paymentroute": {"status": {"admitted": True}},
    "registrationrequest": {"status": {"phase": "Confirmed", "agentId": "7"}},
}

_GROUP = {"apiVersion": "obol.org/v1alpha1"}
_SELLER = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955"
_OFFER = _GROUP | {
    "kind": "ServiceOffer",
    "metadata": {"name": "hello", "namespace": NAMESPACE},
    "spec": {
        "upstream": {"service": "hello", "port": 9000},
        "payment": {"network": "base-sepolia", "payTo": _SELLER, "price": {"perRequest": "0.001"}},
    },
}
_ROUTE = {
    "pattern": "/services/hello/*",
    "price": "1000",
    "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
    "payTo": _SELLER,
    "network": "eip155:84532",
    "facilitatorURL": "https://www.x402.org/facilitator",
}
_REQUEST = {
    "name": "hello",
    "chain": "base-sepolia",
    "registry": "0x8004A818BFB912233c491871b3d84c89A494BD9e",
    "agentURI": "https://api.example.com/agent.json",
}


def child(kind, name=None):
    """A child as short as its schema allows."""
    written, spec = {
        "paymentroute": ("PaymentRoute", _ROUTE),
        "registrationrequest": ("RegistrationRequest", _REQUEST),
    }[kind]
    metadata = {"name": name or CHILDREN[kind], "namespace": NAMESPACE}
    return _GROUP | {"kind": written, "metadata": metadata, "spec": spec}


def status_of(kind):
    """What the child's role applies to its status."""
    return {key: value for key, value in child(kind).items() if key != "spec"} | STATUSES[kind]


class Offer:
    """Made as in life: the offer by its seller, its children by the controller's account."""

    def __init__(self, cluster, renders):
        self._cluster = cluster
        self._controller = cluster.role_api("controller")
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        policies = [each for each in renders.objects("minimal") if each["kind"].startswith("ValidatingAdmissionPolicy")]
        assert len(select(policies, "ValidatingAdmissionPolicy")) == 3
        cluster.apply(policies)
        # The API server takes a moment to learn of a policy, and learns of one after the other.
        for kind in CHILDREN:
            wait_until(lambda: self._refused(child(kind)), 30, "the policy of specs is in force")
        self.make()
        for kind in CHILDREN:
            wait_until(lambda: self._status_refused(kind), 30, "the policy of statuses is in force")

    def make(self):
        """Makes what is missing of it."""
        self._cluster.apply(_OFFER)
        self._apply_children(finalizers=["obol.org/portitor"])

    def release(self):
        """Takes the finalizers off its children, as the controller does."""
        self._apply_children()

    def delete(self, cascade):
        """Deletes the offer, whose children have let go of it."""
        self.release()
        self._cluster.delete("serviceoffer", "hello", ns=NAMESPACE, propagation=cascade, timeout=30)

    def _apply_children(self, **metadata):
        uid = self._cluster.get("serviceoffer", "hello", NAMESPACE)["metadata"]["uid"]
        owner = _GROUP | {"kind": "ServiceOffer", "name": "hello", "uid": uid}
        owner |= {"controller": True, "blockOwnerDeletion": True}
        for kind in CHILDREN:
            made = child(kind)
            made["metadata"] |= {"ownerReferences": [owner]} | metadata
            self._controller.apply(made, manager="portitor-controller")

    def children(self):
        """Those that are there."""
        found = [self._cluster.get(kind, name, NAMESPACE) for kind, name in CHILDREN.items()]
        return [each for each in found if each]

    def _refused(self, what):
        return _is_refused(REFUSED_SPEC, lambda: self._cluster.api.create(what, dry_run=True))

    def _status_refused(self, kind):
        write = {"subresource": "status", "dry_run": True}
        return _is_refused(REFUSED_STATUS, lambda: self._cluster.api.apply(status_of(kind), **write))


def _is_refused(words, write):
    try:
        write()
    except ApiError as error:
        if words not in error.message:
            raise
        return True
    return False
