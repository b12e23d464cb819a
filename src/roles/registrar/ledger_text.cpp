// The ledger as an annotation:
// {"day":"2026-11-24","changes":{"shop":[2,"1500000000000000"]},"retirements":{},"minedNonces":7}

#include "roles/registrar/ledger.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <limits>
#include <optional>

namespace portitor::registrar {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_namespace = 63;
constexpr std::string_view midnight = "T00:00:00Z";

std::string show_day(std::int64_t day)
{
    const std::string time = to_rfc3339(clock::time_point{std::chrono::days(day)});
    return time.substr(0, time.size() - midnight.size());
}

// Only what show_day() writes: the clock does not reach every date.
std::optional<std::int64_t> read_day(const json::value* text)
{
    if (!text || !text->is_string())
        return std::nullopt;
    const std::string date(text->get_string());
    const auto time = parse_rfc3339(date + std::string(midnight));
    if (!time)
        return std::nullopt;
    const std::int64_t day = std::chrono::floor<std::chrono::days>(*time).time_since_epoch().count();
    return day >= 0 && show_day(day) == date ? std::optional(day) : std::nullopt;
}

std::optional<std::uint64_t> read_count(const json::value* number)
{
    boost::system::error_code ec;
    if (!number || !number->is_number() || number->is_double())
        return std::nullopt;
    const auto count = number->to_number<std::uint64_t>(ec);
    return ec ? std::nullopt : std::optional(count);
}

error wrong(std::string_view what)
{
    return fail(errc::invalid, "what the account has spent cannot be read: {}", what);
}

}  // namespace

std::string ledger::to_text() const
{
    const auto to_json = [](const purse& of) {
        json::object out;
        for (const auto& [ns, each] : of)
            out[ns] = json::array{each.transactions, to_string(each.wei)};
        return out;
    };
    json::object out;
    out["day"] = show_day(day_);
    out["changes"] = to_json(changes_);
    out["retirements"] = to_json(retirements_);
    out["minedNonces"] = mined_nonces_;
    return json::serialize(out);
}

result<ledger> ledger::parse(std::string_view text)
{
    if (text.size() > longest_text)
        return wrong(fmt::format("{} bytes, where at most {} were written", text.size(), longest_text));
    boost::system::error_code ec;
    const json::value whole = json::parse(json::string_view(text.data(), text.size()), ec);
    if (ec || !whole.is_object())
        return wrong("it is no JSON object");
    const json::object& fields = whole.get_object();
    const auto day = read_day(fields.if_contains("day"));
    if (!day)
        return wrong("\"day\" is no date");
    const auto mined = read_count(fields.if_contains("minedNonces"));
    if (!mined)
        return wrong("\"minedNonces\" is no number of transactions");
    auto changes = parse_purse(fields.if_contains("changes"));
    if (!changes)
        return wrong("\"changes\" is no list of what namespaces have used");
    auto retirements = parse_purse(fields.if_contains("retirements"));
    if (!retirements)
        return wrong("\"retirements\" is no list of what namespaces have used");
    ledger out;
    out.day_ = *day;
    out.changes_ = std::move(*changes);
    out.retirements_ = std::move(*retirements);
    out.mined_nonces_ = *mined;
    return out;
}

result<ledger::purse> ledger::parse_purse(const json::value* text)
{
    const error no_purse(errc::invalid, "");
    purse out;
    if (!text || !text->is_object())
        return no_purse;
    for (const auto& [key, entry] : text->get_object())
    {
        if (key.empty() || key.size() > longest_namespace || !entry.is_array() ||
            entry.get_array().size() != 2)
            return no_purse;
        const json::array& pair = entry.get_array();
        const auto count = read_count(&pair[0]);
        if (!count || *count > std::numeric_limits<std::uint32_t>::max() || !pair[1].is_string())
            return no_purse;
        const json::string& digits = pair[1].get_string();
        auto wei = parse_u256(std::string_view(digits.data(), digits.size()));
        if (!wei || (*wei >> 128) != 0)
            return no_purse;
        out[std::string(key)] = used{static_cast<std::uint32_t>(*count), std::move(*wei)};
    }
    return out;
}

}  // namespace portitor::registrar
