#include <portitor/x402/base64.hpp>
#include <portitor/x402/payment_required.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace portitor::x402 {

namespace json = boost::json;

payment_required
make_payment_required(std::span<const payment_requirement> requirements, std::string_view error)
{
    const json::string_view why(error.data(), error.size());
    json::array v2_accepts;
    json::array v1_accepts;
    for (const payment_requirement& each : requirements)
    {
        v2_accepts.emplace_back(to_v2_json(each));
        if (each.offered_in_v1())
            v1_accepts.emplace_back(to_v1_json(each));
    }

    json::object resource;
    if (!requirements.empty())
    {
        resource["url"] = requirements.front().resource_url;
        resource["description"] = requirements.front().description;
        resource["mimeType"] = requirements.front().mime_type;
    }
    json::object v2;
    v2["x402Version"] = 2;
    v2["error"] = why;
    v2["resource"] = std::move(resource);
    v2["accepts"] = std::move(v2_accepts);

    json::object v1;
    v1["x402Version"] = 1;
    v1["error"] = why;
    v1["accepts"] = std::move(v1_accepts);

    payment_required out;
    out.header_value = encode_base64(json::serialize(v2));
    out.body = json::serialize(v1);
    return out;
}

}  // namespace portitor::x402
