"""Whatever is killed whenever, while offers come, change and go: in the end there is what must be, and nothing else."""

import os

import oracle
import pytest
from churn import Churn
from kube_client import KubeClient
from restarts import Killer, Kubelet

NAMESPACE = "churned"
SECONDS = 300 if os.environ.get("PORTITOR_LONG") else 30
SEED = int(os.environ.get("PORTITOR_SEED", "402"))


@pytest.fixture
def client(stack):
    stack.cluster.service(NAMESPACE, "hello", 9000)
    yield KubeClient(stack.cluster)
    stack.remove_offers(NAMESPACE)


def test_random_kills_change_nothing_in_the_end(stack, client, capsys):
    churn = Churn(client, NAMESPACE, SEED)
    weights = {"controller": 8, "verifier": 2, "registrar": 1}
    with Kubelet(stack) as kubelet, Killer(stack, SEED, weights) as killer:
        churn.run(SECONDS)
    assert killer.kills["controller"] >= SECONDS / 10 and kubelet.starts["controller"] >= killer.kills["controller"]
    assert churn.wanted and all(count > SECONDS / 3 for count in churn.done.values())
    oracle.assert_converges(client, NAMESPACE, churn.wanted.values(), f"all is as the oracle says, seed {SEED}")
    with capsys.disabled():
        print(f"\n  {churn.done} with kills {killer.kills}: {len(churn.wanted)} offers as they must be")
    churn.remove_all()
    oracle.assert_converges(client, NAMESPACE, [], "nothing is left")
