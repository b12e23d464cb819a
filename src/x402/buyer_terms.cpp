#include "x402/json.hpp"

#include <portitor/x402/base64.hpp>
#include <portitor/x402/buyer.hpp>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <limits>

namespace portitor::x402 {

namespace json = boost::json;

namespace {

// Of a text of the server in a sentence of ours.
std::string in_quotes(std::string_view text)
{
    constexpr std::size_t longest = 60;
    return text.size() <= longest ? fmt::format("\"{}\"", text)
                                  : fmt::format("\"{}…\"", text.substr(0, longest));
}

/// The text of a member; empty where it is not there.
std::string_view text_of(const json::object& from, std::string_view name)
{
    const json::string* found = string_member(from, name);
    return found ? view(*found) : std::string_view();
}

error wrong(std::string_view name, std::string_view expected)
{
    return fail(errc::protocol, "{} must be {}", name, expected);
}

/// Reads one entry of `accepts`.
class entry_reader
{
public:
    entry_reader(const json::object& entry, int version, const network_table& known)
        : entry_(entry), version_(version), known_(known)
    {}

    result<payment_option> read()
    {
        if (text_of(entry_, "scheme") != "exact")
            return fail(
                errc::refused,
                "its scheme is {}; only \"exact\" can be paid",
                in_quotes(text_of(entry_, "scheme"))
            );
        for (const auto step :
             {&entry_reader::read_network,
              &entry_reader::read_amount,
              &entry_reader::read_addresses,
              &entry_reader::read_time,
              &entry_reader::read_extra})
            if (auto done = (this->*step)(); !done)
                return done.error();
        out_.accepted = entry_;
        return std::move(out_);
    }

private:
    result<void> read_network()
    {
        out_.network = text_of(entry_, "network");
        const network* found = known_.find(out_.network);
        if (version_ == 1 && !found)
            return fail(errc::refused, "the network {} is not known here", in_quotes(out_.network));
        out_.wanted.network = found ? found->caip2 : out_.network;
        out_.wanted.v1_network = version_ == 1 ? out_.network : std::string();
        constexpr std::string_view prefix = "eip155:";
        const std::string_view caip2 = out_.wanted.network;
        const auto id = parse_u256(caip2.substr(caip2.starts_with(prefix) ? prefix.size() : caip2.size()));
        if (!id || *id == 0 || *id > std::numeric_limits<std::uint64_t>::max())
            return fail(errc::refused, "the network {} is none of the EVM", in_quotes(out_.network));
        // One name a chain: the text is compared, and is part of what is signed by its number only.
        out_.chain_id = static_cast<std::uint64_t>(*id);
        if (caip2 != fmt::format("{}{}", prefix, out_.chain_id))
            return fail(errc::protocol, "the network {} is not written as CAIP-2 has it", in_quotes(caip2));
        return {};
    }

    result<void> read_amount()
    {
        const std::string_view name = version_ == 1 ? "maxAmountRequired" : "amount";
        const auto amount = parse_u256(text_of(entry_, name));
        if (!amount)
            return wrong(name, "a string of decimal digits of at most 256 bits");
        out_.wanted.amount = *amount;
        return {};
    }

    result<void> read_addresses()
    {
        for (const std::string_view name : {"asset", "payTo"})
        {
            const auto address = evm::address::parse(text_of(entry_, name));
            if (!address || address->is_zero())
                return wrong(name, "an address: \"0x\" and 40 hexadecimal digits, not all zero");
            (name == "asset" ? out_.wanted.asset : out_.wanted.pay_to) = address->to_checksum();
        }
        return {};
    }

    result<void> read_time()
    {
        const auto seconds = integer_member(entry_, "maxTimeoutSeconds");
        if (!seconds || *seconds <= 0)
            return wrong("maxTimeoutSeconds", "a positive whole number");
        constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
        out_.wanted.max_timeout_seconds = static_cast<std::uint32_t>(std::min(*seconds, most));
        return {};
    }

    result<void> read_extra()
    {
        static const json::object none;
        const json::object* found = object_member(entry_, "extra");
        const json::object& extra = found ? *found : none;
        if (const auto flow = text_of(extra, "paymentFlow");
            !lacks(extra, "paymentFlow") && flow != "upfront" && flow != "authorization")
            return fail(errc::refused, "its payment flow {} is not known here", in_quotes(flow));
        const auto method = text_of(extra, "assetTransferMethod");
        const bool permit2 = method == "permit2";
        if (!lacks(extra, "assetTransferMethod") && !permit2 && method != "eip3009")
            return fail(errc::refused, "its way to move the token, {}, is not known here", in_quotes(method));
        if (permit2 && version_ == 1)
            return fail(errc::refused, "x402 v1 has no Permit2");
        out_.wanted.method = permit2 ? transfer_method::permit2 : transfer_method::eip3009;
        out_.wanted.asset_name = text_of(extra, "name");
        out_.wanted.asset_version = text_of(extra, "version");
        if (!permit2 && (out_.wanted.asset_name.empty() || out_.wanted.asset_version.empty()))
            return wrong("extra", "an object with the name and version of the token's EIP-712 domain");
        return {};
    }

    const json::object& entry_;
    const int version_;
    const network_table& known_;
    payment_option out_;
};

result<payment_terms> read_message(const json::object& top, int version, const network_table& known)
{
    if (integer_member(top, "x402Version") != version)
        return wrong("x402Version", std::to_string(version));
    const json::value* accepts = top.if_contains("accepts");
    if (!accepts || !accepts->is_array())
        return wrong("accepts", "a list");
    if (accepts->get_array().size() > max_accepts)
        return fail(errc::protocol, "accepts has more than {} entries", max_accepts);

    payment_terms out;
    out.version = version;
    out.error = text_of(top, "error");
    const json::object* resource = version == 2 ? object_member(top, "resource") : nullptr;
    if (resource)
        out.resource = *resource;
    if (const json::object* extensions = object_member(top, "extensions"); extensions && version == 2)
        out.extensions = *extensions;
    for (std::size_t i = 0; i < accepts->get_array().size(); ++i)
    {
        const json::object* entry = accepts->get_array()[i].if_object();
        auto option = entry ? entry_reader(*entry, version, known).read()
                            : result<payment_option>(fail(errc::protocol, "it is no object"));
        if (!option)
        {
            out.passed_over.push_back(fmt::format("accepts[{}]: {}", i, option.error().message()));
            continue;
        }
        const json::object& described = resource ? *resource : *entry;
        option->wanted.resource_url = text_of(described, resource ? "url" : "resource");
        option->wanted.description = text_of(described, "description");
        option->wanted.mime_type = text_of(described, "mimeType");
        out.options.push_back(std::move(*option));
    }
    return out;
}

result<payment_terms> read_header(std::string_view header, const network_table& known)
{
    auto text = decode_base64(header);
    if (!text)
        return fail(errc::protocol, "{}", text.error().message());
    const auto top = parse_object(*text);
    if (!top)
        return fail(errc::protocol, "{}", top.error().message());
    return read_message(*top, 2, known);
}

result<payment_terms> read_body(std::string_view body, const network_table& known)
{
    const auto top = parse_object(body);
    if (!top)
        return fail(errc::protocol, "{}", top.error().message());
    return read_message(*top, 1, known);
}

}  // namespace

result<payment_terms> read_terms(
    std::optional<std::string_view> header,
    std::string_view body,
    const network_table& known,
    std::optional<int> version
)
{
    if ((header && header->size() > max_terms) || body.size() > max_terms)
        return fail(errc::protocol, "the 402 is longer than {} bytes", max_terms);
    if (header && version != 1)
    {
        auto read = read_header(*header, known);
        return read ? std::move(read) : read.error().within("the header PAYMENT-REQUIRED of the 402");
    }
    if (version == 2)
        return fail(errc::protocol, "the 402 has no header PAYMENT-REQUIRED, so it is none of x402 v2");
    auto read = read_body(body, known);
    if (read)
        return read;
    return read.error().within(
        header ? "the body of the 402, which is to be one of x402 v1"
               : "the 402 has no header PAYMENT-REQUIRED (x402 v2), and its body is none of x402 v1"
    );
}

}  // namespace portitor::x402
