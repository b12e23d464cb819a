#include "cli/sales/rows.hpp"

#include "cli/output/csv.hpp"

#include <portitor/core/clock.hpp>

#include <boost/json/serialize.hpp>

#include <vector>

namespace portitor::cli::sales {

namespace json = boost::json;

std::string time_text(std::uint64_t seconds)
{
    return to_rfc3339(clock::time_point(std::chrono::seconds(seconds)));
}

void add_token(json::object& into, const known_asset& asset, const u256& amount)
{
    const bool is_known = asset.token != nullptr;
    into["decimal"] = is_known ? json::value(decimal_amount(amount, asset.token->decimals)) : json::value();
    into["symbol"] = is_known ? json::value(asset.token->symbol) : json::value();
    into["decimals"] = is_known ? json::value(asset.token->decimals) : json::value();
}

std::string csv_heading(const json::object& row)
{
    std::vector<std::string> names;
    for (const auto& each : row)
        names.emplace_back(each.key());
    return csv_record(names);
}

std::string csv_row(const json::object& row)
{
    std::vector<std::string> cells;
    for (const auto& each : row)
    {
        const json::value& value = each.value();
        if (value.is_null())
            cells.emplace_back();
        else
            cells.push_back(value.is_string() ? std::string(value.get_string()) : json::serialize(value));
    }
    return csv_record(cells);
}

}  // namespace portitor::cli::sales
