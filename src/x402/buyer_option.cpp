#include "x402/buyer_option.hpp"

#include "x402/json.hpp"

#include <portitor/evm/address.hpp>

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
        if (*amount == 0)
            return wrong(name, "more than 0: what costs nothing needs no payment");
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
        // Nobody gets out again what a token's contract was paid.
        if (out_.wanted.asset == out_.wanted.pay_to)
            return wrong("payTo", "another address than the token's own");
        return {};
    }

    result<void> read_time()
    {
        const auto seconds = integer_member(entry_, "maxTimeoutSeconds");
        if (!seconds || *seconds < 1 || *seconds > longest_timeout.count())
            return wrong(
                "maxTimeoutSeconds",
                fmt::format("a whole number from 1 to {} (ten years)", longest_timeout.count())
            );
        out_.wanted.max_timeout_seconds = static_cast<std::uint32_t>(*seconds);
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
        return permit2 ? result<void>() : check_domain();
    }

    /// No signature for a domain that is not the token's own is worth anything.
    result<void> check_domain() const
    {
        const network* on = known_.find(out_.wanted.network);
        const token* paid_in = on ? on->find_token(out_.wanted.asset) : nullptr;
        if (!paid_in ||
            (paid_in->name == out_.wanted.asset_name && paid_in->version == out_.wanted.asset_version))
            return {};
        return fail(
            errc::protocol,
            "extra calls the token {}, version {}; {} on {} is \"{}\", version \"{}\"",
            in_quotes(out_.wanted.asset_name),
            in_quotes(out_.wanted.asset_version),
            paid_in->symbol,
            on->caip2,
            paid_in->name,
            paid_in->version
        );
    }

    const json::object& entry_;
    const int version_;
    const network_table& known_;
    payment_option out_;
};

}  // namespace

std::string_view text_of(const json::object& from, std::string_view name)
{
    const json::string* found = string_member(from, name);
    return found ? view(*found) : std::string_view();
}

error wrong(std::string_view name, std::string_view expected)
{
    return fail(errc::protocol, "{} must be {}", name, expected);
}

result<payment_option> read_option(const json::object& entry, int version, const network_table& known)
{
    return entry_reader(entry, version, known).read();
}

}  // namespace portitor::x402
