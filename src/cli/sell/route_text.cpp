#include "cli/sell/route_text.hpp"

#include "cli/output/text.hpp"

namespace portitor::cli::sell {

namespace json = boost::json;

namespace {

constexpr const char* form = "write path=/report,gate=paid,price=0.5 or path=/docs,gate=free";

/// Where a key stands in the entry: "price" in an object of its own.
const char* price_field(std::string_view key)
{
    if (key == "price" || key == "per-request")
        return "perRequest";
    if (key == "per-mtok")
        return "perMTok";
    return key == "per-hour" ? "perHour" : nullptr;
}

result<void> take(json::object& route, std::string_view key, std::string_view value)
{
    if (value.empty())
        return fail(errc::invalid, "{} has no value: {}", printable(key, 64), form);
    if (const char* price = price_field(key))
    {
        json::value& prices = route["price"];
        if (prices.is_null())
            prices = json::object();
        if (!prices.as_object().emplace(price, value).second)
            return fail(errc::invalid, "{} comes twice", key);
        return {};
    }
    if (key == "methods" || key == "summary" || key == "freeQuota")
        return fail(
            errc::invalid,
            "{}: an offer's routes have no such field: the gate is the same for every method; leave it out",
            key
        );
    if (key != "path" && key != "gate")
        return fail(
            errc::invalid,
            "there is no \"{}\": the keys are path, gate, price, per-mtok and per-hour",
            printable(key, 64)
        );
    if (key == "gate" && value != "paid" && value != "free")
        return fail(errc::invalid, "gate=\"{}\" is neither paid nor free", printable(value, 64));
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
