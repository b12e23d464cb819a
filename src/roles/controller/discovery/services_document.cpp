#include "offer/agent_document.hpp"
#include "offer/naming.hpp"
#include "offer/shown_text.hpp"
#include "roles/controller/discovery/documents.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace portitor::controller {

namespace json = boost::json;

namespace {

// The token of the terms, as the operator knows it; null where the operator has dropped it since.
const x402::token* find_asset(const x402::network* network, const api::payment_route& terms)
{
    return network ? network->find_token(terms.asset) : nullptr;
}

json::object asset_of(const api::payment_route& terms, const x402::token* known)
{
    json::object out{{"address", terms.asset}};
    if (!known)
        return out;
    out["symbol"] = known->symbol;
    out["decimals"] = known->decimals;
    out["transferMethod"] = to_string(known->method);
    out["eip712Domain"] = {{"name", known->name}, {"version", known->version}};
    return out;
}

// What one request costs, as people write it and in the token's own units, and what it was derived from.
void put_price(
    json::object& into,
    const u256& atomic,
    api::price_model model,
    const std::string& per_mtok,
    const x402::token* asset
)
{
    if (asset)
        into["price"] = decimal_amount(atomic, asset->decimals);
    into["priceAtomicUnits"] = to_string(atomic);
    into["priceUnit"] = "perRequest";
    into["priceModel"] = to_string(model);
    if (model == api::price_model::per_mtok)
        into["pricePerMTok"] = per_mtok;
}

json::array routes_of(const api::payment_route& terms, const x402::token* asset)
{
    json::array out;
    for (const api::payment_rule& each : terms.rules)
    {
        json::object rule{{"path", each.pattern.text()}, {"gate", to_string(each.access)}};
        if (each.access == api::gate::paid)
            put_price(rule, each.price, each.model, each.per_mtok, asset);
        out.push_back(std::move(rule));
    }
    return out;
}

}  // namespace

std::string service_entry(const listing::sale& sold, const offer::plan_settings& settings)
{
    const api::service_offer& offer = sold.offer;
    const api::payment_route& terms = sold.terms;
    const x402::network* network = settings.lists.networks.table.find(terms.network);
    const x402::token* asset = find_asset(network, terms);
    json::object out{
        {"name", offer.meta.name},
        {"type", offer.type == api::offer_type::inference ? "inference" : "http"},
    };
    if (offer.model && !offer.model->name.empty())
        out["model"] = offer::shown_text(offer.model->name);
    out["endpoint"] = offer::endpoint_of(offer, settings);
    out["description"] = offer::shown_text(terms.description);
    put_price(out, terms.price, terms.model, terms.per_mtok, asset);
    out["payTo"] = terms.pay_to;
    out["network"] = offer.payment.network;
    out["caip2Network"] = terms.network;
    if (network && network->chain_id != 0)
        out["chainId"] = network->chain_id;
    out["asset"] = asset_of(terms, asset);
    if (!terms.rules.empty())
        out["routes"] = routes_of(terms, asset);
    json::array skills;
    for (const std::string& each : offer.registration.skills)
        skills.emplace_back(offer::shown_text(each));
    if (!skills.empty())
        out["skills"] = std::move(skills);
    if (offer.registration.enabled && !settings.gateway.public_url.empty())
        out["agentURI"] = offer::agent_uri(offer.meta.uid, settings);
    return json::serialize(out);
}

std::string services_document(std::span<const std::string_view> services)
{
    return offer::with_list("{}", "services", services);
}

}  // namespace portitor::controller
