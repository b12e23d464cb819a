#!/usr/bin/env python3
"""Fails on expressions that g++ 12 miscompiles in coroutines: it destroys temporaries twice, awaits what && should
skip, or loses a loop's body. The ASan build is the real gate; this one is quick.

    coroutines.py [FILE...]      the given files, or all of include, src, examples and test
    coroutines.py --self-test    every bad sample is found, and no good one
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What is no code, longest first; kept in length, so that offsets stay.
NO_CODE = re.compile(
    r'R"(?P<mark>[^()\\ ]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"
    r"|//[^\n]*|/\*.*?\*/",
    re.DOTALL,
)
# Of an awaited expression.
SHAPES = [
    (re.compile(r"[(,]\s*\{|\{\s*\."), "an aggregate temporary in a co_await expression"),
    (re.compile(r"\[[a-z&=*][^\]]*\]\s*(?:\(|\{|mutable)"), "a capturing lambda in a co_await expression"),
    (re.compile(r"\?"), "?: in a co_await expression"),
]


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def end_of(code, start, stop):
    """Where the expression that begins at `start` ends: at a character of `stop` outside of all brackets, or at the
    bracket that closes around it."""
    depth = 0
    for i in range(start, len(code)):
        if code[i] in "([{":
            depth += 1
        elif code[i] in ")]}":
            depth -= 1
            if depth < 0:
                return i
        elif depth == 0 and code[i] in stop:
            return i
    return len(code)


def findings(text):
    """(line, what) of each bad shape in a C++ source."""
    code = NO_CODE.sub(blank, text)
    found = set()

    def add(offset, what):
        found.add((code.count("\n", 0, offset) + 1, what))

    for each in re.finditer(r"\bco_await\b", code):
        expression = code[each.start() : end_of(code, each.start(), ";")]
        for shape, what in SHAPES:
            if shape.search(expression):
                add(each.start(), what)
    for each in re.finditer(r"\?", code):
        if re.search(r"\bco_await\b", code[each.end() : end_of(code, each.end(), ";,")]):
            add(each.start(), "co_await in an operand of ?:")
    for each in re.finditer(r"\b(while|for)\s*\(", code):
        begin = each.end()
        if each.group(1) == "for":
            begin = end_of(code, begin, ";") + 1
        end = end_of(code, begin, "")
        if re.search(r"\bco_await\b", code[begin:end]) and code[begin - 1] != ")":
            add(each.start(), f"co_await in the condition of {each.group(1)}")
    return sorted(found)


BAD = [
    "co_await f({1, 2});",
    "co_await f(x, {.a = 1});",
    "co_await f(\n    thing{.a = 1},\n    2\n);",
    "co_await run([&](int x) { return x; });",
    "co_await f(\n    x,\n    [this, n]() -> awaitable { co_return; }\n);",
    "co_await f(x, good ? *y : nullptr);",
    "auto x = good ? co_await f() : 0;",
    "auto x = good\n    ? 0\n    : co_await f();",
    "while (!done && co_await f())\n    more();",
    "while (co_await f())\n{\n}",
    "while (co_await f(a(), b()));",
    "while (!done &&\n       co_await f())\n    more();",
    "do { more(); } while (co_await f());",
    "for (int i = 0; co_await f(i); ++i)\n    more();",
    "for (;; co_await f())\n    more();",
]
GOOD = [
    "co_await f(x, []() { return 1; });",
    "co_await f(x[0], list);",
    "const point p{1, 2};\nco_await f(p);",
    "const bool more = co_await f();\nwhile (more && other()) { co_await g(); }",
    "for (auto x = co_await f(); x > 0; --x)\n    co_await g();",
    "for (const auto& each : all)\n    co_await f(each);",
    "if (!co_await f())\n    break;",
    "case 1: co_await f(); break;\ndefault: co_await g();",
    "// while (co_await f())\n/* co_await f({1}) */",
    "log(\"while (co_await f())\", '\\'', R\"(co_await f({1}))\", 10'000);",
]


def self_test():
    wrong = [f"not found: {each!r}" for each in BAD if not findings(each)]
    wrong += [f"found in a good one: {each!r}: {findings(each)}" for each in GOOD if findings(each)]
    print("\n".join(wrong) or f"coroutines: {len(BAD)} bad samples found, {len(GOOD)} good ones left alone")
    return 1 if wrong else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    paths = [pathlib.Path(each) for each in arguments] or sorted(
        each for folder in ("include", "src", "examples", "test") for each in (ROOT / folder).rglob("*.[ch]pp")
    )
    bad = [f"{path}:{line}: {what}" for path in paths for line, what in findings(path.read_text())]
    if bad:
        print("\n".join(bad))
        print("coroutines: shapes that g++ 12 miscompiles; name the object, the lambda or the outcome first")
        return 1
    print("coroutines: good")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
