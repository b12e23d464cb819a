"""A chain with a registry of agents (ERC-8004), and what is to be seen and changed there."""

import json
import secrets
import time
from typing import NamedTuple

from cluster import ClusterError, wait_until

CHAIN_ID = 84532
# Of the tests alone: that the operator's word counts shows best where it is none of the well-known ones.
REGISTRY = "0x8004000000000000000000000000000000005e57"
ETHER = 10**18
GWEI = 10**9
# What the account may be left with in these tests: enough for hundreds of transactions.
MUCH = 10 * ETHER

_REGISTERED = "0xca52e62c367d81bb2e328eb795f7c7ba24afb478408a26c0e201d155c449bc4a"
_URI_UPDATED = "0x3a2c7fffc2cba7582c690e3b82c453ea02a308326a98a3ad7576c606336409fb"
_METADATA_SET = "0x2c149ed548c6d2993cd73efe187df6eccabe4538091b33adbd25fafdb8a1468b"


class Account(NamedTuple):
    """A key in a V3 keystore, as an operator mounts it."""

    address: str
    key_file: str
    password_file: str
    keystore: str
    password: str

    @property
    def flags(self):
        return [f"--key-file={self.key_file}", f"--key-password-file={self.password_file}"]


def make_account(scripts, folder, key=None):
    """A new account, with its files in `folder`."""
    password = secrets.token_hex(8)
    key = key or "0x" + secrets.token_hex(32)
    made = json.loads(scripts.call("keystore.mjs", "--key", key, "--password", password))
    address, keystore = made["address"].lower(), json.dumps(made["keystore"])
    key_file, password_file = folder / f"{address}.json", folder / f"{address}.password"
    key_file.write_text(keystore)
    password_file.write_text(password + "\n")
    return Account(address, str(key_file), str(password_file), keystore, password)


class RpcError(Exception):
    """What a node refused: `code` and its words."""

    def __init__(self, error):
        super().__init__(f"{error.get('message')} ({error.get('code')})")
        self.code = error.get("code")


class Agent(NamedTuple):
    """A `Registered` event: who was registered as what, and where."""

    id: int
    uri: str
    owner: str
    transaction: str
    block: int


class Chain:
    """A chain's node, asked as the test likes: `http(method, url, headers, body)` sends a request, as Cluster.http does."""

    def __init__(self, http, url, registry=REGISTRY):
        self._http = http
        self.url = url
        self.registry = registry.lower()

    def rpc(self, method, *params):
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        headers = {"Content-Type": "application/json", "Connection": "close"}
        answer = json.loads(self._http("POST", self.url, headers, json.dumps(call).encode(), timeout=30).body)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def agents(self, owner=None):
        """Everybody who was registered, or registered by `owner`, the oldest first."""
        topics = [_REGISTERED, None] + ([_word(owner)] if owner else [])
        return [
            Agent(int(each["topics"][1], 16), _text(each["data"]), "0x" + each["topics"][2][-40:], *_place(each))
            for each in self._logs(topics)
        ]

    def changes(self, agent=None):
        """Every later setAgentURI and setMetadata, as ("uri", id, text) and (key, id, value) in their order."""
        found = []
        for each in self._logs([[_URI_UPDATED, _METADATA_SET], _word(agent) if agent is not None else None]):
            number = int(each["topics"][1], 16)
            if each["topics"][0] == _URI_UPDATED:
                found.append(("uri", number, _text(each["data"])))
            else:
                found.append((_text(each["data"]), number, _bytes(each["data"], 1)))
        return found

    def owner_of(self, agent):
        return "0x" + self._call("6352211e", _word(agent))[-40:]

    def uri_of(self, agent):
        return _text(self._call("c87b56dd", _word(agent)))

    def metadata(self, agent, key):
        text = key.encode()
        padded = text.hex().ljust((len(text) + 31) // 32 * 64, "0")
        return _bytes(self._call("cb4799f2", _word(agent), _word(64), _word(len(text)), padded))

    def balance(self, address):
        return int(self.rpc("eth_getBalance", address, "latest"), 16)

    def sent(self, address):
        """How many of its transactions are in blocks."""
        return int(self.rpc("eth_getTransactionCount", address, "latest"), 16)

    def waiting(self, address):
        """How many of its transactions wait to be mined."""
        return int(self.rpc("eth_getTransactionCount", address, "pending"), 16) - self.sent(address)

    def height(self):
        return int(self.rpc("eth_blockNumber"), 16)

    def base_fee(self):
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)

    # What only a test's chain lets one do.

    def fund(self, address, wei=MUCH):
        self.rpc("anvil_setBalance", address, hex(wei))

    def mine(self, blocks=1):
        self.rpc("anvil_mine", hex(blocks))

    def mine_every(self, seconds):
        """A block every so many seconds; 0: only when the test makes one."""
        self.rpc("evm_setIntervalMining", seconds)

    def set_base_fee(self, wei):
        self.rpc("anvil_setNextBlockBaseFeePerGas", hex(wei))

    def drop(self, transaction):
        """Has the node forget a transaction that waits."""
        self.rpc("anvil_dropTransaction", transaction)

    def reorganize(self, depth):
        """The last blocks were never made: others, without transactions, stand in their places."""
        self.rpc("anvil_reorg", depth, [])

    def register(self, owner, uri):
        """Registers an agent as somebody else would; returns its id."""
        text = uri.encode()
        data = "0xf2c298be" + _word(32)[2:] + _word(len(text))[2:] + text.hex().ljust((len(text) + 31) // 32 * 64, "0")
        before = {each.id for each in self.agents()}
        self.send_as(owner, self.registry, data)
        return wait_until(lambda: [each.id for each in self.agents(owner) if each.id not in before], 10, "it is registered")[0]

    def transfer(self, owner, to, agent):
        """Gives an agent away."""
        self.send_as(owner, self.registry, "0x23b872dd" + "".join(_word(each)[2:] for each in (owner, to, agent)))
        wait_until(lambda: self.owner_of(agent) == to.lower(), 10, "it has changed hands")

    def send_as(self, owner, to, data, **more):
        """Any transaction of anybody, unsigned; returns its hash."""
        self.rpc("anvil_impersonateAccount", owner)
        return self.rpc("eth_sendTransaction", {"from": owner, "to": to, "data": data, "gas": hex(2_000_000)} | more)

    def _logs(self, topics):
        return self.rpc("eth_getLogs", {"address": self.registry, "fromBlock": "0x0", "toBlock": "latest", "topics": topics})

    def _call(self, selector, *words):
        data = "0x" + selector + "".join(each.removeprefix("0x") for each in words)
        return self.rpc("eth_call", {"to": self.registry, "data": data}, "latest")


class Anvil(Chain):
    """A chain of its own in a cluster's network, on which a block is made every `block_time` seconds. It began `age`
    seconds ago, with a block every 6 s until now."""

    def __init__(self, cluster, scripts, port, block_time=0.25, name="anvil-registry", age=0):
        super().__init__(cluster.http, f"http://127.0.0.1:{port}")
        program = f"{scripts.npm_dir}/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
        # Old state stays in memory: questions about blocks of some minutes ago are asked too.
        options = ["--block-time", str(block_time), "--prune-history", "2000", "--silent"]
        where = ["--host", "127.0.0.1", "--port", str(port), "--chain-id", str(CHAIN_ID)]
        began = ["--timestamp", str(int(time.time()) - age)] if age else []
        self._process = cluster.popen([program, *options, *where, *began], name)
        scripts.call("chain.mjs", "--rpc", self.url, "put", "TestAgentRegistry", self.registry)
        if age:
            for _ in range(10):
                self.rpc("anvil_mine", hex(age // 60), "0x6")
            self.rpc("evm_setTime", int(time.time()))

    def stop(self):
        self._process.stop()

    def freeze(self):
        """It takes connections and answers nothing any more."""
        self._process.pause()

    def thaw(self):
        self._process.resume()


def add_to(stack, address=REGISTRY):
    """Puts a registry on the chain on which the stack's buyers pay; returns that chain."""
    chain = Chain(stack.cluster.http, stack.chain.url, address)
    stack.scripts.call("chain.mjs", "--rpc", chain.url, "put", "TestAgentRegistry", chain.registry)
    return chain


class ScriptedNode:
    """scripted_node.py in front of a chain: nodes that behave as the test says, each under a name of its own."""

    def __init__(self, cluster, chain, port, name="scripted-node"):
        self._http = cluster.http
        self._url = f"http://127.0.0.1:{port}"
        script = __file__.replace("registry.py", "scripted_node.py")
        self._process = cluster.popen(["/usr/bin/python3", script, str(port), chain.url], name)
        wait_until(self._answers, 10, "the scripted node answers")

    def url(self, node="one"):
        return f"{self._url}/{node}"

    def script(self, *rules):
        """What holds from now on, instead of what held before; all counts begin anew."""
        self._http("POST", f"{self._url}/control", {"Connection": "close"}, json.dumps(rules).encode())

    def calls(self, node=None, method=None):
        """[(Unix seconds, node, method, parameters)] since the script was set."""
        every = json.loads(self._http("GET", f"{self._url}/calls", {"Connection": "close"}).body)
        return [each for each in every if node in (None, each[1]) and method in (None, each[2])]

    def counts(self, node=None):
        """How often each method was called."""
        found = {}
        for _, _, method, _ in self.calls(node):
            found[method] = found.get(method, 0) + 1
        return found

    def questions(self):
        """What was asked for what came since, in its order: the checks that a process makes once are left out, and who asks
        the same again counts once."""
        once = ("eth_chainId", "eth_getCode", "net_version", "web3_clientVersion")
        return list(dict.fromkeys((each[2], json.dumps(each[3])) for each in self.calls() if each[2] not in once))

    def stop(self):
        self._process.stop()

    def _answers(self):
        try:
            return self._http("GET", f"{self._url}/calls", {"Connection": "close"}).status == 200
        except (OSError, ClusterError):
            return False


def _place(log):
    return log["transactionHash"], int(log["blockNumber"], 16)


def _word(value):
    """An address, a number or a word as 32 bytes."""
    if isinstance(value, str):
        return "0x" + value.removeprefix("0x").lower().rjust(64, "0")
    return f"0x{value:064x}"


def _bytes(data, position=0):
    """The byte string at that place of ABI-encoded values."""
    raw = bytes.fromhex(data.removeprefix("0x"))
    start = int.from_bytes(raw[32 * position : 32 * position + 32], "big")
    size = int.from_bytes(raw[start : start + 32], "big")
    return raw[start + 32 : start + 32 + size]


def _text(data, position=0):
    return _bytes(data, position).decode()
