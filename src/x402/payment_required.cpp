#include "x402/json_text.hpp"

#include <portitor/x402/base64.hpp>
#include <portitor/x402/payment_required.hpp>

#include <vector>

namespace portitor::x402 {

void write_payment_required(
    payment_required& out,
    std::string& json,
    std::span<const requirement_view> requirements,
    std::string_view error
)
{
    const requirement_view none;
    const requirement_view& first = requirements.empty() ? none : requirements.front();
    json.clear();
    append_member(json, "{\"x402Version\":2,\"error\":", error);
    append_member(json, ",\"resource\":{\"url\":", first.resource_url);
    append_member(json, ",\"description\":", first.description);
    append_member(json, ",\"mimeType\":", first.mime_type);
    json += "},\"accepts\":[";
    for (const requirement_view& each : requirements)
    {
        if (json.back() == '}')
            json += ',';
        append_v2_json(json, each);
    }
    json += "]}";
    out.header_value.clear();
    append_base64(out.header_value, json);

    out.body.clear();
    append_member(out.body, "{\"x402Version\":1,\"error\":", error);
    out.body += ",\"accepts\":[";
    for (const requirement_view& each : requirements)
    {
        if (!each.offered_in_v1())
            continue;
        if (out.body.back() == '}')
            out.body += ',';
        append_v1_json(out.body, each);
    }
    out.body += "]}";
}

payment_required
make_payment_required(std::span<const payment_requirement> requirements, std::string_view error)
{
    std::vector<std::string> amounts;
    for (const payment_requirement& each : requirements)
        amounts.push_back(to_string(each.amount));
    std::vector<requirement_view> views;
    for (std::size_t i = 0; i < requirements.size(); ++i)
        views.push_back(view_of(requirements[i], amounts[i]));
    payment_required out;
    std::string json;
    write_payment_required(out, json, views, error);
    return out;
}

}  // namespace portitor::x402
