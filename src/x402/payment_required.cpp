#include "x402/json_text.hpp"

#include <portitor/x402/base64.hpp>
#include <portitor/x402/payment_required.hpp>

#include <algorithm>
#include <vector>

namespace portitor::x402 {

namespace {

// What makes 8 kB in base64: clients and proxies refuse longer header fields.
constexpr std::size_t most_json = max_payment_required / 4 * 3;
// "\\u0001" for one byte.
constexpr std::size_t longest_escape = 6;
constexpr std::string_view ellipsis = "\xe2\x80\xa6";

void append_v2_offer(
    std::string& json,
    std::span<const requirement_view> requirements,
    std::string_view description,
    std::string_view error
)
{
    const requirement_view none;
    const requirement_view& first = requirements.empty() ? none : requirements.front();
    append_member(json, "{\"x402Version\":2,\"error\":", error);
    append_member(json, ",\"resource\":{\"url\":", first.resource_url);
    append_member(json, ",\"description\":", description);
    append_member(json, ",\"mimeType\":", first.mime_type);
    json += "},\"accepts\":[";
    for (const requirement_view& each : requirements)
    {
        if (json.back() == '}')
            json += ',';
        append_v2_json(json, each);
    }
    json += "]}";
}

std::size_t length_in_json(std::string_view text)
{
    std::string out;
    append_string(out, text);
    return out.size();
}

// The text with an ellipsis for its end, so much shorter in JSON; whole characters only.
std::string shortened(std::string_view text, std::size_t excess)
{
    const std::size_t whole = length_in_json(text);
    const std::size_t room = whole - std::min(whole, excess + ellipsis.size());
    while (!text.empty() && length_in_json(text) > room)
    {
        // By as much as the longest escape may hold of it, then by characters.
        const std::size_t over = length_in_json(text) - room;
        text.remove_suffix(std::min(text.size(), std::max<std::size_t>(1, over / longest_escape)));
        while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80)
            text.remove_suffix(1);
        // What is left of a character that lost its end.
        if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0)
            text.remove_suffix(1);
    }
    return text.empty() ? std::string() : std::string(text).append(ellipsis);
}

}  // namespace

void write_payment_required(
    payment_required& out,
    std::string& json,
    std::span<const requirement_view> requirements,
    std::string_view error
)
{
    const std::string_view description =
        requirements.empty() ? std::string_view() : requirements.front().description;
    json.clear();
    append_v2_offer(json, requirements, description, error);
    if (json.size() > most_json)
    {
        const std::string shorter = shortened(description, json.size() - most_json);
        json.clear();
        append_v2_offer(json, requirements, shorter, error);
    }
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
