"""What a node that is some blocks behind says, made from the answers of one that is not."""

_NOW = ("latest", "pending", "safe", "finalized")
# Where a call names the block that it is about.
_BLOCK_AT = {
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getTransactionCount": 1,
    "eth_getStorageAt": 2,
    "eth_getBlockByNumber": 0,
    "eth_feeHistory": 1,
}


def answer(node, call, head, clips):
    """To `call`, by a node whose newest block is `head`. `clips`: what it cannot know is nothing to it, and no error."""
    method, params = call["method"], list(call.get("params") or [])
    if method == "eth_blockNumber":
        return _result(call, hex(head))
    if method in ("eth_getTransactionReceipt", "eth_getTransactionByHash"):
        return _known(node, call, head)
    if method == "eth_getLogs":
        return _logs(node, call, params[0], head, clips)
    if method == "eth_getBlockByHash":
        found = node.ask(method, *params)
        return _result(call, found if found and int(found["number"], 16) <= head else None)
    if method not in _BLOCK_AT:
        return node.pass_on(call)
    at = _BLOCK_AT[method]
    params += ["latest"] * (at + 1 - len(params))
    number = _number(node, params[at], head)
    if number is None or number > head:
        if method == "eth_getBlockByNumber":
            return _result(call, None)
        if not clips or method == "eth_feeHistory":
            return _error(call, "header not found")
        number = head
    params[at] = hex(number)
    return node.pass_on(call | {"params": params})


def state_asked_for(call):
    """The number of the block whose state a call needs, where it names one."""
    method, params = call["method"], call.get("params") or []
    at = _BLOCK_AT.get(method)
    if at is None or method in ("eth_getBlockByNumber", "eth_feeHistory") or len(params) <= at:
        return None
    block = params[at]
    return int(block, 16) if isinstance(block, str) and block.startswith("0x") else None


def _known(node, call, head):
    found = node.ask(call["method"], *call["params"])
    if found and found["blockNumber"] is not None and int(found["blockNumber"], 16) > head:
        found = None
    return _result(call, found)


def _logs(node, call, wanted, head, clips):
    if "blockHash" in wanted:
        number = _number(node, {"blockHash": wanted["blockHash"]}, head)
        return _error(call, "unknown block") if number is None or number > head else node.pass_on(call)
    first = _number(node, wanted.get("fromBlock", "latest"), head)
    last = _number(node, wanted.get("toBlock", "latest"), head)
    if last > head and not clips:
        return _error(call, "block range extends beyond current head block")
    if first > head:
        return _result(call, [])
    changed = wanted | {"fromBlock": hex(first), "toBlock": hex(min(last, head))}
    return node.pass_on(call | {"params": [changed]})


def _number(node, block, head):
    """Of a tag, a number, or an EIP-1898 object; None where there is no such block."""
    if isinstance(block, dict):
        if "blockNumber" in block:
            return int(block["blockNumber"], 16)
        found = node.ask("eth_getBlockByHash", block["blockHash"], False)
        return int(found["number"], 16) if found else None
    if block in _NOW:
        return head
    return 0 if block == "earliest" else int(block, 16)


def _result(call, result):
    return {"jsonrpc": "2.0", "id": call.get("id"), "result": result}


def _error(call, message):
    return {"jsonrpc": "2.0", "id": call.get("id"), "error": {"code": -32000, "message": message}}
