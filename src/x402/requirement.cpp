#include "x402/json_text.hpp"

#include <portitor/x402/requirement.hpp>

namespace portitor::x402 {

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

requirement_view view_of(const payment_requirement& from, std::string_view amount)
{
    requirement_view to;
    to.network = from.network;
    to.v1_network = from.v1_network;
    to.amount = amount;
    to.asset = from.asset;
    to.pay_to = from.pay_to;
    to.max_timeout_seconds = from.max_timeout_seconds;
    to.resource_url = from.resource_url;
    to.description = from.description;
    to.mime_type = from.mime_type;
    to.asset_name = from.asset_name;
    to.asset_version = from.asset_version;
    to.method = from.method;
    return to;
}

namespace {

void append_end(std::string& out, const requirement_view& requirement)
{
    append_member(out, ",\"asset\":", requirement.asset);
    append_member(out, ",\"payTo\":", requirement.pay_to);
    out += ",\"maxTimeoutSeconds\":";
    append_number(out, requirement.max_timeout_seconds);
    append_member(out, ",\"extra\":{\"name\":", requirement.asset_name);
    append_member(out, ",\"version\":", requirement.asset_version);
    out += ",\"paymentFlow\":\"upfront\"";
    if (requirement.method != transfer_method::eip3009)
        append_member(out, ",\"assetTransferMethod\":", to_string(requirement.method));
    out += "}}";
}

}  // namespace

void append_v2_json(std::string& out, const requirement_view& requirement)
{
    append_member(out, "{\"scheme\":\"exact\",\"network\":", requirement.network);
    append_member(out, ",\"amount\":", requirement.amount);
    append_end(out, requirement);
}

void append_v1_json(std::string& out, const requirement_view& requirement)
{
    append_member(out, "{\"scheme\":\"exact\",\"network\":", requirement.v1_network);
    append_member(out, ",\"maxAmountRequired\":", requirement.amount);
    append_member(out, ",\"resource\":", requirement.resource_url);
    // Strings even where empty: v1 clients validate the types.
    append_member(out, ",\"description\":", requirement.description);
    append_member(out, ",\"mimeType\":", requirement.mime_type);
    append_end(out, requirement);
}

}  // namespace portitor::x402
