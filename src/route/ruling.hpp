#pragma once

#include "route/outcome.hpp"
#include "route/route_table.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace portitor::route {

/// Where the gateway asks the gate, by the path of the question.
struct gate_target
{
    bool bound = false;      ///< to one offer's route; else the route is found by the request's path
    std::string_view offer;  ///< where bound: "namespace/offer"
    std::string_view token;  ///< where bound: what the offer's own Middleware shows; empty: nothing
};

/// Reads the path (and query) that a ForwardAuth middleware asks at: "/verify/<namespace>/<offer>", there
/// with or without "?token=<token>", or "/verify"; nothing where it is no question. Its texts are views into
/// `target`.
std::optional<gate_target> read_gate_target(std::string_view target);

/// An answer's HTTP status, code and words; seconds until it is worth asking again, 0: never by itself.
struct told
{
    unsigned status;
    std::string_view code;
    std::string_view words;
    std::int64_t retry_after = 0;
};

/// The route that a question is about; null: `why` is the answer, an outcome::unknown_route.
struct found_route
{
    entry_ptr entry;
    told why{};
};

/// The route of the offer that a question is bound to.
found_route find_bound(const route_table& table, std::string_view offer);
/// The route that holds the path of a question that is bound to none.
found_route find_by_path(const route_table& table, const request_path& path, std::string_view host);

/// What a ruling depends on beside route and path.
struct circumstances
{
    /// Whether the values of credentials are here; who explains has none, and takes them as there.
    bool has_credentials = true;
    /// Whether the question bears the token of the route's offer, without which no route with a credential is
    /// sold.
    bool has_token = false;
    /// Of the request, with GET for HEAD; empty: whatever it is.
    std::string_view method{};
};

/// What a route says of a request before any payment is looked at.
struct ruling
{
    /// wrong_token, suspended, bad_request, outside_route, wrong_method, granted_free, no_credential or
    /// payment_required.
    outcome what = outcome::internal;
    const terms* price = nullptr;  ///< of the path; null for the first five
};

/// The one judgement of the gate and of who explains it.
ruling rule_on(const served_route& route, const request_path& path, const circumstances& around = {});

/// The answer for a ruling: one that refuses; 200 for one that lets the request pass; 402 for
/// payment_required.
told told_of(outcome what);

}  // namespace portitor::route
