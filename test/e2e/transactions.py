"""Reads signed transactions: of EIP-1559, whose envelope is 0x02 and an RLP list."""


def fees_of(raw):
    """(nonce, priority fee, greatest fee) of a transaction of type 2."""
    fields = _fields(raw)
    return tuple(int.from_bytes(each, "big") for each in fields[1:4])


def call_of(raw):
    """(receiver, data) of a transaction of type 2."""
    fields = _fields(raw)
    return "0x" + fields[5].hex(), fields[7]


def _fields(raw):
    if raw[0] != 2:
        raise ValueError("no transaction of type 2")
    item, rest = _item(raw[1:])
    if rest or not isinstance(item, list):
        raise ValueError("no RLP list")
    return item


def _item(data):
    """The first item of RLP, and what follows it."""
    head = data[0]
    if head < 0x80:
        return data[:1], data[1:]
    if head < 0xC0:
        content, rest = _content(data, 0x80)
        return content, rest
    content, rest = _content(data, 0xC0)
    items = []
    while content:
        item, content = _item(content)
        items.append(item)
    return items, rest


def _content(data, base):
    size = data[0] - base
    start = 1
    if size > 55:
        start += size - 55
        size = int.from_bytes(data[1:start], "big")
    return data[start : start + size], data[start + size :]
