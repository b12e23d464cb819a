#include "fuzz.hpp"

#include <portitor/x402/base64.hpp>
#include <portitor/x402/match.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/signature.hpp>

using namespace portitor;

// The first byte chooses the header; the rest is the JSON inside it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const x402::network_table networks = x402::network_table::built_in();
    if (size == 0)
        return 0;
    const auto header =
        data[0] % 2 == 0 ? x402::payment_header::payment_signature : x402::payment_header::x_payment;
    const std::string text = x402::encode_base64(fuzz::text_of(data + 1, size - 1));
    const auto offered = x402::decode_payment(header, text, networks);
    if (!offered)
        return 0;
    const x402::network* on = networks.find("base-sepolia");
    x402::payment_requirement wanted = x402::make_requirement(*on, *on->default_token());
    wanted.amount = 10000;
    wanted.pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
    wanted.max_timeout_seconds = 60;
    const auto matched = x402::match(*offered, std::span(&wanted, 1));
    if (!std::holds_alternative<const x402::payment_requirement*>(matched))
        return 0;
    fuzz::require(offered->value == wanted.amount);
    if (x402::check_signature(*offered, wanted) == x402::signature_verdict::not_an_account)
        x402::may_be_contract_signature(*offered, wanted);
    return 0;
}
