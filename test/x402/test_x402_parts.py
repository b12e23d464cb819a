"""The x402 and EVM test parts against each other, on loopback, without the product in between."""

import concurrent.futures

import pytest

import x402
from sample_seller import SampleSeller, post_json

PRICE = 10000
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    local = x402.LocalProcesses(tmp_path_factory.mktemp("logs"))
    with x402.Scripts(local.run, local.popen) as scripts:
        yield scripts


@pytest.fixture(scope="module")
def chain(scripts):
    with x402.Chain(scripts, x402.free_port()) as chain:
        yield chain


@pytest.fixture(scope="module")
def facilitator(scripts, chain):
    with x402.Facilitator(scripts, chain, x402.free_port()) as facilitator:
        yield facilitator


@pytest.fixture
def seller(facilitator):
    with SampleSeller(facilitator.url, PRICE) as seller:
        yield seller


@pytest.fixture
def ask(facilitator):
    """Sends a payment to the facilitator's verify or settle endpoint."""

    def send(operation, requirements, header):
        payment = x402.decode_header(header)
        version = payment["x402Version"]
        request = {"x402Version": version, "paymentPayload": payment, "paymentRequirements": requirements}
        return post_json(f"{facilitator.url}/{operation}", request)

    return send


def offer(version, **changes):
    if version == 1:
        return x402.requirements_v1(x402.SELLER, PRICE, "http://seller.test/item", **changes)
    return x402.requirements_v2(x402.SELLER, PRICE, **changes)


def nonce_of(header):
    return x402.decode_header(header)["payload"]["authorization"]["nonce"]


def resigned(header, change):
    """The same payment with `change(r, s, v)` for its signature."""
    payment = x402.decode_header(header)
    signature = bytes.fromhex(payment["payload"]["signature"][2:])
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    r, s, v = change(r, s, v)
    payment["payload"]["signature"] = "0x" + (r + s.to_bytes(32, "big") + bytes([v])).hex()
    return x402.encode_header(payment)


both_versions = pytest.mark.parametrize("version", [1, 2])


def test_facilitator_lists_v1_by_name_and_v2_by_chain_id(facilitator):
    kinds = facilitator.supported()["kinds"]
    listed = sorted((kind["x402Version"], kind["scheme"], kind["network"]) for kind in kinds)
    assert listed == [(1, "exact", x402.NETWORK_V1), (2, "exact", x402.NETWORK_V2)]


@both_versions
def test_real_client_pays_exactly_the_price_once(scripts, chain, facilitator, seller, version):
    before = chain.balance(x402.BUYER), chain.balance(x402.SELLER)
    settled_before = facilitator.stats()["settle"]["results"].get("ok", 0)

    report = x402.buy(scripts, version, seller.url)

    assert (report["status"], report["body"], report["error"]) == (200, "sold", None)
    assert report["statuses"] == [402, 200]
    assert report["paymentHeaderName"] == {1: "X-PAYMENT", 2: "PAYMENT-SIGNATURE"}[version]
    assert report["paymentRequired"]["x402Version"] == version
    assert report["requirements"] == seller.accepts[version]
    after = chain.balance(x402.BUYER), chain.balance(x402.SELLER)
    assert (before[0] - after[0], after[1] - before[1]) == (PRICE, PRICE)
    [settlement] = chain.settlements(nonce=nonce_of(report["paymentHeader"]))
    assert settlement["transaction"] == seller.settled[0]["transaction"]
    moved = settlement["from"], settlement["to"], settlement["value"]
    assert moved == (x402.BUYER, x402.SELLER, str(PRICE))
    assert facilitator.stats()["settle"]["results"]["ok"] == settled_before + 1


@both_versions
def test_same_payment_settles_only_once(scripts, chain, ask, version):
    requirements = offer(version)
    header = x402.sign(scripts, version, requirements)
    assert ask("settle", requirements, header)["success"]

    again = ask("settle", requirements, header)
    # The v1 library passes on the text of the failure where the v2 library names it.
    reason = "invalid_exact_evm_nonce_already_used" if version == 2 else "authorization is used or canceled"
    assert not again["success"] and reason in again["errorReason"]
    assert ask("verify", requirements, header)["invalidReason"] == "invalid_exact_evm_nonce_already_used"
    assert len(chain.settlements(nonce=nonce_of(header))) == 1

    # The refused transaction has not blocked the facilitator's account.
    assert ask("settle", requirements, x402.sign(scripts, version, requirements))["success"]


def test_parallel_copies_and_others_settle_once_each(scripts, chain, ask):
    requirements = offer(2)
    headers = [x402.sign(scripts, 2, requirements) for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda header: ask("settle", requirements, header), headers * 3))
    assert sum(answer["success"] for answer in answers) == len(headers)
    for header in headers:
        assert len(chain.settlements(nonce=nonce_of(header))) == 1


@both_versions
@pytest.mark.parametrize(
    "options, reason",
    [
        ({"value": PRICE - 1}, "authorization_value"),
        ({"value": PRICE + 1}, "authorization_value"),
        ({"to": x402.BUYER2}, "recipient_mismatch"),
        ({"valid_before": "-1"}, "valid_before"),
        ({"valid_after": "+60"}, "valid_after"),
        ({"from": x402.BUYER2}, "signature"),
        ({"key": x402.PAUPER_KEY}, "insufficient_balance"),
    ],
)
def test_odd_payment_is_refused_for_its_reason(scripts, ask, version, options, reason):
    requirements = offer(version)
    header = x402.sign(scripts, version, requirements, **options)
    answer = ask("verify", requirements, header)
    assert not answer["isValid"] and reason in answer["invalidReason"]
    assert not ask("settle", requirements, header)["success"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda r, s, v: (r, CURVE_ORDER - s, 55 - v), id="high s"),
        pytest.param(lambda r, s, v: (r, s, v - 27), id="v is 0 or 1"),
    ],
)
def test_token_refuses_malleable_signatures(scripts, chain, ask, change):
    requirements = offer(2)
    header = resigned(x402.sign(scripts, 2, requirements), change)
    verified = ask("verify", requirements, header)
    assert not verified["isValid"] and "ECRecover: invalid signature" in verified["invalidMessage"]
    assert not ask("settle", requirements, header)["success"]
    assert chain.settlements(nonce=nonce_of(header)) == []


def test_payer_can_cancel_between_verify_and_settle(scripts, chain, ask):
    requirements = offer(2)
    header = x402.sign(scripts, 2, requirements)
    assert ask("verify", requirements, header)["isValid"]
    chain.cancel(x402.BUYER_KEY, nonce_of(header))
    assert ask("settle", requirements, header)["errorReason"] == "invalid_exact_evm_nonce_already_used"


def test_minted_funds_can_be_spent(scripts, chain, ask):
    requirements = offer(2)
    chain.mint(x402.PAUPER, PRICE)
    assert ask("settle", requirements, x402.sign(scripts, 2, requirements, key=x402.PAUPER_KEY))["success"]
    assert chain.balance(x402.PAUPER) == 0


@both_versions
def test_client_refuses_a_price_above_its_limit(scripts, seller, version):
    report = x402.buy(scripts, version, seller.url, max_amount=PRICE - 1)
    assert report["error"] and report["paymentHeader"] is None
    assert report["statuses"] == [402]


def test_pay_loop_counts_every_purchase(scripts, chain, seller):
    before = len(chain.settlements())
    summary = x402.pay_loop(scripts, seller.url, rate=10, seconds=2)
    assert (summary["sent"], summary["ok"], summary["failures"]) == (20, 20, [])
    assert len(chain.settlements()) == before + 20


def test_pay_loop_reports_what_failed(scripts):
    summary = x402.pay_loop(scripts, f"http://127.0.0.1:{x402.free_port()}", rate=2, seconds=1)
    assert (summary["sent"], summary["ok"]) == (2, 0)
    assert [failure["status"] for failure in summary["failures"]] == [None, None]
    assert "ECONNREFUSED" in summary["failures"][0]["body"]
