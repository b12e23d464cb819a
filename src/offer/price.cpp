#include "offer/price.hpp"

#include <fmt/format.h>

namespace portitor::offer {

namespace {

// The amount as written must be right by itself, whatever is made of it.
result<void>
check_written(const std::optional<std::string>& amount, unsigned decimals, const std::string& field)
{
    if (!amount)
        return {};
    const auto atomic = atomic_units(*amount, decimals);
    if (!atomic)
        return atomic.error().within(field);
    if (*atomic == 0)
        return fail(
            errc::invalid,
            "{}: \"{}\" is zero; a price must be more: write a route with gate: free to give it away",
            field,
            *amount
        );
    return {};
}

result<priced> one_request(const api::price& written, unsigned decimals, std::string_view field)
{
    const auto finish = [&](result<u256> atomic, api::price_model model) -> result<priced> {
        if (!atomic)
            return atomic.error().within(field);
        priced out;
        out.atomic = *atomic;
        out.model = model;
        return out;
    };
    if (written.per_request)
        return finish(atomic_units(*written.per_request, decimals), api::price_model::per_request);
    if (written.per_mtok)
    {
        auto out = finish(
            atomic_units_of_fraction(*written.per_mtok, decimals, approx_tokens_per_request, tokens_per_mtok),
            api::price_model::per_mtok
        );
        if (out)
        {
            out->per_mtok = *written.per_mtok;
            out->approx_tokens = approx_tokens_per_request;
        }
        return out;
    }
    return finish(
        atomic_units_of_fraction(*written.per_hour, decimals, approx_minutes_per_request, minutes_per_hour),
        api::price_model::per_hour
    );
}

}  // namespace

result<priced> price_of(const api::price& written, unsigned decimals, std::string_view field)
{
    if (written.empty())
        return fail(
            errc::invalid,
            "{} has no price: write perRequest, perMTok or perHour, such as perRequest: \"0.01\"",
            field
        );
    for (const api::price_model model : api::all_price_models)
    {
        const auto right =
            check_written(written.of(model), decimals, fmt::format("{}.{}", field, api::field_of(model)));
        if (!right)
            return right.error();
    }
    return one_request(written, decimals, field);
}

}  // namespace portitor::offer
