#!/usr/bin/python3
"""The main job, step by step, as a seller and a buyer see it. Needs root for the network namespace."""

import base64
import json
import sys
import time

import yaml

from polling import UnpaidPoller
from stack import GATEWAY, NAMESPACE, Stack, binary, offer  # noqa: I001 (sets the path of the next ones)

import registry
import x402
from cluster import wait_until
from on_chain import Operator

KINDS = "serviceoffers,paymentroutes,registrationrequests,httproutes,middlewares"
PRICE = 1000


def step(number, text):
    print(f"\n\033[1m{number}. {text}\033[0m", flush=True)


def shown(command, output):
    print(f"$ {command}")
    for line in output.rstrip().splitlines():
        print(f"  {line}")


def kubectl(stack, *arguments):
    shown("kubectl " + " ".join(arguments), stack.cluster.kubectl(*arguments))


def ask(stack, path, headers=()):
    answer = stack.get(path, headers)
    shown(f"curl -i {GATEWAY}{path}", f"HTTP/1.1 {answer.status} {answer.body.decode()[:400]}")
    return answer


def expect(what, truth):
    if not truth:
        raise SystemExit(f"demo: expected that {what}")
    print(f"  -> {what}")


def sell(stack):
    step(2, "A seller offers a service: one ServiceOffer, 0.001 USDC a request")
    hello = offer("hello", registration=True)
    print(yaml.safe_dump(hello, sort_keys=False))
    poller = UnpaidPoller(stack, "/services/hello/greeting")
    with poller:
        created = time.time()
        stack.cluster.apply(hello)
        wait_until(lambda: poller.first(402), 20, "the route is sold")
    expect(f"the path answers 402, {1000 * (poller.first(402) - created):.0f} ms after kubectl apply began", True)
    for kind in ("UpstreamHealthy", "PaymentGateReady", "RoutePublished", "Registered", "Ready"):
        stack.wait_condition("hello", kind)
    kubectl(stack, "get", KINDS, "-n", NAMESPACE)
    for kind, (status, reason, message) in stack.conditions("hello").items():
        print(f"  {kind:17} {status:6} {reason:13} {message}")


def buy(stack):
    step(3, "A buyer asks without paying: 402, with the terms for x402 v2 (header) and v1 (body)")
    answer = ask(stack, "/services/hello/greeting")
    terms = x402.decode_header(answer.headers["PAYMENT-REQUIRED"])
    print("  PAYMENT-REQUIRED, decoded: " + json.dumps(terms["accepts"][0]))
    expect(f"it asks for {PRICE} atomic units", terms["accepts"][0]["amount"] == str(PRICE))
    for number, version, client in ((4, 2, "@x402/fetch"), (5, 1, "x402-fetch")):
        step(number, f"The unmodified {client} client pays (x402 v{version}), and gets the service's answer")
        before = stack.chain.balance(x402.SELLER)
        bought = stack.buy(version, "/services/hello/greeting")
        print(f"  HTTP {bought['status']} in {bought['ms']} ms: {bought['body'][:100]}…")
        moved = stack.chain.balance(x402.SELLER) - before
        expect(f"the seller's balance on the chain grew by {moved}", bought["status"] == 200 and moved == PRICE)
    return bought


def show_agent(stack, operator):
    step(6, "The offer is an agent in the registry of the chain (ERC-8004), with its document behind its URI")
    kubectl(stack, "get", "registrationrequests", "-n", NAMESPACE, "-o", "wide")
    status = stack.portitor("sell", "status", "hello", "-n", NAMESPACE).stdout
    shown(f"portitor sell status hello -n {NAMESPACE}", status)
    agent, = operator.agents()
    expect(
        f"both name agent {agent.id} and the transaction",
        f"agent {agent.id} on base-sepolia, transaction {agent.transaction}" in status,
    )
    print(f"  agent {agent.id} of account {agent.owner}, registered by transaction {agent.transaction}")
    answer = ask(stack, agent.uri.removeprefix(GATEWAY))
    expect("the document says what it is and that it is active", json.loads(answer.body)["active"] is True)
    return agent


def replay(stack, bought):
    step(7, "The same payment, sent again, buys nothing and costs nothing")
    answer = ask(stack, "/services/hello/greeting", [(bought["paymentHeaderName"], bought["paymentHeader"])])
    expect("it is refused with 409", answer.status == 409)
    expect("two settlements were made in all", len(stack.chain.settlements(to=x402.SELLER)) == 2)


def withdraw(stack, operator, agent):
    step(8, "The seller deletes the offer: everything goes")
    began = time.time()
    kubectl(stack, "delete", "serviceoffer", "hello", "-n", NAMESPACE, "--timeout=60s")
    expect(f"it took {time.time() - began:.1f} s", True)
    wait_until(lambda: stack.get("/services/hello/greeting").status == 404, 10, "the path answers 404")
    shown(f"kubectl get {KINDS} -n {NAMESPACE}", stack.cluster.kubectl("get", KINDS, "-n", NAMESPACE) or "No resources found")
    ask(stack, "/services/hello/greeting")
    tombstone = json.loads(base64.b64decode(operator.chain.uri_of(agent.id).partition(",")[2]))
    expect(f"on chain the agent says of itself: {json.dumps(tombstone)}", tombstone["active"] is False)


def main():
    print(f"portitor: {binary()}")
    step(1, "Start the parts: a real Kubernetes API server, Traefik, an EVM chain, an x402 facilitator, portitor")
    with Stack(say=lambda text: print(f"  {text}", flush=True)) as stack:
        with Operator(stack, registry.add_to(stack)) as operator:
            sell(stack)
            bought = buy(stack)
            agent = show_agent(stack, operator)
            replay(stack, bought)
            withdraw(stack, operator, agent)
    print("\nDone: all that was started has ended, and nothing is left of it.")


if __name__ == "__main__":
    sys.exit(main())
