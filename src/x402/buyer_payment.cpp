#include <portitor/evm/hex.hpp>
#include <portitor/x402/base64.hpp>
#include <portitor/x402/buyer.hpp>
#include <portitor/x402/signature.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <stdexcept>

namespace portitor::x402 {

namespace json = boost::json;

namespace {

/// What is to be signed.
payment
draft(const payment_option& option, const evm::address& payer, std::uint64_t end, const evm::word& nonce)
{
    payment out;
    out.scheme = "exact";
    out.network = option.wanted.network;
    out.payer = payer;
    out.pay_to = evm::address::parse(option.wanted.pay_to).value();
    out.value = option.wanted.amount;
    out.valid_after = 0;
    out.valid_before = end;
    if (option.wanted.method == transfer_method::permit2)
    {
        out.kind = payment_kind::permit2;
        out.asset = evm::address::parse(option.wanted.asset).value();
        out.spender = evm::address::parse(exact_permit2_proxy).value();
        out.nonce = to_string(u256(evm::to_hex(nonce)));
    }
    else
    {
        out.kind = payment_kind::eip3009;
        out.nonce = evm::to_hex(nonce);
    }
    return out;
}

json::object eip3009_authorization(const payment& made)
{
    return {
        {"from", made.payer.to_checksum()},
        {"to", made.pay_to.to_checksum()},
        {"value", to_string(made.value)},
        {"validAfter", to_string(made.valid_after)},
        {"validBefore", to_string(made.valid_before)},
        {"nonce", made.nonce}};
}

json::object permit2_authorization(const payment& made)
{
    const json::object permitted{{"token", made.asset->to_checksum()}, {"amount", to_string(made.value)}};
    const json::object witness{
        {"to", made.pay_to.to_checksum()}, {"validAfter", to_string(made.valid_after)}};
    return {
        {"from", made.payer.to_checksum()},
        {"permitted", permitted},
        {"spender", made.spender.to_checksum()},
        {"nonce", made.nonce},
        {"deadline", to_string(made.valid_before)},
        {"witness", witness}};
}

json::object payload_of(const payment& made, const evm::signature_bytes& signature)
{
    json::object out{{"signature", evm::to_hex(signature)}};
    if (made.kind == payment_kind::permit2)
        out["permit2Authorization"] = permit2_authorization(made);
    else
        out["authorization"] = eip3009_authorization(made);
    return out;
}

json::object message_of(const offered_terms& terms, const payment_option& option, json::object payload)
{
    json::object out{{"x402Version", terms.version}};
    if (terms.version == 1)
    {
        out["scheme"] = "exact";
        out["network"] = option.network;
    }
    else
    {
        if (terms.resource)
            out["resource"] = *terms.resource;
        out["accepted"] = option.accepted;
        if (terms.extensions)
            out["extensions"] = *terms.extensions;
    }
    out["payload"] = std::move(payload);
    return out;
}

}  // namespace

std::string_view name_of(payment_header header) noexcept
{
    return header == payment_header::x_payment ? x_payment_header : payment_signature_header;
}

result<signed_payment> make_payment(
    const offered_terms& terms,
    const payment_option& option,
    const evm::private_key& key,
    clock::time_point now,
    const evm::word& nonce
)
{
    const std::chrono::seconds validity =
        std::min(std::chrono::seconds(option.wanted.max_timeout_seconds), longest_validity);
    const auto end = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()) + validity;

    signed_payment out;
    out.payer = key.address();
    out.valid_before = static_cast<std::uint64_t>(end.count());
    out.header = terms.version == 1 ? payment_header::x_payment : payment_header::payment_signature;
    const payment made = draft(option, out.payer, out.valid_before, nonce);
    const auto digest = signed_digest(made, option.wanted);
    if (!digest)
        throw std::logic_error("a payment option that cannot be signed");
    out.value =
        encode_base64(json::serialize(message_of(terms, option, payload_of(made, key.sign(*digest)))));
    if (out.value.size() > max_payment_header)
        return fail(
            errc::invalid,
            "the payment would be longer than {} bytes, because the server's terms are that long",
            max_payment_header
        );
    return out;
}

}  // namespace portitor::x402
