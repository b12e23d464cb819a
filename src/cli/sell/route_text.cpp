#include "cli/sell/route_text.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/predecessor.hpp"

#include <portitor/api/service_offer.hpp>

namespace portitor::cli::sell {

namespace json = boost::json;

namespace {

constexpr const char* form = "write path=/report,gate=paid,price=0.5 or path=/docs,gate=free";

/// Where the amount of a key stands in "price"; nullptr where it is no price.
const char* price_field(std::string_view key)
{
    for (const api::price_model model : api::all_price_models)
    {
        if (key == api::to_string(model))
            return api::field_of(model);
    }
    return key == "price" ? api::field_of(api::price_model::per_request) : nullptr;
}

result<void> check_key(std::string_view key, std::string_view value)
{
    if (const char* why = why_no_route_key(key))
        return fail(errc::invalid, "{}: {}", key, why);
    if (key != "path" && key != "gate")
        return fail(
            errc::invalid,
            "there is no \"{}\": the keys are path, gate, price, per-mtok and per-hour",
            printable(key, 64)
        );
    if (key == "gate" && value == "auth")
        return fail(
            errc::invalid, "gate=auth: nobody signs in without paying here; write gate=paid or gate=free"
        );
    if (key == "gate" && value != "paid" && value != "free")
        return fail(errc::invalid, "gate=\"{}\" is neither paid nor free", printable(value, 64));
    return {};
}

result<void> take(json::object& route, std::string_view key, std::string_view value)
{
    if (value.empty())
        return fail(errc::invalid, "{} has no value: {}", printable(key, 64), form);
    if (const char* price = price_field(key))
    {
        if (!route.emplace("price", json::object{{price, value}}).second)
            return fail(
                errc::invalid, "{} is one price too many: give one of price, per-mtok and per-hour", key
            );
        return {};
    }
    auto known = check_key(key, value);
    if (!known)
        return known;
    if (!route.emplace(key, value).second)
        return fail(errc::invalid, "{} comes twice", key);
    return {};
}

}  // namespace

result<json::object> read_route(std::string_view text)
{
    json::object out;
    while (!text.empty())
    {
        const std::size_t end = text.find(',');
        const std::string_view part = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        const std::size_t sign = part.find('=');
        if (sign == part.npos)
            return fail(errc::invalid, "\"{}\" is not KEY=VALUE: {}", printable(part, 200), form);
        auto taken = take(out, part.substr(0, sign), part.substr(sign + 1));
        if (!taken)
            return taken.error();
    }
    if (!out.contains("path"))
        return fail(errc::invalid, "path is missing: {}", form);
    return out;
}

}  // namespace portitor::cli::sell
