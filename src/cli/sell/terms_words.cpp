#include "cli/sell/terms_words.hpp"

#include <portitor/x402/words.hpp>

namespace portitor::cli::sell {

namespace {

const char* unit_of(api::price_model model)
{
    switch (model)
    {
    case api::price_model::per_mtok:
        return "/MTok";
    case api::price_model::per_hour:
        return "/h";
    default:
        return "";
    }
}

}  // namespace

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
    for (const api::price_model model : api::all_price_models)
    {
        std::string amount =
            kube::string_at(offer.spec(), std::string("payment.price.") + api::field_of(model));
        if (!amount.empty())
            return std::move(amount) + unit_of(model);
    }
    return {};
}

}  // namespace portitor::cli::sell
