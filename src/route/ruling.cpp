#include "route/ruling.hpp"

namespace portitor::route {

ruling rule_on(const served_route& route, const request_path& path, bool is_preflight)
{
    // Before any payment: nobody is to pay for a service that is down.
    if (route.suspended())
        return {outcome::suspended};
    // Some servers cut "a;b" down to "a", which may be another rule's path.
    if (route.has_rules() && path.has_parameters)
        return {outcome::bad_request};
    const terms* price = route.find(path);
    if (price == nullptr)
        return {outcome::outside_route};
    if (is_preflight)
        return {outcome::preflight, price};
    return {price->free ? outcome::granted_free : outcome::payment_required, price};
}

told told_of(outcome what)
{
    switch (what)
    {
    case outcome::suspended:
        return {503, "upstream_unavailable", "the service is down; nobody is asked to pay for it"};
    case outcome::bad_request:
        return {400, "bad_request", "the path holds \";\", which servers read in two ways"};
    case outcome::outside_route:
        return {403, "outside_route", "this path is not one of the route's"};
    case outcome::preflight:
    case outcome::granted_free:
        return {200, "", ""};
    default:
        return {402, "payment_required", "payment required"};
    }
}

}  // namespace portitor::route
