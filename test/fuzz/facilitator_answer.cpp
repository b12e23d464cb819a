#include "fuzz.hpp"
#include "x402/facilitator_messages.hpp"

#include <portitor/x402/settlement_rules.hpp>

using namespace portitor;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const x402::network_table networks = x402::network_table::built_in();
    const x402::network* on = networks.find("base-sepolia");
    const x402::payment_requirement wanted = x402::make_requirement(*on, *on->default_token());
    x402::payment offered;
    offered.version = 2;
    if (size == 0)
        return 0;
    const http::status codes[] = {
        http::status::ok,
        http::status::bad_request,
        http::status::too_many_requests,
        http::status::bad_gateway};
    const auto answer = http::make_response(
        codes[data[0] % 4], std::string(fuzz::text_of(data + 1, size - 1)), "application/json"
    );
    x402::read_verify_answer(answer, offered);
    const auto settled = x402::read_settle_answer(answer, offered, wanted);
    if (const auto* done = std::get_if<x402::settle_settled>(&settled))
        fuzz::require(!done->transaction.empty());
    if (const auto* refused = std::get_if<x402::settle_refused>(&settled))
        fuzz::require(!refused->reason.empty() && refused->reason.size() <= 100);
    // Who has a fault refuses nothing.
    if (answer.result_int() >= 500)
        fuzz::require(x402::word_of(settled) != x402::settle_word::refused);
    if (const auto* unknown = std::get_if<x402::settle_unknown>(&settled))
        fuzz::require(
            unknown->transaction.size() <= 128 && (!unknown->failed || !unknown->transaction.empty())
        );
    return 0;
}
