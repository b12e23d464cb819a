#pragma once

#include <portitor/api/payment_route.hpp>

namespace portitor::offer {

inline constexpr unsigned tokens_per_mtok = 1'000'000;
inline constexpr unsigned minutes_per_hour = 60;
/// What one request is taken for where a price is written for tokens or for time.
inline constexpr unsigned approx_tokens_per_request = 1000;
inline constexpr unsigned approx_minutes_per_request = 5;

/// What one request costs.
struct priced
{
    u256 atomic;
    api::price_model model = api::price_model::per_request;
    std::string per_mtok;            ///< as written, where that is the model
    std::int64_t approx_tokens = 0;  ///< tokens that one request is taken for, where that is the model
};

/// The price of a request in atomic units of an asset with that many decimals: perRequest, else perMTok for
/// 1000 tokens, else perHour for 5 minutes. A derived fraction is rounded up. errc::invalid, with the field
/// below `field`, for no price, zero, more decimals than the asset has, an overflow, or text that is no
/// decimal number, also in a field that another one overrides.
result<priced> price_of(const api::price& written, unsigned decimals, std::string_view field);

}  // namespace portitor::offer
