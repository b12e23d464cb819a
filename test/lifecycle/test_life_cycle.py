"""The life of a release: installed, upgraded under paid traffic, rolled back, uninstalled. Each test begins where the one
before it has ended."""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor

import x402
from buyer import assert_spent, hang_up_while_it_settles, send, sign
from cluster import ClusterError, wait_until
from market import GATEWAY, NAMESPACE, offer
from oracle import FINALIZER
from own_gate import nonce_of
from polling import UnpaidPoller

ROLES = ("controller", "verifier", "registrar")
PATH, LOST = "/services/hello/x", "/services/hello/lost"


@contextlib.contextmanager
def paid_traffic(market, rate=8):
    """Buys until the block ends; not one purchase may fail, and nobody is served unpaid."""
    what = ["--url", GATEWAY + PATH, "--key", x402.BUYER_KEY, "--rate", str(rate)]
    with UnpaidPoller(market, PATH, interval=0.02) as poller:
        buying = market.scripts.start("pay-loop.mjs", *what)
        try:
            yield
        finally:
            buying.terminate()
            assert buying.wait(60) == 0
    *_, summary = (market.cluster.directory / "logs" / "pay-loop.log").read_text().splitlines()
    bought = json.loads(summary)
    assert bought["failures"] == []
    # It did buy; how often in the time that a rollout takes is the machine's affair.
    assert bought["ok"] == bought["sent"] >= 20
    assert set(poller.statuses()) == {402}, (poller.statuses(), poller.unanswered)


def uids(kubelet):
    return {role: {each.uid for each in kubelet.pods(role)} for role in ROLES}


def wait_replaced(kubelet, *roles):
    for role in roles:
        wait_until(lambda: len(kubelet.pods(role)) == 1, 60, f"the old {role} is gone")


def sold(pod):
    """What a verifier's book says, as `kubectl exec` reads it: {nonce: state}."""
    code, said = pod.exec("sales", "-o", "json")
    assert code == 0, said
    return {each["nonce"]: each["state"] for each in json.loads(said)["payments"]}


def wait_sold(pod, payment, state):
    """An answer is on record some milliseconds after its buyer has it."""
    try:
        wait_until(lambda: sold(pod).get(nonce_of(payment)) == state, 10, f"the payment is {state}")
    except ClusterError as late:
        raise ClusterError(f"{late}: {sold(pod)}") from None


def test_what_is_installed_sells(market, kubelet, release):
    release.install()
    assert "kubectl get serviceoffers" in release.notes
    market.cluster.apply(offer("hello", registration=True))
    for kind in ("Ready", "Registered"):
        market.wait_condition("hello", kind, timeout=60)
    assert "refuses it unpaid" in market.conditions("hello")["RoutePublished"][2]
    wait_until(lambda: market.get(PATH).status == 402, 10, "it asks for payment")
    assert market.buy(2, PATH)["status"] == 200
    assert market.buy(1, PATH)["status"] == 200
    assert market.get("/api/services.json").status == 200
    assert {role: len(found) for role, found in uids(kubelet).items()} == dict.fromkeys(ROLES, 1)
    for role in ROLES:
        assert kubelet.pods(role)[0].restarts == 0


def test_helm_test_looks_at_all_of_it(market, kubelet, release):
    release.test()
    (pod,) = kubelet.pods("doctor")
    report = pod.log()
    assert pod.exit_code == 0 and ", 0 failure, " in report, report
    for line in (
        "doctor: it may look at everything",
        "controller (portitor/portitor-controller): it has every right that it needs",
        "specs and statuses of Portitor's own objects are guarded",
        "Deployment portitor-verifier: 1 of 1 pods are ready",
        "image: all roles have portitor:under-test",
        f"{NAMESPACE}/hello by gateway-url: HTTP 402, by the gate itself",
        "serves eip155:84532",
    ):
        assert line in report, report
    # Its rights are there only while it runs.
    assert market.cluster.get("clusterrole", "portitor-doctor") is None
    assert market.cluster.get("serviceaccount", "portitor-doctor", "portitor") is None


def test_an_upgrade_of_every_role_fails_no_buyer(market, kubelet, release):
    changed = {}
    with paid_traffic(market):
        for role in ROLES:
            before = uids(kubelet)
            changed[role] = {"podAnnotations": {"example.com/round": "2"}}
            release.upgrade(**changed)
            wait_replaced(kubelet, role)
            after = uids(kubelet)
            assert [each for each in ROLES if after[each] != before[each]] == [role]
    market.cluster.apply(offer("later"))
    market.wait_condition("later", "Ready", timeout=60)


def test_a_change_of_the_operators_file_reaches_every_role(market, kubelet, release):
    before = uids(kubelet)
    with paid_traffic(market):
        release.upgrade(logging={"level": "debug"})
        wait_replaced(kubelet, *ROLES)
    after = uids(kubelet)
    assert all(after[role] != before[role] for role in ROLES)
    market.cluster.apply(offer("loud"))
    wait_until(lambda: '"level":"debug"' in kubelet.pods("controller")[0].log(), 20, "the controller says more")


def test_a_rollback_fails_no_buyer(market, kubelet, release):
    with paid_traffic(market):
        release.rollback(1)
        wait_replaced(kubelet, *ROLES)
    assert release.history()[-1]["description"].startswith("Rollback to 1")


def test_a_verifier_that_dies_is_started_again_and_knows_what_it_sold(market, kubelet):
    (pod,) = kubelet.pods("verifier")
    delivered = market.buy(2, PATH)["paymentHeader"]
    wait_sold(pod, delivered, "delivered")
    with UnpaidPoller(market, PATH) as poller:
        pod.crash()
        wait_until(lambda: pod.restarts == 1, 10, "its container is started again")
        wait_until(lambda: market.get(PATH).status == 402, 20, "it asks for payment again")
    assert poller.free_rides() == []
    assert_spent(market, PATH, delivered)
    assert market.buy(2, PATH)["status"] == 200


def test_a_record_on_a_volume_outlives_its_pod(market, kubelet, release):
    on_a_volume = {"ledger": {"persistence": {"enabled": True}}}
    release.upgrade(**on_a_volume)
    wait_replaced(kubelet, "verifier")
    (old,) = kubelet.pods("verifier")
    wait_until(lambda: market.get(PATH).status == 402, 20, "it asks for payment")
    delivered = market.buy(2, PATH)["paymentHeader"]
    lost = hang_up_while_it_settles(market, LOST)
    wait_sold(old, delivered, "delivered")
    wait_sold(old, lost, "undelivered")
    early = sign(market, PATH)

    with UnpaidPoller(market, PATH, interval=0.02) as poller, ThreadPoolExecutor() as helm:
        again = {"podAnnotations": {"example.com/round": "3"}}
        upgrade = helm.submit(release.upgrade, **on_a_volume, verifier=again)
        wait_until(lambda: market.get(PATH).status >= 500, 30, "there is no verifier", interval=0.02)
        assert send(market, PATH, early).status >= 500
        upgrade.result()
        wait_replaced(kubelet, "verifier")
        wait_until(lambda: market.get(PATH).status == 402, 20, "it asks for payment again")
    assert poller.free_rides() == []
    assert market.chain.settlements(nonce=nonce_of(early)) == []
    (new,) = kubelet.pods("verifier")
    # Recreate: a file is one process's. A second one would have ended at once.
    assert old.gone_at <= new.made_at and new.restarts == 0
    assert sold(new) == {nonce_of(delivered): "delivered", nonce_of(lost): "undelivered"}
    assert_spent(market, PATH, delivered)
    for path, payment in ((LOST, lost), (PATH, early)):
        assert send(market, path, payment).status == 200
        assert_spent(market, path, payment)
        wait_sold(new, payment, "delivered")


def test_an_uninstall_lets_everything_go_and_gives_nothing_away(market, kubelet, release):
    manifest = release.manifest()
    # As docs/installation.md says: first see what would happen.
    code, said = kubelet.pods("controller")[0].exec("release-finalizers", "--dry-run")
    assert code == 0, said
    for name in ("hello", "later", "loud"):
        assert f"ServiceOffer {NAMESPACE}/{name}: would be released" in said
    assert FINALIZER in market.cluster.get("serviceoffer", "hello", NAMESPACE)["metadata"]["finalizers"]
    with UnpaidPoller(market, PATH) as poller:
        release.uninstall()
        wait_until(lambda: not any(kubelet.pods(role) for role in ROLES), 90, "its pods are gone")
        # The offers stay, and with them routes that nobody answers for.
        assert market.get(PATH).status >= 500
        offers = market.cluster.get("serviceoffer", ns=NAMESPACE)["items"]
        assert sorted(each["metadata"]["name"] for each in offers) == ["hello", "later", "loud"]
        held = [each for each in offers if FINALIZER in each["metadata"].get("finalizers", [])]
        assert held == []
        market.cluster.kubectl("delete", "serviceoffer", "--all", "-n", NAMESPACE, "--timeout=30s")
        wait_until(lambda: market.get(PATH).status == 404, 20, "its routes went with them")
    assert poller.free_rides() == []
    kinds = "httproutes,middlewares,paymentroutes,registrationrequests"
    wait_until(lambda: market.cluster.kubectl("get", kinds, "-A", "-o", "name") == "", 20, "nothing is left of them")
    left = market.cluster.kubectl("get", "-f", "-", "--ignore-not-found", "-o", "name", stdin=manifest)
    # The book of sales outlives the release.
    kinds = {"customresourcedefinition.apiextensions.k8s.io", "persistentvolumeclaim"}
    assert {each.partition("/")[0] for each in left.split()} == kinds
