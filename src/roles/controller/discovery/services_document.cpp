#include "offer/terms.hpp"
#include "roles/controller/discovery/documents.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace portitor::controller {

namespace json = boost::json;

namespace {

// The token of the terms, as the operator knows it; the operator may have dropped it since.
std::optional<offer::asset_info>
find_asset(const api::payment_route& terms, const offer::plan_settings& settings)
{
    const auto network = settings.find_network ? settings.find_network(terms.network) : std::nullopt;
    if (!network)
        return std::nullopt;
    const auto at =
        std::find_if(network->assets.begin(), network->assets.end(), [&](const offer::asset_info& each) {
            return boost::iequals(each.address, terms.asset);
        });
    return at == network->assets.end() ? std::nullopt : std::optional(*at);
}

json::object asset_of(const api::payment_route& terms, const std::optional<offer::asset_info>& known)
{
    json::object out{{"address", terms.asset}};
    if (!known)
        return out;
    out["symbol"] = known->symbol;
    out["decimals"] = known->decimals;
    out["transferMethod"] = "eip3009";
    out["eip712Domain"] = {{"name", known->eip712_name}, {"version", known->eip712_version}};
    return out;
}

// What one request costs, as people write it and in the token's own units, and what it was derived from.
void put_price(
    json::object& into,
    const u256& atomic,
    api::price_model model,
    const std::string& per_mtok,
    const std::optional<offer::asset_info>& asset
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

json::array routes_of(const api::payment_route& terms, const std::optional<offer::asset_info>& asset)
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

std::optional<std::uint64_t> chain_id_of(std::string_view caip2)
{
    constexpr std::string_view evm = "eip155:";
    if (!caip2.starts_with(evm))
        return std::nullopt;
    std::uint64_t out = 0;
    const char* last = caip2.data() + caip2.size();
    const auto [end, failure] = std::from_chars(caip2.data() + evm.size(), last, out);
    return failure == std::errc() && end == last ? std::optional(out) : std::nullopt;
}

}  // namespace

std::string service_entry(const listing::sale& sold, const offer::plan_settings& settings)
{
    const api::service_offer& offer = sold.offer;
    const api::payment_route& terms = sold.terms;
    const auto asset = find_asset(terms, settings);
    json::object out{
        {"name", offer.meta.name},
        {"namespace", offer.meta.ns},
        {"type", offer.type == api::offer_type::inference ? "inference" : "http"},
    };
    if (offer.model && !offer.model->name.empty())
        out["model"] = offer.model->name;
    out["endpoint"] = offer::endpoint_of(offer, settings);
    out["description"] = terms.description;
    put_price(out, terms.price, terms.model, terms.per_mtok, asset);
    out["payTo"] = terms.pay_to;
    out["network"] = offer.payment.network;
    out["caip2Network"] = terms.network;
    if (const auto chain = chain_id_of(terms.network))
        out["chainId"] = *chain;
    out["asset"] = asset_of(terms, asset);
    if (!terms.rules.empty())
        out["routes"] = routes_of(terms, asset);
    json::array skills;
    for (const std::string& each : offer.registration.skills)
        skills.emplace_back(each);
    if (!skills.empty())
        out["skills"] = std::move(skills);
    if (offer.registration.enabled && !settings.public_url.empty())
        out["agentURI"] = offer::agent_uri(offer.meta.uid, settings);
    return json::serialize(out);
}

std::string services_document(std::span<const std::string_view> services)
{
    std::string out = "{\"services\":[";
    std::size_t size = out.size() + 2;
    for (const std::string_view each : services)
        size += each.size() + 1;
    out.reserve(size);
    for (const std::string_view each : services)
    {
        out += each;
        out += ',';
    }
    if (!services.empty())
        out.pop_back();
    out += "]}";
    return out;
}

}  // namespace portitor::controller
