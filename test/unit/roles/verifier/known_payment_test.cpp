#include "verifier_world.hpp"

using namespace portitor;
using namespace portitor::route;
using namespace portitor::verifier;
using namespace portitor::verifier::samples;

namespace {

const std::string other_seller = "\"0x70997970C51812dc3A010C7d01b50e0d17dc79C8\"";

struct change
{
    const char* field;
    std::string value;
};

// What a seller may change while a payment is under way.
const change changes[] = {
    {"/spec/price", "\"20000\""},
    {"/spec/payTo", other_seller},
    {"/spec/asset", "\"" + x402::samples::permit2_requirement().asset + "\""},
    {"/spec/maxTimeoutSeconds", "120"},
    {"/spec/network", "\"eip155:8453\""},
    {"/spec/facilitatorURL", "\"https://other.example/x402\""},
};

kube::object_ptr changed_route(const change& how)
{
    auto out = test::changed(route_object(), how.field, how.value);
    if (how.field == std::string("/spec/network"))
        out = test::changed(out, "/spec/asset", "\"0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913\"");
    return out;
}

json::object v2_message()
{
    json::object message = x402::samples::v2_payment(x402::samples::usdc_requirement());
    message["accepted"] = json::parse(R"({
        "scheme": "exact", "network": "eip155:84532", "amount": "10000",
        "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "maxTimeoutSeconds": 60,
        "extra": {"name": "USDC", "version": "2", "paymentFlow": "upfront"}})");
    x402::samples::sign(message, x402::samples::usdc_requirement());
    return message;
}

header_list payment_of(int version)
{
    if (version == 1)
        return {{"X-PAYMENT", x402::samples::encode(v1_message(1))}};
    return {{"PAYMENT-SIGNATURE", x402::samples::encode(v2_message())}};
}

struct terms_change : desk
{
    terms_change() { urls.insert("https://other.example/x402"); }
};

}  // namespace

TEST_CASE("a payment in doubt is resolved on its own terms, whatever they are by now", "[verifier][known]")
{
    for (const int version : {1, 2})
        for (const change& each : changes)
        {
            INFO(version << " " << each.field);
            terms_change d;
            d.facilitator.settle_answer = x402::settle_unknown(error(errc::timed_out, "no answer"));
            check_refused(
                d.ask(top, payment_of(version)), http::status::service_unavailable, "temporarily_unavailable"
            );
            d.put(changed_route(each));
            check_refused(
                d.ask(top, payment_of(version)), http::status::service_unavailable, "temporarily_unavailable"
            );
            // For something else it never was.
            check_refused(
                d.ask("/services/hello/b", payment_of(version)),
                http::status::conflict,
                "payment_already_used"
            );
            d.facilitator.settle_answer = fake_facilitator::settled();
            check_granted(d.ask(top, payment_of(version), false), v2_payer);
            check_granted(d.ask(top, payment_of(version)), v2_payer);
            check_refused(d.ask(top, payment_of(version)), http::status::conflict, "payment_already_used");
            // It is settled where it was begun, for the price that it was signed for.
            CHECK(d.facilitator.urls.back() == facilitator_url);
            CHECK(d.facilitator.amounts.back() == 10000);
            CHECK(d.facilitator.verifies == 1);
        }
}

TEST_CASE("a payment that bought its answer is spent on whatever terms", "[verifier][known]")
{
    for (const change& each : changes)
    {
        INFO(each.field);
        terms_change d;
        check_granted(d.ask(top, payment_of(2)), v2_payer);
        d.put(changed_route(each));
        const auto answer = d.ask(top, payment_of(2));
        check_refused(answer, http::status::conflict, "payment_already_used");
        CHECK(d.facilitator.settles == 1);
    }
}

TEST_CASE("a payment that is not known is judged by the terms of today", "[verifier][known]")
{
    for (const change& each : changes)
    {
        if (each.field == std::string("/spec/facilitatorURL"))
            continue;
        INFO(each.field);
        terms_change d;
        d.put(changed_route(each));
        CHECK(d.ask(top, payment_of(2)).result() == http::status::payment_required);
        CHECK(d.facilitator.calls() == 0);
        CHECK(d.on_record() == 0);
    }
}

TEST_CASE("a payment in doubt waits for its service to come back", "[verifier][known]")
{
    desk d;
    d.facilitator.settle_answer = x402::settle_unknown(error(errc::timed_out, "no answer"));
    d.ask(top, payment_of(1));
    d.facilitator.settle_answer = fake_facilitator::settled();
    d.put(test::changed(route_object(), "/spec/suspended", "true"));
    check_refused(d.ask(top, payment_of(1)), http::status::service_unavailable, "upstream_unavailable");
    d.put(route_object());
    check_granted(d.ask(top, payment_of(1)), v2_payer);
}

TEST_CASE("who is asked to pay again for the time is told both clocks", "[verifier][known]")
{
    desk d;
    json::object message = v1_message(1);
    const auto error_of = [&] {
        const auto answer = d.pay_v1(message);
        CHECK(answer.result() == http::status::payment_required);
        const std::string told = text(decoded(header(answer, "PAYMENT-REQUIRED")).at("error"));
        CHECK(text(json::parse(answer.body()).at("error")) == told);
        return told;
    };
    d.time.time += std::chrono::minutes(2);
    CHECK(
        error_of() == "invalid_exact_evm_payload_authorization_valid_before: validBefore is 1795511570, the "
                      "clock here is at 1795511630, and 6 seconds must be left to settle"
    );
    x402::samples::at(message, "payload/authorization/validBefore") =
        "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    x402::samples::sign(message, x402::samples::usdc_requirement());
    CHECK_THAT(
        error_of(), Catch::Matchers::Contains("the clock here is at 1795511630, and payments are taken")
    );
    CHECK(d.facilitator.calls() == 0);
    CHECK(d.on_record() == 0);
}
