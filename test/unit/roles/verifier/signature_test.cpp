#include "verifier_world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

using namespace portitor;
using namespace portitor::route;
using namespace portitor::verifier;
using namespace portitor::verifier::samples;

namespace {

std::string error_in(const http::response& answer)
{
    return text(decoded(header(answer, "PAYMENT-REQUIRED")).at("error"));
}

// A payment whose signature is another one, in hexadecimal.
json::object signed_as(unsigned number, const std::string& signature)
{
    json::object message = v1_message(number);
    x402::samples::at(message, "payload/signature") = signature;
    return message;
}

std::string signature_of(json::object message)
{
    return text(x402::samples::at(message, "payload/signature"));
}

asio::awaitable<void> ask_later(desk& d, json::object message, http::response& out)
{
    const question asked(top, {{"X-PAYMENT", x402::samples::encode(message)}});
    co_await d.handle(asked, true, out);
}

evm::address payer()
{
    return evm::address::parse(x402::samples::payer).value();
}

}  // namespace

TEST_CASE("a signature of someone else is refused without asking anyone for money", "[verifier][signature]")
{
    desk d;
    const json::object good = v1_message(1);
    std::vector<json::object> bad{
        v1_message(1, stranger()),
        signed_as(1, "0x" + std::string(130, 'a')),
        signed_as(1, "0x" + std::string(130, '0')),
        signed_as(1, "0x" + std::string(128, 'a')),
        signed_as(1, "0x00"),
        // Of an ordinary account, with something behind it.
        signed_as(1, signature_of(good) + "00"),
    };
    for (const auto& [field, value] :
         {std::pair("nonce", "0x" + std::string(64, '7')),
          std::pair("validBefore", std::to_string(x402::samples::now_seconds + 61)),
          std::pair("validAfter", std::string("1")),
          std::pair("from", x402::samples::seller)})
    {
        json::object changed = good;
        x402::samples::at(changed, std::string("payload/authorization/") + field) = value;
        bad.push_back(changed);
    }
    for (const json::object& each : bad)
    {
        INFO(json::serialize(each));
        const auto answer = d.pay_v1(each);
        CHECK(answer.result() == http::status::payment_required);
        CHECK(header(answer, "X-Portitor-Route") == "shop/hello");
        CHECK(error_in(answer) == "invalid_exact_evm_payload_signature");
        CHECK(text(json::parse(answer.body()).at("error")) == "invalid_exact_evm_payload_signature");
    }
    CHECK(d.facilitator.calls() == 0);
    CHECK(d.on_record() == 0);
    CHECK_THAT(
        d.numbers.expose(),
        Catch::Matchers::Contains(fmt::format("outcome=\"bad_signature\"}} {}", bad.size()))
    );
    check_granted(d.pay_v1(good), v2_payer);
}

TEST_CASE("of the chain only the payer's code is asked, on the payment's network", "[verifier][signature]")
{
    desk d;
    d.pay_v1(v1_message(1, stranger()));
    CHECK(d.chain.asked == 1);
    CHECK(d.chain.networks == std::vector<std::string>{"eip155:84532"});
    // A good signature needs nobody.
    check_granted(d.pay_v1(v1_message(2)), v2_payer);
    CHECK(d.chain.asked == 1);
    // What it said is remembered for a while.
    d.pay_v1(v1_message(3, stranger()));
    CHECK(d.chain.asked == 1);
    CHECK(d.facilitator.settles == 1);
}

TEST_CASE("while nobody can tell what a payer is, he is told to come again", "[verifier][signature]")
{
    desk d;
    d.chain.contracts.insert(payer());
    d.chain.away = true;
    check_refused(
        d.pay_v1(v1_message(1, stranger())), http::status::service_unavailable, "temporarily_unavailable"
    );
    d.chain.away = false;
    d.chain.throws = true;
    const captured_log quiet;
    CHECK(d.pay_v1(v1_message(2, stranger())).result() == http::status::service_unavailable);
    CHECK(d.facilitator.calls() == 0);
    d.chain.throws = false;
    check_granted(d.pay_v1(v1_message(1, stranger())), v2_payer);
}

TEST_CASE("of payments of one payer that come at once one asks what he is", "[verifier][signature]")
{
    desk d;
    d.chain.delay = milliseconds(20);
    d.chain.contracts.insert(payer());
    std::vector<http::response> answers(40);
    for (unsigned i = 0; i < answers.size(); ++i)
        asio::co_spawn(d.context, ask_later(d, v1_message(i, stranger()), answers[i]), asio::detached);
    d.context.run_for(std::chrono::seconds(5));
    for (const http::response& each : answers)
        check_granted(each, v2_payer);
    CHECK(d.chain.asked == 1);
}

TEST_CASE("the signature of a known contract is the facilitator's to judge", "[verifier][signature]")
{
    desk d;
    d.chain.contracts.insert(payer());
    d.facilitator.verify_answer = x402::verify_invalid("invalid_exact_evm_payload_signature");
    const auto refused = d.pay_v1(v1_message(1, stranger()));
    CHECK(refused.result() == http::status::payment_required);
    CHECK(d.facilitator.verifies == 1);
    CHECK(d.facilitator.settles == 0);
    d.facilitator.verify_answer = x402::verify_valid();
    check_granted(d.pay_v1(v1_message(1, stranger())), v2_payer);
    CHECK(d.facilitator.settles == 1);
}

TEST_CASE(
    "a signature longer than an account's is the facilitator's to judge where the payer is a contract",
    "[verifier][signature]"
)
{
    desk d;
    CHECK(d.pay_v1(signed_as(1, "0x" + std::string(132, 'a'))).result() == http::status::payment_required);
    CHECK(d.facilitator.calls() == 0);
    desk known;
    known.chain.contracts.insert(payer());
    for (const std::size_t bytes : {66u, 96u, 130u, 1000u})
    {
        INFO(bytes);
        const json::object message =
            signed_as(static_cast<unsigned>(bytes), "0x" + std::string(2 * bytes, 'a'));
        known.facilitator.verify_answer = x402::verify_invalid("invalid_exact_evm_payload_signature");
        const int before = known.facilitator.verifies;
        CHECK(known.pay_v1(message).result() == http::status::payment_required);
        CHECK(known.facilitator.verifies == before + 1);
        known.facilitator.verify_answer = x402::verify_valid();
        check_granted(known.pay_v1(message), v2_payer);
    }
    CHECK(known.chain.asked == 1);
}

TEST_CASE("who copies a payment without its signature gets nothing of it", "[verifier][signature]")
{
    desk d;
    const json::object good = v1_message(1);
    check_granted(d.pay_v1(good, false), v2_payer);
    CHECK(d.pay_v1(v1_message(1, stranger())).result() == http::status::payment_required);
    CHECK(d.pay_v1(signed_as(1, signature_of(good) + "00")).result() == http::status::payment_required);
    check_granted(d.pay_v1(good), v2_payer);
    check_refused(d.pay_v1(good), http::status::conflict, "payment_already_used");
    // Nor does it learn the receipt.
    CHECK_FALSE(d.pay_v1(v1_message(1, stranger())).count("X-PAYMENT-RESPONSE"));
    CHECK(d.facilitator.settles == 1);
}
