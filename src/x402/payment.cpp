#include "x402/json.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/x402/base64.hpp>
#include <portitor/x402/payment.hpp>

#include <array>

namespace portitor::x402 {

namespace json = boost::json;

namespace {

// Reads members one after the other and keeps the first failure, so that the decoders below read as lists of
// fields.
class reader
{
public:
    std::string_view text(const json::object& from, std::string_view name)
    {
        const json::string* found = string_member(from, name);
        if (found == nullptr)
        {
            refuse(name, "must be a string");
            return {};
        }
        return view(*found);
    }

    const json::object& object(const json::object& from, std::string_view name)
    {
        static const json::object none;
        const json::object* found = object_member(from, name);
        if (found == nullptr)
        {
            refuse(name, "must be an object");
            return none;
        }
        return *found;
    }

    evm::address address(const json::object& from, std::string_view name)
    {
        const auto parsed = evm::address::parse(text(from, name));
        if (!parsed)
            refuse(name, "must be an address: \"0x\" and 40 hexadecimal digits");
        return parsed ? *parsed : evm::address();
    }

    u256 number(const json::object& from, std::string_view name)
    {
        const auto parsed = parse_u256(text(from, name));
        if (!parsed)
            refuse(name, "must be a string of decimal digits of at most 256 bits");
        return parsed ? *parsed : u256();
    }

    std::string bytes32(const json::object& from, std::string_view name)
    {
        std::array<std::uint8_t, 32> bytes{};
        if (!evm::parse_hex(text(from, name), bytes))
            refuse(name, "must be \"0x\" and 64 hexadecimal digits");
        return evm::to_hex(bytes);
    }

    std::vector<std::uint8_t> bytes(const json::object& from, std::string_view name)
    {
        auto parsed = evm::parse_hex(text(from, name));
        if (!parsed || parsed->empty())
            refuse(name, "must be \"0x\" and hexadecimal digits");
        return parsed ? *std::move(parsed) : std::vector<std::uint8_t>();
    }

    void refuse(std::string_view name, std::string_view expected)
    {
        if (!failure_)
            failure_ = fail(errc::invalid, "the payment header is refused: {} {}", name, expected);
    }

    const std::optional<error>& failure() const { return failure_; }

private:
    std::optional<error> failure_;
};

void read_eip3009(reader& read, const json::object& payload, payment& into)
{
    const json::object& authorization = read.object(payload, "authorization");
    into.kind = payment_kind::eip3009;
    into.payer = read.address(authorization, "from");
    into.pay_to = read.address(authorization, "to");
    into.value = read.number(authorization, "value");
    into.valid_after = read.number(authorization, "validAfter");
    into.valid_before = read.number(authorization, "validBefore");
    into.nonce = read.bytes32(authorization, "nonce");
}

void read_permit2(reader& read, const json::object& payload, payment& into)
{
    const json::object& authorization = read.object(payload, "permit2Authorization");
    const json::object& permitted = read.object(authorization, "permitted");
    const json::object& witness = read.object(authorization, "witness");
    into.kind = payment_kind::permit2;
    into.payer = read.address(authorization, "from");
    into.asset = read.address(permitted, "token");
    into.value = read.number(permitted, "amount");
    into.spender = read.address(authorization, "spender");
    // Through the number, so that leading zeros do not make another key of it.
    into.nonce = to_string(read.number(authorization, "nonce"));
    into.valid_before = read.number(authorization, "deadline");
    into.pay_to = read.address(witness, "to");
    into.valid_after = read.number(witness, "validAfter");
}

void read_payload(reader& read, const json::object& payload, payment& into)
{
    const bool eip3009 = payload.contains("authorization");
    const bool permit2 = payload.contains("permit2Authorization");
    if (eip3009 && permit2)
        return read.refuse("payload", "must hold one authorization, not two");
    if (!eip3009 && !permit2)
        return;
    into.signature = read.bytes(payload, "signature");
    if (eip3009)
        read_eip3009(read, payload, into);
    else
        read_permit2(read, payload, into);
}

}  // namespace

const evm::address& permit2_address()
{
    static const evm::address out = evm::address::parse(permit2_contract).value();
    return out;
}

std::string_view receipt_header(int version) noexcept
{
    return version == 1 ? "X-PAYMENT-RESPONSE" : "PAYMENT-RESPONSE";
}

result<payment> decode_payment(payment_header header, std::string_view value, const network_table& networks)
{
    if (value.size() > max_payment_header)
        return fail(
            errc::invalid, "the payment header is refused: it is longer than {} bytes", max_payment_header
        );
    auto text = decode_base64(value);
    if (!text)
        return text.error().within("the payment header is refused");
    auto parsed = parse_object(*text);
    if (!parsed)
        return parsed.error().within("the payment header is refused");

    payment out;
    out.version = header == payment_header::x_payment ? 1 : 2;
    const json::object& top = *parsed;
    if (integer_member(top, "x402Version") != out.version)
        return fail(
            errc::invalid,
            "the payment header is refused: x402Version must be {} in {}",
            out.version,
            out.version == 1 ? x_payment_header : payment_signature_header
        );

    reader read;
    if (out.version == 1)
    {
        out.scheme = read.text(top, "scheme");
        const std::string_view name = read.text(top, "network");
        // Aliases are for people; on the wire a network has one name per version.
        const network* known = networks.find(name);
        out.network = known != nullptr && known->v1_name == name ? known->caip2 : std::string(name);
    }
    else
    {
        const json::object& accepted = read.object(top, "accepted");
        out.scheme = read.text(accepted, "scheme");
        out.network = read.text(accepted, "network");
        // "resource" and "extensions" decide nothing here, and languages without empty maps write lists.
    }
    read_payload(read, read.object(top, "payload"), out);
    if (const auto& failure = read.failure())
        return *failure;
    if (out.version == 2)
        out.accepted = std::move(parsed->at("accepted").as_object());
    out.text = std::move(*text);
    return out;
}

}  // namespace portitor::x402
