"""Nodes that lie, are behind, forget, refuse and go away, and chains that take blocks back: every registration is made
once, whatever happens, and nothing is paid for twice."""

import os
import time

import pytest
from cluster import wait_until
from on_chain import Operator
from registry import GWEI, ScriptedNode
from stack import UPSTREAM_PORT
from transactions import fees_of

NAMESPACE = "faults"
PORT, SCRIPTED_PORT = 8572, 8573
AGE = 600  # of its chain, in seconds
SEND = ["eth_sendRawTransaction"]


@pytest.fixture(scope="module")
def node(stack, chain):
    scripted = ScriptedNode(stack.cluster, chain, SCRIPTED_PORT)
    yield scripted
    scripted.stop()


@pytest.fixture(scope="module")
def started(stack, chain, node):
    stack.cluster.service(NAMESPACE, "hello", UPSTREAM_PORT)
    with Operator(stack, chain, NAMESPACE, urls=[node.url()]) as it:
        yield it


@pytest.fixture
def operator(started, node, chain):
    node.script()
    started.run()
    yield started
    node.script()
    started.run()
    started.stack.remove_offers(NAMESPACE)


@pytest.fixture
def by_hand(operator, chain):
    """Blocks are made by the test alone, until it says `mine_every` or ends."""
    chain.mine_every(0)
    yield
    chain.mine_every(1)


def assert_registered_once(operator, name, uid, timeout=60):
    """Registered, and that with one registration; returns the agent."""
    status = operator.wait_phase(name, timeout=timeout)
    agent, = operator.agents(uid)
    assert status["agentId"] == str(agent.id)
    assert status["txHash"] == agent.transaction
    assert operator.chain.owner_of(agent.id) == operator.account.address
    return agent


FAULTS = {
    "reply-lost": [{"do": "lose", "methods": SEND, "times": 1}],
    "replies-lost": [{"do": "lose", "methods": SEND, "times": 3}],
    "mined-and-refused": [{"do": "refuse", "as": "odd-provider", "pass": True, "methods": SEND, "times": 1}],
    "known-geth": [{"do": "refuse", "as": "known-geth", "pass": True, "methods": SEND, "times": 1}],
    "known-erigon": [{"do": "refuse", "as": "known-erigon", "pass": True, "methods": SEND, "times": 1}],
    "known-nethermind": [{"do": "refuse", "as": "known-nethermind", "pass": True, "methods": SEND, "times": 1}],
    "known-parity": [{"do": "refuse", "as": "known-parity", "pass": True, "methods": SEND, "times": 1}],
    # Not so: the transaction has taken the nonce itself.
    "low-geth": [{"do": "refuse", "as": "low-geth", "pass": True, "methods": SEND, "times": 1}],
    "low-erigon": [{"do": "refuse", "as": "low-erigon", "pass": True, "methods": SEND, "times": 1}],
    "low-nethermind": [{"do": "refuse", "as": "low-nethermind", "pass": True, "methods": SEND, "times": 1}],
    "underpriced": [{"do": "refuse", "as": "underpriced-nethermind", "methods": SEND, "times": 1}],
    "fee-too-low": [{"do": "refuse", "as": "fee-geth", "methods": SEND, "times": 1}],
    "garbage": [{"do": "garbage", "times": 2}],
    "busy": [{"do": "status", "status": 503, "times": 2}],
    "limited": [{"do": "status", "status": 429, "headers": {"Retry-After": "1"}, "times": 2}],
    "limited-in-words": [{"do": "refuse", "as": "limit-provider", "times": 2}],
    "slow": [{"do": "wait", "seconds": 0.3, "times": 30}],
    "no-tip": [{"do": "refuse", "as": "denied-provider", "methods": ["eth_maxPriorityFeePerGas"]}],
    "receipts-late": [{"do": "answer", "result": None, "methods": ["eth_getTransactionReceipt"], "times": 4}],
    "behind": [{"do": "lag", "blocks": 4}],
    "behind-and-silent": [{"do": "lag", "blocks": 4, "clips": True}],
}


# What the node has not taken is sent again after a quarter of a minute.
SLOW_FAULTS = {
    "cut-before": [{"do": "cut", "methods": SEND, "times": 2}],
    "low-and-not-taken": [{"do": "refuse", "as": "low-reth", "methods": SEND, "times": 1}],
    "no-funds": [{"do": "refuse", "as": "funds-reth", "methods": SEND, "times": 1}],
    "another-hash": [{"do": "swallow", "methods": SEND, "times": 1}],
}
if os.environ.get("PORTITOR_LONG"):
    FAULTS |= SLOW_FAULTS
else:
    FAULTS["another-hash"] = SLOW_FAULTS["another-hash"]


def test_one_registration_comes_of_each_fault(operator, node, chain, capsys):
    """One after the other, as each must not disturb the next; all with one start of the registrar."""
    before = chain.sent(operator.account.address)
    took = {}
    for name, rules in FAULTS.items():
        node.script(*rules)
        began = time.monotonic()
        uid = operator.sell(name)
        assert_registered_once(operator, name, uid, timeout=90)
        took[name] = time.monotonic() - began
        operator.wait_sold(name)
    node.script()
    assert chain.sent(operator.account.address) == before + len(FAULTS)
    assert chain.waiting(operator.account.address) == 0
    with capsys.disabled():
        print("\n  seconds: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in took.items()))


def test_killed_at_any_question_it_registers_once(operator, node, chain):
    """The node has done what it was asked for, and its answer finds nobody any more."""
    before = chain.sent(operator.account.address)
    position = 0
    while cut_off_at(operator, node, position):
        position += 1
    assert position >= 10
    assert chain.sent(operator.account.address) == before + position + 1


def cut_off_at(operator, node, position):
    """Whether a registration asks as many questions; if so, the registrar is killed while it waits for the last one."""
    name = f"cut-at-{position}"
    node.script({"do": "late", "seconds": 30, "skip": position, "times": 1})
    uid = operator.sell(name)

    def asked():
        return len(node.calls()) > position

    wait_until(lambda: asked() or operator.status(name).get("phase") == "Confirmed", 30, f"question {position} is asked")
    cut = asked()
    if cut:
        operator.kill()
        node.script()
        operator.start_again()
    assert_registered_once(operator, name, uid)
    return cut


def test_a_faultless_registration_is_one_transaction_and_few_calls(operator, node, chain):
    operator.sell("warm-up")
    operator.wait_phase("warm-up")
    node.script()
    operator.sell("plain")
    operator.wait_phase("plain")
    assert node.counts()["eth_sendRawTransaction"] == 1
    assert len(node.questions()) <= 12, "\n".join(map(str, node.questions()))


class TestNodesThatAreBehind:
    def test_a_mint_that_a_node_does_not_know_of_yet_is_not_made_again(self, operator, node, chain):
        """What the status said is lost, as after a restore of the cluster, and the node answers from before the mint."""
        uid = operator.sell("restored")
        agent = assert_registered_once(operator, "restored", uid)
        sent = chain.sent(operator.account.address)
        assert operator.stack.cluster.processes["registrar"].stop(timeout=40) == 0
        forget(operator, "restored")
        for clips in (False, True):
            node.script({"do": "lag", "at": agent.block - 1, "clips": clips})
            operator.run()
            # Long enough for several tries.
            with pytest.raises(Exception, match="not so within"):
                wait_until(lambda: chain.sent(operator.account.address) > sent or operator.status("restored").get("agentId"), 4, "-")
        node.script()
        assert operator.wait_phase("restored", timeout=90)["agentId"] == str(agent.id)
        assert chain.sent(operator.account.address) == sent
        assert [each.id for each in operator.agents(uid)] == [agent.id]

    def test_nodes_that_know_different_heads_behind_one_address(self, operator, node, chain):
        for number in range(3):
            node.script(*[{"do": "lag", "blocks": 6, "clips": True, "skip": skip, "times": 1} for skip in range(0, 20, 2)])
            uid = operator.sell(f"balanced-{number}")
            assert_registered_once(operator, f"balanced-{number}", uid)


def forget(operator, name):
    """The status as it was when the request was made."""
    path = operator.stack.cluster.api.kind("registrationrequest").path(NAMESPACE, f"{name}-registration", "status")
    request = operator.request(name)
    request["status"] = {}
    status, answer = operator.stack.cluster.api.request("PUT", path, request)
    assert status == 200, answer


KINDS_OF_NODES = [
    ("pruned-geth", "range-alchemy", 50),
    ("pruned-erigon", "range-infura", 50),
    ("pruned-nethermind", "range-quicknode", 50),
    ("pruned-reth", "range-infura", 50),
]


def test_nodes_that_keep_no_old_state_and_search_few_blocks_at_a_time(operator, node, chain):
    """All that providers give: a registration is made, and found again, when its offer is older than what they keep."""
    for number, (pruned, short, blocks) in enumerate(KINDS_OF_NODES):
        name = f"kept-short-{number}"
        chain.mine(150)
        node.script(
            {"do": "range", "blocks": blocks, "as": short, "methods": ["eth_getLogs"]},
            {"do": "prune", "keep": 100, "as": pruned},
        )
        uid = operator.sell(name)
        agent = assert_registered_once(operator, name, uid)
        sent = chain.sent(operator.account.address)
        chain.mine(150)
        forget(operator, name)
        assert operator.wait_phase(name, timeout=60)["agentId"] == str(agent.id)
        assert chain.sent(operator.account.address) == sent


class TestFailover:
    def test_to_the_second_node_in_the_middle(self, operator, node, chain, by_hand):
        operator.run(urls=[node.url("one"), node.url("two")])
        uid = operator.sell("carried-over")
        wait_until(lambda: chain.waiting(operator.account.address), 30, "it is sent")
        node.script({"do": "cut", "node": "one"})
        chain.mine_every(1)
        assert_registered_once(operator, "carried-over", uid)
        assert node.counts("two")

    def test_a_node_of_another_chain_is_not_asked_for_more(self, operator, node, chain):
        node.script({"do": "answer", "methods": ["eth_chainId"], "node": "one", "result": "0x1"})
        operator.run(urls=[node.url("one"), node.url("two")])
        uid = operator.sell("right-way")
        assert_registered_once(operator, "right-way", uid)
        assert "eth_sendRawTransaction" not in node.counts("one")

    def test_of_a_wrong_chain_alone_nothing_is_believed(self, operator, node, chain):
        node.script({"do": "answer", "methods": ["eth_chainId"], "result": "0x1"})
        operator.run("--min-interval=2s")
        operator.sell("wrong-way")
        operator.wait_sold("wrong-way")
        message = operator.wait_reason("wrong-way", "WrongChain")
        assert "84532" in message
        assert "eth_sendRawTransaction" not in node.counts()
        node.script()
        operator.wait_phase("wrong-way", timeout=90)


class TestTheMempool:
    def test_a_transaction_that_the_node_forgets_is_sent_again(self, operator, node, chain, by_hand):
        uid = operator.sell("forgotten")
        wait_until(lambda: operator.status("forgotten").get("phase") == "Submitted", 30, "it is sent")
        waiting = wait_until(lambda: operator.status("forgotten").get("txHash"), 10, "its hash is known")
        wait_until(lambda: chain.waiting(operator.account.address), 10, "it waits")
        chain.drop(waiting)
        assert chain.waiting(operator.account.address) == 0
        wait_until(lambda: chain.waiting(operator.account.address), 90, "it is sent again", interval=0.1)
        chain.mine_every(1)
        assert assert_registered_once(operator, "forgotten", uid).transaction == waiting

    @pytest.mark.parametrize("strict", [False, True], ids=["a tenth", "more than a tenth"])
    def test_what_is_too_cheap_is_replaced_as_pools_want_it(self, operator, node, chain, by_hand, strict):
        """Nodes take a replacement only where both fees are a tenth higher, and some want more than that."""
        name = f"outbid-{strict}".lower()
        node.script({"do": "pool", "methods": SEND, "strict": strict, "denies": 3})
        uid = operator.sell(name)
        wait_until(lambda: len(raised_fees(node)) == 4, 60, "it is replaced three times", interval=0.2)
        tried = raised_fees(node)
        assert len({nonce for nonce, _, _ in tried}) == 1
        for (_, tip, cap), (_, next_tip, next_cap) in zip(tried, tried[1:]):
            assert next_tip * 10 > tip * 11 and next_cap * 10 > cap * 11
        assert chain.waiting(operator.account.address) == 1
        chain.mine_every(1)
        agent = assert_registered_once(operator, name, uid)
        assert len(operator.status(name)["writeAhead"]["transactionHashes"]) == 4
        assert agent.transaction == operator.status(name)["writeAhead"]["transactionHashes"][-1]

    def test_fees_that_rise_are_followed(self, operator, node, chain, by_hand):
        node.script({"do": "pool", "methods": SEND, "strict": True})
        chain.set_base_fee(GWEI)
        chain.mine()
        uid = operator.sell("risen")
        wait_until(lambda: chain.waiting(operator.account.address), 30, "it is sent")
        chain.set_base_fee(20 * GWEI)
        chain.mine()
        first = operator.status("risen")["txHash"]
        wait_until(lambda: operator.status("risen")["txHash"] != first, 150, "it is replaced", interval=0.2)
        wait_until(lambda: mined_at(chain, operator, 20 * GWEI), 600, "it is mined", interval=1)
        chain.mine_every(1)
        assert assert_registered_once(operator, "risen", uid).transaction != first

    def test_a_nonce_that_another_program_took_is_not_the_end(self, operator, node, chain):
        """Somebody else sends with the operator's account, against all advice."""
        operator.run("--min-interval=1s")
        node.script({"do": "swallow", "methods": SEND, "times": 1})
        uid = operator.sell("overtaken")
        wait_until(lambda: operator.status("overtaken").get("phase") == "Submitted", 30, "it is sent")
        wait_until(lambda: "eth_sendRawTransaction" in node.counts(), 10, "the node has it")
        before = chain.sent(operator.account.address)
        chain.send_as(operator.account.address, "0x" + "33" * 20, "0x")
        wait_until(lambda: chain.sent(operator.account.address) == before + 1, 10, "the nonce is taken")
        assert_registered_once(operator, "overtaken", uid, timeout=120)
        assert chain.sent(operator.account.address) == before + 2


def raised_fees(node):
    """(nonce, priority fee, greatest fee) of each different transaction that was sent, in order."""
    every = [fees_of(bytes.fromhex(params[0][2:])) for _, _, _, params in node.calls(method=SEND[0])]
    return list(dict.fromkeys(every))


def mined_at(chain, operator, base_fee):
    chain.set_base_fee(base_fee)
    chain.mine()
    return chain.waiting(operator.account.address) == 0


class TestReorganizations:
    def test_a_registration_that_is_taken_back_is_made_again_by_the_same_bytes(self, operator, node, chain, by_hand):
        operator.run(confirmations=3)
        uid = operator.sell("taken-back")
        wait_until(lambda: chain.waiting(operator.account.address), 30, "it is sent")
        chain.mine()
        wait_until(lambda: operator.agents(uid), 10, "it is mined")
        wait_until(lambda: operator.status("taken-back").get("writeAhead", {}).get("minedBlock"), 20, "the registrar knows")
        first = operator.agents(uid)[0].transaction
        chain.reorganize(1)
        assert operator.agents(uid) == []
        wait_until(lambda: chain.waiting(operator.account.address), 90, "it is sent again", interval=0.1)
        assert operator.status("taken-back")["phase"] == "Submitted"
        chain.mine(3)
        assert assert_registered_once(operator, "taken-back", uid).transaction == first

    def test_nothing_is_confirmed_before_its_depth(self, operator, node, chain, by_hand):
        operator.run(confirmations=3)
        operator.sell("deep")
        wait_until(lambda: chain.waiting(operator.account.address), 30, "it is sent")
        for _ in range(2):
            chain.mine()
            with pytest.raises(Exception, match="not so within"):
                wait_until(lambda: operator.status("deep")["phase"] == "Confirmed", 1.5, "-")
        chain.mine()
        operator.wait_phase("deep")


def test_a_call_that_the_registry_refuses_is_failed_and_backs_off(operator, node, chain):
    revert = {"do": "refuse", "code": 3, "message": "execution reverted: Not authorized", "methods": ["eth_estimateGas"]}
    node.script(revert)
    before = chain.sent(operator.account.address)
    operator.sell("refused")
    operator.wait_sold("refused")
    assert operator.wait_reason("refused", "Reverted")
    assert chain.sent(operator.account.address) == before


def test_words_of_the_node_and_its_address_are_told_to_nobody(operator, node, chain):
    secret = "s3cr3t-in-the-words-of-a-node"
    node.script({"do": "refuse", "code": -32000, "message": secret})
    operator.run(urls=[node.url("key-in-the-path")])
    operator.sell("discreet")
    operator.wait_sold("discreet")
    operator.wait_reason("discreet", "Refused")
    wait_until(lambda: node.counts("key-in-the-path"), 10, "the node is asked")
    everything = str(operator.request("discreet")) + str(operator.events("discreet"))
    everything += operator.stack.cluster.processes["registrar"].log()
    assert secret not in everything and "key-in-the-path" not in everything
    node.script()
    operator.wait_phase("discreet", timeout=90)

