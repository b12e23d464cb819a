#include "cli/sell/terms_words.hpp"

#include <portitor/x402/words.hpp>

namespace portitor::cli::sell {

std::string price_in_words(const api::payment_route& terms, const x402::network_table& networks)
{
    std::string out = x402::amount_in_words(terms.price, terms.network, terms.asset, networks) + " a request";
    if (terms.model == api::price_model::per_mtok)
        out += fmt::format(
            " ({} a million tokens; a request is taken for {})",
            terms.per_mtok,
            terms.approx_tokens_per_request
        );
    else if (terms.model == api::price_model::per_hour)
        out += " (by the hour; a request is taken for five minutes)";
    return out;
}

std::string written_price(const kube::object& offer)
{
    const std::string request = kube::string_at(offer.spec(), "payment.price.perRequest");
    if (!request.empty())
        return request;
    const std::string tokens = kube::string_at(offer.spec(), "payment.price.perMTok");
    if (!tokens.empty())
        return tokens + "/MTok";
    const std::string hour = kube::string_at(offer.spec(), "payment.price.perHour");
    return hour.empty() ? hour : hour + "/h";
}

}  // namespace portitor::cli::sell
