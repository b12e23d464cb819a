#include "cli/once/terms_report.hpp"

#include "offer/naming.hpp"
#include "offer/price.hpp"
#include "offer/terms.hpp"

#include <portitor/x402/words.hpp>

namespace portitor::cli::once {

namespace {

// Whether amount * numerator / denominator comes out even.
bool is_exact(
    const std::string& amount, const u256& atomic, unsigned decimals, unsigned numerator, unsigned denominator
)
{
    const auto written = atomic_units(amount, decimals);
    // Twice as wide as any amount, so that the products have room.
    using wide = boost::multiprecision::uint512_t;
    return written && wide(*written) * numerator == wide(atomic) * denominator;
}

price_line line_of(
    const api::price& written,
    const u256& atomic,
    const api::payment_route& route,
    const x402::network_table& known
)
{
    price_line out;
    out.atomic = to_string(atomic);
    out.words = x402::amount_in_words(atomic, route.network, route.asset, known) + " a request";
    const x402::network* network = known.find(route.network);
    const x402::token* asset = network ? network->find_token(route.asset) : nullptr;
    if (asset)
        out.how = derivation(written, *asset, atomic);
    return out;
}

std::vector<price_line>
prices_of(const api::service_offer& offer, const api::payment_route& route, const x402::network_table& known)
{
    const api::price& own = offer.payment.price;
    std::vector<price_line> out{line_of(own, route.price, route, known)};
    // By rule, in the order in which they are written.
    for (std::size_t i = 0; i < route.rules.size(); ++i)
    {
        const api::payment_rule& rule = route.rules[i];
        price_line line;
        if (rule.access == api::gate::free)
        {
            line.free = true;
            line.atomic = "0";
            line.words = "free";
        }
        else
            line = line_of(offer.routes[i].own_price.value_or(own), rule.price, route, known);
        line.path = rule.pattern.text();
        out.push_back(std::move(line));
    }
    return out;
}

}  // namespace

std::string derivation(const api::price& written, const x402::token& asset, const u256& atomic)
{
    if (written.per_request || (!written.per_mtok && !written.per_hour))
        return {};
    const std::string& amount = written.per_mtok ? *written.per_mtok : *written.per_hour;
    const unsigned numerator =
        written.per_mtok ? offer::approx_tokens_per_request : offer::approx_minutes_per_request;
    const unsigned denominator = written.per_mtok ? offer::tokens_per_mtok : offer::minutes_per_hour;
    return fmt::format(
        "{} {} per {} x {} {} = {} {}{}",
        amount,
        asset.symbol,
        written.per_mtok ? "MTok" : "hour",
        numerator,
        written.per_mtok ? "tokens" : "minutes",
        decimal_amount(atomic, asset.decimals),
        asset.symbol,
        is_exact(amount, atomic, asset.decimals, numerator, denominator) ? "" : ", rounded up"
    );
}

std::optional<terms_report> terms_of(const api::service_offer& offer, const offer::plan_settings& settings)
{
    api::payment_route route;
    // Without its facilitator the price is known all the same; never 0 where it has been read.
    if (offer::fill_terms(offer, settings, route) && route.price == 0)
        return std::nullopt;
    terms_report out;
    out.prices = prices_of(offer, route, settings.lists.networks.table);
    out.network = route.network;
    out.asset = route.asset;
    out.pay_to = route.pay_to;
    out.facilitator = offer.payment.facilitator.empty() ? settings.lists.facilitators.default_name
                                                        : offer.payment.facilitator;
    out.facilitator_url = route.facilitator_url;
    out.credential = route.credential;
    out.endpoint = offer::endpoint_of(offer, settings);
    out.upstream = offer::upstream_url(offer);
    return out;
}

}  // namespace portitor::cli::once
