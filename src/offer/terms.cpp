#include "offer/terms.hpp"

#include "offer/naming.hpp"
#include "offer/price.hpp"
#include "offer/shown_text.hpp"

#include <portitor/evm/spelled_address.hpp>
#include <portitor/x402/match.hpp>

#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>

namespace portitor::offer {

namespace {

constexpr std::string_view gate = api::condition_type::payment_gate_ready;

using maybe = std::optional<obstacle>;

// Clients sign a payment that is valid for maxTimeoutSeconds from then on. What is left when it is here must
// be enough to settle; the rest is for its way, and for clocks that differ.
constexpr std::int64_t least_timeout = static_cast<std::int64_t>(x402::settlement_seconds) + 4;

maybe check_spelling(const char* field, const std::string& address)
{
    const auto read = evm::read_spelled_address(address);
    if (read)
        return std::nullopt;
    return make_obstacle(
        gate, api::because::wrong_checksum, "{}: {}: {}", field, address, read.error().message()
    );
}

maybe check_payment(const api::service_offer::payment_spec& payment)
{
    if (auto wrong = check_spelling("spec.payment.payTo", payment.pay_to))
        return wrong;
    if (payment.asset && !payment.asset->address.empty())
    {
        if (auto wrong = check_spelling("spec.payment.asset.address", payment.asset->address))
            return wrong;
    }
    if (payment.max_timeout_seconds >= least_timeout)
        return std::nullopt;
    return make_obstacle(
        gate,
        api::because::timeout_too_short,
        "spec.payment.maxTimeoutSeconds: {} is too short for any buyer: a payment that is signed for so "
        "long must be valid for {} s more when it has come, to be settled; write {} or more, or leave it out "
        "for 300",
        payment.max_timeout_seconds,
        x402::settlement_seconds,
        least_timeout
    );
}

bool is_asset(const x402::token& known, const api::asset& asked)
{
    return (asked.address.empty() || boost::iequals(known.address, asked.address)) &&
           (asked.symbol.empty() || known.symbol == asked.symbol) &&
           (!asked.decimals || *asked.decimals == std::int64_t(known.decimals)) &&
           (asked.eip712_name.empty() || known.name == asked.eip712_name) &&
           (asked.eip712_version.empty() || known.version == asked.eip712_version);
}

// The operator's word on an asset counts: an offer that describes it otherwise would get unusable payments.
const x402::token* find_asset(const x402::network& network, const std::optional<api::asset>& asked)
{
    const auto at = std::find_if(network.tokens.begin(), network.tokens.end(), [&](const x402::token& known) {
        return !asked || is_asset(known, *asked);
    });
    return at == network.tokens.end() ? nullptr : &*at;
}

/// What the offer is paid in; `token` is null where that is wrong.
struct asset_choice
{
    const x402::network* network = nullptr;
    const x402::token* token = nullptr;
    maybe wrong;
};

asset_choice choose_asset(const api::service_offer& offer, const plan_settings& settings)
{
    const auto& payment = offer.payment;
    const x402::network* network = settings.lists.networks.table.find(payment.network);
    if (!network)
        return {
            nullptr,
            nullptr,
            make_obstacle(
                gate,
                api::because::unknown_network,
                "spec.payment.network: \"{}\" is not one of the operator's networks; write one that "
                "is, such as base-sepolia, or have the operator add it to \"networks\"",
                payment.network
            )};
    const x402::token* asset = find_asset(*network, payment.asset);
    if (!asset && network->tokens.empty())
        return {
            nullptr,
            nullptr,
            make_obstacle(
                gate,
                api::because::unknown_asset,
                "spec.payment.network: the operator has no asset on {} ({}); write another network, such as "
                "base, or have the operator add its tokens to \"networks\"",
                payment.network,
                network->caip2
            )};
    if (!asset)
        return {
            nullptr,
            nullptr,
            make_obstacle(
                gate,
                api::because::unknown_asset,
                "spec.payment.asset is not, as described, one of the operator's assets on {}; correct its "
                "address, symbol, decimals and EIP-712 name and version, or leave spec.payment.asset out "
                "to take the network's first",
                network->caip2
            )};
    // What the asset is moved by is the operator's to know; the offer may only say the same.
    const std::string_view moved_by = to_string(asset->method);
    if (payment.asset && !payment.asset->transfer_method.empty() &&
        payment.asset->transfer_method != moved_by)
        return {
            nullptr,
            nullptr,
            make_obstacle(
                gate,
                api::because::unsupported_asset,
                "spec.payment.asset.transferMethod: {} is moved by {} on {}; write that, or leave it out",
                asset->symbol,
                moved_by,
                network->caip2
            )};
    return {network, asset, std::nullopt};
}

maybe fill_rules(const api::service_offer& offer, unsigned decimals, api::payment_route& route)
{
    const auto price = price_of(offer.payment.price, decimals, "spec.payment.price");
    if (!price)
        return make_obstacle(gate, api::because::invalid_price, "{}", price.error().message());
    route.price = price->atomic;
    route.model = price->model;
    route.per_mtok = price->per_mtok;
    route.approx_tokens_per_request = price->approx_tokens;
    for (std::size_t i = 0; i < offer.routes.size(); ++i)
    {
        const api::offer_route& each = offer.routes[i];
        api::payment_rule rule;
        rule.pattern = each.path;
        rule.access = each.access;
        rule.methods = each.methods;
        if (each.access == api::gate::paid)
        {
            auto own = price;
            if (each.own_price)
                own = price_of(*each.own_price, decimals, fmt::format("spec.routes[{}].price", i));
            if (!own)
                return make_obstacle(gate, api::because::invalid_price, "{}", own.error().message());
            rule.price = own->atomic;
            rule.model = own->model;
            rule.per_mtok = own->per_mtok;
        }
        route.rules.push_back(std::move(rule));
    }
    return std::nullopt;
}

maybe fill_facilitator(
    const api::service_offer& offer, const plan_settings& settings, api::payment_route& route
)
{
    const std::string& name = offer.payment.facilitator.empty() ? settings.lists.facilitators.default_name
                                                                : offer.payment.facilitator;
    const config::facilitator* found = settings.lists.facilitators.find(name);
    if (!found)
        return make_obstacle(
            gate,
            api::because::unknown_facilitator,
            "spec.payment.facilitator: \"{}\" is not on the operator's list; write a name that is, leave "
            "it out for the operator's default, or have the operator add it to \"facilitators\"",
            name
        );
    route.facilitator_url = found->url;
    return std::nullopt;
}

maybe fill_credential(
    const api::service_offer& offer, const plan_settings& settings, api::payment_route& route
)
{
    route.credential = offer.upstream.credential;
    if (route.credential.empty())
        return std::nullopt;
    const auto usable = [&](const config::credential_entry& each) {
        return each.name == route.credential &&
               std::any_of(each.namespaces.begin(), each.namespaces.end(), [&](const std::string& ns) {
                   return ns == "*" || ns == offer.meta.ns;
               });
    };
    const auto& all = settings.lists.credentials.entries;
    if (std::any_of(all.begin(), all.end(), usable))
    {
        if (settings.gate_key || settings.gate_key_elsewhere)
            return std::nullopt;
        return make_obstacle(
            gate,
            api::because::no_gate_key,
            "spec.upstream.credential: the controller has no key to show the verifier that the gateway may "
            "have \"{}\"; have the operator give controller and verifier the same --gate-key-file, or leave "
            "the credential out",
            route.credential
        );
    }
    // The same words for "not there" and "not yours": names of other namespaces' credentials are not for
    // everyone.
    return make_obstacle(
        gate,
        api::because::unknown_credential,
        "spec.upstream.credential: \"{}\" is no credential that namespace {} may use; correct the name, "
        "or have the operator add it to \"credentials\" for this namespace",
        route.credential,
        offer.meta.ns
    );
}

}  // namespace

maybe fill_terms(const api::service_offer& offer, const plan_settings& settings, api::payment_route& route)
{
    if (offer.payment.settlement == api::settlement::after_response)
        return make_obstacle(
            gate,
            api::because::unsupported_settlement,
            "spec.payment.settlement: afterResponse is not available behind this gateway; write "
            "beforeResponse"
        );
    if (auto wrong = check_payment(offer.payment))
        return wrong;
    route.pattern = offer.path == "/" ? "/*" : offer.path + "/*";
    route.pay_to = offer.payment.pay_to;
    route.description = shown_text(description_of(offer));
    route.max_timeout_seconds = offer.payment.max_timeout_seconds;
    route.settlement = offer.payment.settlement;
    route.public_url = settings.gateway.public_url.empty() ? "" : endpoint_of(offer, settings);
    asset_choice paid_in = choose_asset(offer, settings);
    if (paid_in.wrong)
        return std::move(paid_in.wrong);
    route.network = paid_in.network->caip2;
    route.asset = paid_in.token->address;
    if (auto wrong = fill_rules(offer, paid_in.token->decimals, route))
        return wrong;
    if (auto wrong = fill_facilitator(offer, settings, route))
        return wrong;
    return fill_credential(offer, settings, route);
}

}  // namespace portitor::offer
