#include "route/ruling.hpp"

#include "route/credentials.hpp"

#include <portitor/api/gate_key.hpp>

namespace portitor::route {

namespace {

constexpr std::string_view unbound_target = "/verify";
constexpr std::string_view bound_prefix = "/verify/";

}  // namespace

std::optional<gate_target> read_gate_target(std::string_view target)
{
    const std::string_view path = target.substr(0, target.find('?'));
    if (path == unbound_target)
        return gate_target{};
    if (path.starts_with(bound_prefix))
        return gate_target{true, path.substr(bound_prefix.size()), api::token_in(target)};
    return std::nullopt;
}

// A route may be on its way: a replica that is new, or has lost its watch, must not answer for the others.
found_route find_bound(const route_table& table, std::string_view offer)
{
    if (const entry_ptr& entry = table.find(offer))
        return {entry};
    const std::string_view words =
        table.complete() ? "no such route is served here" : "the routes are not known yet";
    return {nullptr, {503, "unknown_route", words, 1}};
}

found_route find_by_path(const route_table& table, const request_path& path, std::string_view host)
{
    if (entry_ptr entry = table.find_by_path(path, host))
        return {std::move(entry)};
    if (!table.complete())
        return {nullptr, {503, "unknown_route", "the routes are not known yet", 1}};
    return {nullptr, {403, "unknown_route", "no route, or more than one, holds this path"}};
}

ruling rule_on(const served_route& route, const request_path& path, const circumstances& around)
{
    // Who is not the offer's own gateway would keep the credential.
    if (route.credential() != nullptr && !around.has_token)
        return {outcome::wrong_token};
    // Before any payment: nobody is to pay for a service that is down.
    if (route.suspended())
        return {outcome::suspended};
    // Some servers cut "a;b" down to "a", which may be another rule's path.
    if (route.has_rules() && path.has_parameters)
        return {outcome::bad_request};
    const terms* price = route.find(path);
    if (price == nullptr)
        return {outcome::outside_route};
    if (!around.method.empty() && !price->is_for(around.method))
        return {outcome::wrong_method};
    if (price->free)
        return {outcome::granted_free, price};
    // Nobody is to pay for a service that our word does not open.
    if (route.credential() != nullptr && around.has_credentials && !route.credential()->has_value())
        return {outcome::no_credential, price};
    return {outcome::payment_required, price};
}

told told_of(outcome what)
{
    switch (what)
    {
    case outcome::wrong_token:
        return {
            403,
            "wrong_token",
            "the gateway does not show the token of this offer; nobody is asked to pay here"};
    case outcome::suspended:
        return {503, "upstream_unavailable", "the service is down; nobody is asked to pay for it", 10};
    case outcome::no_credential:
        return {503, "upstream_unavailable", "the service is not set up yet", 10};
    case outcome::bad_request:
        return {400, "bad_request", "the path holds \";\", which servers read in two ways"};
    case outcome::outside_route:
        return {403, "outside_route", "this path is not one of the route's"};
    case outcome::wrong_method:
        return {403, "wrong_method", "this path is not there for the request's method"};
    case outcome::granted_free:
        return {200, "", ""};
    default:
        return {402, "payment_required", "payment required"};
    }
}

}  // namespace portitor::route
