#pragma once

#include "route/outcome.hpp"
#include "route/served_route.hpp"

#include <string_view>

namespace portitor::route {

/// What a route says of a request before any payment is looked at.
struct ruling
{
    /// suspended, bad_request, outside_route, preflight, granted_free, or payment_required.
    outcome what = outcome::internal;
    const terms* price = nullptr;  ///< of the path; null for the first three
};

/// The one judgement of the gate and of who explains it.
/// @param is_preflight a browser asks beforehand whether a page, of an origin that is let in, may ask
ruling rule_on(const served_route& route, const request_path& path, bool is_preflight);

/// The answer's HTTP status, code and words for a ruling that refuses; 200 for one that lets the request
/// pass, 402 for payment_required.
struct told
{
    unsigned status;
    std::string_view code;
    std::string_view words;
};

told told_of(outcome what);

}  // namespace portitor::route
