#include "ledger/takeover.hpp"

#include "x402/json_text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <utility>

namespace portitor::ledger {

namespace json = boost::json;

using namespace x402;

namespace {

constexpr std::string_view usual_scheme = "exact";

void read_terms(const json::object& from, payment_requirement& wanted)
{
    wanted.network = json::value_to<std::string>(from.at("network"));
    wanted.v1_network = json::value_to<std::string>(from.at("v1Network"));
    wanted.max_timeout_seconds = from.at("maxTimeoutSeconds").to_number<std::uint32_t>();
    if (const json::value* resource = from.if_contains("resource"))
        wanted.resource_url = json::value_to<std::string>(*resource);
    wanted.description = json::value_to<std::string>(from.at("description"));
    wanted.mime_type = json::value_to<std::string>(from.at("mimeType"));
    wanted.asset_name = json::value_to<std::string>(from.at("assetName"));
    wanted.asset_version = json::value_to<std::string>(from.at("assetVersion"));
    wanted.method = from.at("permit2").as_bool() ? transfer_method::permit2 : transfer_method::eip3009;
}

evm::address address_of(const json::value& from)
{
    return evm::address::parse(json::value_to<std::string>(from)).value();
}

u256 number_of(const json::value& from)
{
    return parse_u256(json::value_to<std::string>(from)).value();
}

bool same_text(std::string_view a, std::string_view b)
{
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) {
        return lower(x) == lower(y);
    });
}

void append_decimal(std::string& out, std::string_view begin, const u256& value)
{
    append_member(out, begin, to_string(value));
}

// What neither the record nor what it was taken for says.
void append_payment(std::string& out, const payment& offered, const payment_record& record)
{
    static const payment_requirement none;
    const payment_requirement& wanted = record.terms ? record.terms->wanted : none;
    out += ",\"payment\":{\"version\":";
    append_number(out, static_cast<std::uint64_t>(std::max(offered.version, 0)));
    if (offered.scheme != usual_scheme)
        append_member(out, ",\"scheme\":", offered.scheme);
    if (offered.network != wanted.network)
        append_member(out, ",\"network\":", offered.network);
    if (offered.kind != payment_kind::eip3009)
    {
        out += ",\"kind\":";
        append_number(out, static_cast<std::uint64_t>(offered.kind));
    }
    if (const std::string to = offered.pay_to.to_string(); !same_text(to, wanted.pay_to))
        append_member(out, ",\"payTo\":", to);
    if (offered.value != wanted.amount)
        append_decimal(out, ",\"value\":", offered.value);
    if (offered.asset)
        append_member(out, ",\"asset\":", offered.asset->to_string());
    if (offered.spender != evm::address())
        append_member(out, ",\"spender\":", offered.spender.to_string());
    if (offered.valid_after != 0)
        append_decimal(out, ",\"validAfter\":", offered.valid_after);
    if (offered.valid_before != record.valid_before)
        append_decimal(out, ",\"validBefore\":", offered.valid_before);
    out += '}';
}

// As append_payment() writes it; an older one has all members.
std::shared_ptr<const payment>
read_payment(const json::object& from, const payment_requirement& wanted, const payment_record& record)
{
    auto out = std::make_shared<payment>();
    const auto number = [&from](std::string_view name, u256 otherwise) {
        const json::value* given = from.if_contains(name);
        return given != nullptr ? number_of(*given) : otherwise;
    };
    out->version = from.at("version").to_number<int>();
    const json::value* scheme = from.if_contains("scheme");
    out->scheme = scheme != nullptr ? json::value_to<std::string>(*scheme) : std::string(usual_scheme);
    const json::value* network = from.if_contains("network");
    out->network = network != nullptr ? json::value_to<std::string>(*network) : wanted.network;
    const json::value* kind = from.if_contains("kind");
    const int what = kind != nullptr ? kind->to_number<int>() : 0;
    out->kind = what == 0 ? payment_kind::eip3009 : what == 1 ? payment_kind::permit2 : payment_kind::other;
    out->payer = evm::address::parse(record.key.payer()).value();
    const json::value* to = from.if_contains("payTo");
    out->pay_to = to != nullptr ? address_of(*to) : evm::address::parse(wanted.pay_to).value();
    out->value = number("value", wanted.amount);
    if (const json::value* asset = from.if_contains("asset"))
        out->asset = address_of(*asset);
    if (const json::value* spender = from.if_contains("spender"))
        out->spender = address_of(*spender);
    out->valid_after = number("validAfter", 0);
    out->valid_before = number("validBefore", record.valid_before);
    out->nonce = record.key.nonce();
    return out;
}

// The exact scheme's: by a signature for what was wanted.
json::object usual_payment(const payment_requirement& wanted)
{
    const auto kind =
        wanted.method == transfer_method::permit2 ? payment_kind::permit2 : payment_kind::eip3009;
    return {{"version", 2}, {"kind", static_cast<int>(kind)}};
}

void append_flag(std::string& out, std::string_view name, bool value)
{
    out += name;
    out += value ? "true" : "false";
}

void append_list(std::string& out, std::string_view name, const std::vector<std::string>& values)
{
    out += name;
    const char* separator = "[";
    for (const std::string& each : values)
        append_member(out, std::exchange(separator, ","), each);
    out += values.empty() ? "[]" : "]";
}

void append_history(std::string& out, const settle_history& history)
{
    append_flag(out, ",\"history\":{\"doubt\":", history.doubt);
    append_flag(out, ",\"failed\":", history.failed);
    append_flag(out, ",\"doubtBeforeFailure\":", history.doubt_before_failure);
    append_flag(out, ",\"unnamed\":", history.unnamed);
    append_list(out, ",\"open\":", history.open);
    append_list(out, ",\"told\":", history.told);
    out += '}';
}

bool is_new(const settle_history& history)
{
    return !history.doubt && !history.failed && !history.doubt_before_failure && !history.unnamed &&
           history.open.empty() && history.told.empty();
}

settle_history read_history(const json::object& from)
{
    settle_history out;
    out.doubt = from.at("doubt").as_bool();
    out.failed = from.at("failed").as_bool();
    out.doubt_before_failure = from.at("doubtBeforeFailure").as_bool();
    out.unnamed = from.at("unnamed").as_bool();
    out.open = json::value_to<std::vector<std::string>>(from.at("open"));
    out.told = json::value_to<std::vector<std::string>>(from.at("told"));
    return out;
}

}  // namespace

void append_wanted(std::string& out, const payment_requirement& wanted)
{
    append_member(out, "{\"network\":", wanted.network);
    append_member(out, ",\"v1Network\":", wanted.v1_network);
    out += ",\"maxTimeoutSeconds\":";
    append_number(out, wanted.max_timeout_seconds);
    append_member(out, ",\"description\":", wanted.description);
    append_member(out, ",\"mimeType\":", wanted.mime_type);
    append_member(out, ",\"assetName\":", wanted.asset_name);
    append_member(out, ",\"assetVersion\":", wanted.asset_version);
    append_flag(out, ",\"permit2\":", wanted.method == transfer_method::permit2);
    out += '}';
}

void append_takeover(std::string& out, const payment_record& record)
{
    append_member(out, "{\"resource\":", record.terms ? record.terms->wanted.resource_url : std::string());
    if (record.offered)
        append_payment(out, *record.offered, record);
    if (!is_new(record.history))
        append_history(out, record.history);
    out += '}';
}

result<void> read_takeover(
    std::string_view wanted, std::string_view takeover, payment_terms& terms, payment_record& record
)
try
{
    if (!wanted.empty())
        read_terms(json::parse({wanted.data(), wanted.size()}).as_object(), terms.wanted);
    if (takeover.empty())
    {
        record.offered = read_payment(usual_payment(terms.wanted), terms.wanted, record);
        return {};
    }
    const json::value parsed = json::parse({takeover.data(), takeover.size()});
    const json::object& from = parsed.as_object();
    // Version 1 of the file had all of them in each row.
    if (const json::value* kept = from.if_contains("terms"))
        read_terms(kept->as_object(), terms.wanted);
    if (const json::value* resource = from.if_contains("resource"))
        terms.wanted.resource_url = json::value_to<std::string>(*resource);
    if (const json::value* kept = from.if_contains("payment"))
        record.offered = read_payment(kept->as_object(), terms.wanted, record);
    if (const json::value* history = from.if_contains("history"))
        record.history = read_history(history->as_object());
    return {};
}
catch (const std::exception& wrong)
{
    return fail(errc::invalid, "what is kept for a takeover cannot be read: {}", wrong.what());
}

}  // namespace portitor::ledger
