"""A node that misbehaves as a test says, in front of a real one: it passes JSON-RPC calls on, unless a rule says otherwise.

Every path is a node of its own (/one, /two), so that one process stands for several. The test talks to /control: POST a list
of rules there, which replaces the former ones and all counts, and GET the calls that came. A rule:

    {"do": ACTION, "methods": ["eth_call"], "node": "one", "skip": 2, "times": 1, …}

holds for these methods (absent: all) of that node (absent: each), after `skip` calls, for `times` calls (absent: for good);
the first one that holds is followed. What the actions do, and what else they take, stands at the functions below.
"""

import http.client
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse

import node_past
from transactions import fees_of

# What the clients in use say of the same, as they word it.
REFUSALS = {
    "known-geth": (-32000, "already known"),
    "known-erigon": (-32000, "existing tx with same hash"),
    "known-nethermind": (-32010, "AlreadyKnown"),
    "known-parity": (-32010, "Transaction with the same hash was already imported."),
    "low-geth": (-32000, "nonce too low: next nonce 9, tx nonce 3"),
    "low-erigon": (-32000, "nonce too low"),
    "low-nethermind": (-32010, "OldNonce, Current nonce: 9, nonce of rejected tx: 3"),
    "low-reth": (-32003, "nonce too low"),
    "underpriced-geth": (-32000, "replacement transaction underpriced"),
    "underpriced-erigon": (-32000, "could not replace existing tx"),
    "underpriced-nethermind": (-32010, "ReplacementNotAllowed"),
    "underpriced-reth": (-32000, "replacement transaction underpriced"),
    "fee-geth": (-32000, "max fee per gas less than block base fee: address 0x00, maxFeePerGas: 1, baseFee: 2"),
    "fee-nethermind": (-32010, "FeeTooLow, MaxFeePerGas too low"),
    "funds-geth": (-32000, "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1"),
    "funds-nethermind": (-32010, "InsufficientFunds, Balance is 0 less than sending value + gas 1"),
    "funds-reth": (-32003, "insufficient funds for gas * price + value: have 0 want 1"),
    "chain-geth": (-32000, "invalid chain id for signer: have 1 want 2"),
    "pruned-geth": (-32000, "missing trie node 5a5a5a (path ) state 0x5a5a is not available"),
    "pruned-erigon": (-32000, "old data not available due to pruning"),
    "pruned-nethermind": (-32002, "No state available for block 0x10"),
    "pruned-reth": (-32603, "state at block #10 is pruned"),
    "range-alchemy": (-32600, "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range."),
    "range-infura": (-32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2]."),
    "range-quicknode": (-32614, "eth_getLogs is limited to a 10,000 range"),
    "range-public": (-32602, "eth_getLogs block range too large"),
    "odd-provider": (-32603, "Unknown RPC error"),
    "limit-provider": (-32005, "daily request count exceeded, request rate limited"),
    "denied-provider": (-32601, "the method is not available"),
}
HANG = 60


class Script:
    """The rules in force and what has come."""

    lock = threading.Lock()
    rules = []
    calls = []  # [Unix seconds, node, method, parameters]

    @classmethod
    def replace(cls, rules):
        with cls.lock:
            cls.rules = [dict(each) for each in rules]
            cls.calls = []

    @classmethod
    def rule_for(cls, node, method, params):
        """Notes the call and takes the rule to follow, or None."""
        with cls.lock:
            cls.calls.append([time.time(), node, method, params])
            for rule in cls.rules:
                if method not in rule.get("methods", [method]) or node != rule.get("node", node):
                    continue
                if rule.get("skip", 0) > 0:
                    rule["skip"] -= 1
                elif rule.get("times", 1) > 0:
                    if "times" in rule:
                        rule["times"] -= 1
                    return rule
        return None


class Upstream:
    """The real node."""

    _kept = threading.local()

    def __init__(self, url):
        self._address = urllib.parse.urlsplit(url).netloc

    def ask(self, method, *params):
        """The result; what the node refuses is None."""
        answer = self.pass_on({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        return answer.get("result")

    def pass_on(self, call):
        """Its answer to a call as it is."""
        line = getattr(self._kept, "line", None) or http.client.HTTPConnection(self._address, timeout=HANG)
        self._kept.line = line
        try:
            line.request("POST", "/", json.dumps(call), {"Content-Type": "application/json"})
            return json.loads(line.getresponse().read())
        except (OSError, http.client.HTTPException):
            self._kept.line = None
            line.close()
            raise


class Cut(Exception):
    """The connection is to be cut instead of an answer."""


class Status(Exception):
    """Something else than a JSON-RPC answer is to be sent: (status, headers, body)."""


def do_cut(rule, call):
    """Hangs up without passing the call on."""
    raise Cut


def do_lose(rule, call):
    """Passes the call on, and hangs up."""
    NODE.pass_on(call)
    raise Cut


def do_hang(rule, call):
    """Says nothing, for `seconds`."""
    time.sleep(rule.get("seconds", HANG))
    raise Cut


def do_wait(rule, call):
    """Passes it on after `seconds`."""
    time.sleep(rule["seconds"])
    return NODE.pass_on(call)


def do_late(rule, call):
    """Passes it on at once, and answers after `seconds`."""
    answer = NODE.pass_on(call)
    time.sleep(rule["seconds"])
    return answer


def do_status(rule, call):
    """Answers with HTTP `status`, `headers` and `body`."""
    raise Status(rule["status"], rule.get("headers", {}), rule.get("body", ""))


def do_garbage(rule, call):
    """Answers with `body`, which is no JSON-RPC."""
    raise Status(200, {}, rule.get("body", "<html>please sign in</html>"))


def do_refuse(rule, call):
    """Refuses in the words `as` of REFUSALS, or with `code` and `message`; with `pass` it passes the call on first."""
    code, message = REFUSALS[rule["as"]] if "as" in rule else (rule["code"], rule["message"])
    if rule.get("pass"):
        NODE.pass_on(call)
    return refusal(call, code, message)


def do_answer(rule, call):
    """Says `result`."""
    return {"jsonrpc": "2.0", "id": call.get("id"), "result": rule["result"]}


def do_swallow(rule, call):
    """Says that a transaction is taken, and forgets it; any hash does."""
    return {"jsonrpc": "2.0", "id": call.get("id"), "result": "0x" + "5a" * 32}


def do_lag(rule, call):
    """Answers as a node that is `blocks` behind, or that stands at block `at`. What it cannot know yet it refuses, or,
    with `clips`, answers as if it were nothing, as some do."""
    head = int(NODE.ask("eth_blockNumber"), 16)
    return node_past.answer(NODE, call, min(head, rule["at"]) if "at" in rule else max(head - rule["blocks"], 0), rule.get("clips"))


def do_prune(rule, call):
    """Has the state of the last `keep` blocks only, as all nodes but archives, and says so in the words `as`."""
    number = node_past.state_asked_for(call)
    if number is not None and number < int(NODE.ask("eth_blockNumber"), 16) - rule["keep"]:
        return refusal(call, *REFUSALS[rule["as"]])
    return NODE.pass_on(call)


def do_range(rule, call):
    """Looks for events in so many `blocks` at a time, and says so in the words `as`, or by HTTP `status` alone. For
    eth_getLogs."""
    wanted = call["params"][0]
    if "blockHash" not in wanted and int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) >= rule["blocks"]:
        if "status" in rule:
            raise Status(rule["status"], {}, "too large")
        return refusal(call, *REFUSALS[rule["as"]])
    return NODE.pass_on(call)


def do_pool(rule, call):
    """Minds the price of what is to replace a waiting transaction: both fees must be `percent` higher, or more than that
    with `strict`. The first `denies` transactions that are taken are called too cheap all the same. For one account at a
    time, and for eth_sendRawTransaction."""
    nonce, tip, cap = fees_of(bytes.fromhex(call["params"][0][2:]))
    with Script.lock:
        waiting = POOL.get(nonce)
    if waiting:
        found = NODE.ask("eth_getTransactionByHash", waiting[0])
        if found and found["blockNumber"] is None and found["hash"] != waiting_hash(call):
            for before, now in ((waiting[1], tip), (waiting[2], cap)):
                least = before * (100 + rule.get("percent", 10))
                if now * 100 < least or (rule.get("strict") and now * 100 == least):
                    return refusal(call, *REFUSALS["underpriced-geth"])
    answer = NODE.pass_on(call)
    if "result" in answer:
        with Script.lock:
            POOL[nonce] = (answer["result"], tip, cap)
            if rule.get("denies", 0) > 0:
                rule["denies"] -= 1
                return refusal(call, *REFUSALS["fee-geth"])
    return answer


def waiting_hash(call):
    """The hash of the same bytes, where they are what waits already."""
    with Script.lock:
        return SENT.get(call["params"][0])


def refusal(call, code, message):
    return {"jsonrpc": "2.0", "id": call.get("id"), "error": {"code": code, "message": message}}


POOL = {}  # nonce: (hash, tip, cap) of what was taken last
SENT = {}  # raw transaction: its hash


class Node(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise the body of each answer waits for 40 ms until the head is acknowledged.
    disable_nagle_algorithm = True

    def do_GET(self):
        with Script.lock:
            self._say(200, json.dumps(Script.calls))

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/control":
            Script.replace(asked)
            return self._say(200, "{}")
        node = re.sub("[/?].*", "", self.path[1:])
        try:
            if isinstance(asked, list):
                answer = [self._answer(node, each) for each in asked]
            else:
                answer = self._answer(node, asked)
        except Cut:
            self.close_connection = True
        except Status as other:
            status, headers, body = other.args
            self._say(status, body, headers)
        else:
            self._say(200, json.dumps(answer))

    def _answer(self, node, call):
        rule = Script.rule_for(node, call["method"], call.get("params", []))
        answer = globals()[f"do_{rule['do']}"](rule, call) if rule else NODE.pass_on(call)
        if call["method"] == "eth_sendRawTransaction" and "result" in answer:
            with Script.lock:
                SENT[call["params"][0]] = answer["result"]
        return answer

    def _say(self, status, text, headers=None):
        body = text.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    NODE = Upstream(sys.argv[2])
    http.server.ThreadingHTTPServer.daemon_threads = True
    # What finds no place in a short queue is heard seconds after who asked has gone, and counted then.
    http.server.ThreadingHTTPServer.request_queue_size = 1024
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Node).serve_forever()
