"""The node that tests can script, and the chain behind it, without the product: on loopback."""

import contextlib
import http.client
import json
import subprocess
import urllib.error
import urllib.request
from typing import NamedTuple

import pytest
import registry
import x402
from cluster import wait_until
from transactions import call_of, fees_of


class Answer(NamedTuple):
    status: int
    body: bytes


class Started(NamedTuple):
    child: subprocess.Popen

    def stop(self):
        self.child.terminate()
        self.child.wait()


class Loopback:
    """What a Cluster does for the chain and the scripted node, without a network of its own."""

    def __init__(self, processes):
        self._processes = processes
        self._started = []

    def popen(self, command, name):
        self._started.append(Started(self._processes.popen(list(map(str, command)), name=name)))
        return self._started[-1]

    def stop(self):
        for each in self._started:
            each.stop()

    @staticmethod
    def http(method, url, headers=(), body=None, timeout=5):
        asked = urllib.request.Request(url, body, dict(headers), method=method)
        try:
            with urllib.request.urlopen(asked, timeout=timeout) as answer:
                return Answer(answer.status, answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.read())


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    return x402.LocalProcesses(tmp_path_factory.mktemp("logs"))


@pytest.fixture(scope="module")
def scripts(processes):
    with x402.Scripts(processes.run, processes.popen) as scripts:
        yield scripts


@pytest.fixture(scope="module")
def local(processes):
    it = Loopback(processes)
    yield it
    it.stop()


@pytest.fixture(scope="module")
def chain(local, scripts):
    return registry.Anvil(local, scripts, x402.free_port())


@pytest.fixture(scope="module")
def scripted(local, chain):
    return registry.ScriptedNode(local, chain, x402.free_port())


@pytest.fixture
def node(scripted, chain):
    """The chain as the scripted node shows it."""
    scripted.script()
    return registry.Chain(Loopback.http, scripted.url())


OWNER = x402.SELLER.lower()


def signed(scripts, chain, key, tip=registry.GWEI, cap=4 * registry.GWEI, nonce=None):
    """A signed transaction that does nothing."""
    address = json.loads(scripts.call("keystore.mjs", "--key", key, "--password", "x"))["address"]
    nonce = chain.sent(address) if nonce is None else nonce
    fields = ["--to", address, "--nonce", str(nonce), "--tip", str(tip), "--cap", str(cap)]
    return scripts.call("transaction.mjs", "--key", key, *fields)


def test_a_registration_is_seen_as_the_chain_has_it(chain):
    first = chain.register(OWNER, "https://gate.test/agents/1.json")
    second = chain.register(OWNER, "https://gate.test/" + "long/" * 20)
    assert second == first + 1
    mine = chain.agents(OWNER)
    assert [each.id for each in mine[-2:]] == [first, second] and mine[-2].owner == OWNER
    assert chain.uri_of(first) == mine[-2].uri == "https://gate.test/agents/1.json"
    assert chain.owner_of(first) == OWNER
    assert chain.metadata(first, "agentWallet").hex() == OWNER[2:]
    assert chain.metadata(first, "nothing") == b""
    chain.transfer(OWNER, x402.BUYER, second)
    assert chain.owner_of(second) == x402.BUYER.lower()
    assert ("agentWallet", second, b"") in chain.changes(second)


def test_calls_are_passed_on_and_counted(node, scripted, chain):
    assert node.height() <= chain.height()
    assert node.agents() == chain.agents()
    assert scripted.counts() == {"eth_blockNumber": 1, "eth_getLogs": 1}
    assert scripted.calls(method="eth_getLogs")[0][3][0]["address"] == registry.REGISTRY


def test_rules_hold_for_their_node_and_as_often_as_they_say(scripted):
    one, two = (registry.Chain(Loopback.http, scripted.url(name)) for name in ("one", "two"))
    refused = {"do": "refuse", "as": "limit-provider", "node": "one", "methods": ["eth_chainId"], "skip": 1, "times": 2}
    scripted.script(refused, {"do": "answer", "result": "0x1", "methods": ["eth_chainId"], "node": "one"})
    # The second rule holds where the first does not.
    assert one.rpc("eth_chainId") == "0x1"
    for _ in range(2):
        with pytest.raises(registry.RpcError, match="rate limited"):
            one.rpc("eth_chainId")
    assert one.rpc("eth_chainId") == "0x1"
    assert two.rpc("eth_chainId") == hex(registry.CHAIN_ID)
    assert scripted.counts("one") == {"eth_chainId": 4}


def test_connections_are_cut_before_and_after_a_call_is_passed_on(node, scripted, scripts, chain):
    raw = signed(scripts, chain, x402.PAUPER_KEY)
    for way, arrives in (("cut", False), ("lose", True)):
        scripted.script({"do": way, "methods": ["eth_sendRawTransaction"], "times": 1})
        before = chain.sent(x402.PAUPER)
        with pytest.raises((OSError, http.client.HTTPException)):
            node.rpc("eth_sendRawTransaction", raw)
        if arrives:
            wait_until(lambda: chain.sent(x402.PAUPER) == before + 1, 5, "it is mined")
        else:
            assert chain.waiting(x402.PAUPER) == 0 and chain.sent(x402.PAUPER) == before


def test_what_is_no_answer(node, scripted):
    scripted.script(
        {"do": "status", "status": 429, "headers": {"Retry-After": "3"}, "times": 1}, {"do": "garbage", "times": 1}
    )
    answer = Loopback.http("POST", scripted.url(), {}, b'{"id":1,"method":"eth_chainId"}')
    assert answer.status == 429
    with pytest.raises(json.JSONDecodeError):
        node.rpc("eth_chainId")
    assert int(node.rpc("eth_chainId"), 16) == registry.CHAIN_ID


def test_a_node_that_is_behind_knows_nothing_newer(node, scripted, scripts, chain):
    agent = chain.register(OWNER, "https://gate.test/agents/late.json")
    made = chain.agents(OWNER)[-1]
    scripted.script({"do": "lag", "at": made.block - 1})
    assert node.height() == made.block - 1
    assert agent not in [each.id for each in chain.agents()[:-1]]
    with pytest.raises(registry.RpcError):
        node.owner_of(agent)
    assert node.rpc("eth_getTransactionReceipt", made.transaction) is None
    assert node.rpc("eth_getBlockByNumber", hex(made.block), False) is None
    assert agent not in [each.id for each in node.agents()]
    assert node.sent(OWNER) == chain.sent(OWNER) - 1
    head = chain.rpc("eth_getBlockByNumber", hex(made.block), False)["hash"]
    for block in (hex(made.block), {"blockHash": head}):
        with pytest.raises(registry.RpcError, match="header not found"):
            node.rpc("eth_getBalance", OWNER, block)
    everything = {"address": registry.REGISTRY, "fromBlock": "0x0", "toBlock": hex(made.block)}
    with pytest.raises(registry.RpcError, match="beyond"):
        node.rpc("eth_getLogs", everything)
    scripted.script({"do": "lag", "at": made.block - 1, "clips": True})
    assert len(node.rpc("eth_getLogs", everything)) < len(chain.rpc("eth_getLogs", everything))
    scripted.script({"do": "lag", "blocks": 0})
    assert node.owner_of(agent) == OWNER


@contextlib.contextmanager
def no_new_blocks(chain):
    """But for those that the test makes."""
    chain.mine_every(0)
    try:
        yield
    finally:
        chain.mine_every(1)


def test_a_node_that_keeps_little(node, scripted, chain):
    chain.mine(20)
    scripted.script(
        {"do": "prune", "keep": 10, "as": "pruned-geth", "methods": ["eth_getBalance"]},
        {"do": "range", "blocks": 5, "as": "range-infura", "methods": ["eth_getLogs"]},
    )
    with no_new_blocks(chain):
        head = chain.height()
        assert int(node.rpc("eth_getBalance", OWNER, hex(head - 8)), 16) == chain.balance(OWNER)
        assert node.balance(OWNER) == chain.balance(OWNER)
        with pytest.raises(registry.RpcError, match="missing trie node"):
            node.rpc("eth_getBalance", OWNER, hex(head - 12))
        assert node.rpc("eth_getLogs", {"fromBlock": hex(head - 4), "toBlock": hex(head)}) is not None
        with pytest.raises(registry.RpcError, match="block range"):
            node.rpc("eth_getLogs", {"fromBlock": hex(head - 5), "toBlock": hex(head)})


@pytest.mark.parametrize("strict", [False, True])
def test_a_replacement_must_pay_a_tenth_more(node, scripted, scripts, chain, strict):
    with no_new_blocks(chain):
        scripted.script({"do": "pool", "methods": ["eth_sendRawTransaction"], "strict": strict})
        nonce = chain.sent(x402.PAUPER)

        def send(tip, cap):
            return node.rpc("eth_sendRawTransaction", signed(scripts, chain, x402.PAUPER_KEY, tip, cap, nonce))

        send(1000000, 4000000000)
        for tip, cap in ((1000000, 8000000000), (2000000, 4000000000), (1099999, 4400000000)):
            with pytest.raises(registry.RpcError, match="replacement transaction underpriced"):
                send(tip, cap)
        if strict:
            with pytest.raises(registry.RpcError, match="replacement transaction underpriced"):
                send(1100000, 4400000000)
        last = send(1100001, 4400000001)
        assert chain.waiting(x402.PAUPER) == 1
        chain.mine()
        assert chain.rpc("eth_getTransactionReceipt", last)["status"] == "0x1"
        # It is mined: the next one is compared with nothing.
        nonce += 1
        send(1000, 4000000000)
        chain.mine()


def test_blocks_are_taken_back_and_transactions_forgotten(chain, scripts):
    with no_new_blocks(chain):
        before = chain.sent(x402.PAUPER)
        waits = chain.rpc("eth_sendRawTransaction", signed(scripts, chain, x402.PAUPER_KEY))
        chain.drop(waits)
        chain.mine()
        assert chain.sent(x402.PAUPER) == before
        mined = chain.rpc("eth_sendRawTransaction", signed(scripts, chain, x402.PAUPER_KEY))
        chain.mine()
        assert chain.rpc("eth_getTransactionReceipt", mined)
        chain.reorganize(1)
        assert chain.rpc("eth_getTransactionReceipt", mined) is None
        assert chain.sent(x402.PAUPER) == before
        chain.set_base_fee(77 * registry.GWEI)
        chain.mine()
        assert chain.base_fee() == 77 * registry.GWEI


def test_a_signed_transaction_is_read(scripts, chain):
    raw = bytes.fromhex(signed(scripts, chain, x402.PAUPER_KEY, tip=5, cap=6, nonce=300)[2:])
    assert fees_of(raw) == (300, 5, 6)
    receiver, data = call_of(raw)
    assert receiver == x402.PAUPER.lower() and data == b""
