#include <portitor/x402/requirement.hpp>

namespace portitor::x402 {

namespace json = boost::json;

payment_requirement make_requirement(const network& on, const token& of)
{
    payment_requirement made;
    made.network = on.caip2;
    made.v1_network = on.v1_name;
    made.asset = of.address;
    made.asset_name = of.name;
    made.asset_version = of.version;
    made.method = of.method;
    return made;
}

json::object extra_of(const payment_requirement& requirement)
{
    json::object extra;
    extra["name"] = requirement.asset_name;
    extra["version"] = requirement.asset_version;
    extra["paymentFlow"] = "upfront";
    if (requirement.method != transfer_method::eip3009)
        extra["assetTransferMethod"] = to_string(requirement.method);
    return extra;
}

json::object to_v2_json(const payment_requirement& requirement)
{
    json::object out;
    out["scheme"] = "exact";
    out["network"] = requirement.network;
    out["amount"] = to_string(requirement.amount);
    out["asset"] = requirement.asset;
    out["payTo"] = requirement.pay_to;
    out["maxTimeoutSeconds"] = requirement.max_timeout_seconds;
    out["extra"] = extra_of(requirement);
    return out;
}

json::object to_v1_json(const payment_requirement& requirement)
{
    json::object out;
    out["scheme"] = "exact";
    out["network"] = requirement.v1_network;
    out["maxAmountRequired"] = to_string(requirement.amount);
    out["resource"] = requirement.resource_url;
    // Strings even where empty: v1 clients validate the types.
    out["description"] = requirement.description;
    out["mimeType"] = requirement.mime_type;
    out["payTo"] = requirement.pay_to;
    out["maxTimeoutSeconds"] = requirement.max_timeout_seconds;
    out["asset"] = requirement.asset;
    out["extra"] = extra_of(requirement);
    return out;
}

}  // namespace portitor::x402
