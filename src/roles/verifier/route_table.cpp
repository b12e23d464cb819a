#include "roles/verifier/route_table.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>

#include <algorithm>

namespace portitor::verifier {

namespace {

// The route must be the one that the controller makes for the offer that owns it: nothing else may speak for
// it.
result<std::string> offer_of(const kube::object& route)
{
    const kube::owner_reference* owner = route.meta.controller();
    if (!owner || owner->kind != api::service_offer_resource.kind ||
        !owner->api_version.starts_with("obol.org/"))
        return fail(
            errc::invalid,
            "no ServiceOffer controls this route; routes are made by Portitor's controller only"
        );
    if (route.meta.name != api::payment_route_name(owner->name))
        return fail(
            errc::invalid,
            "the route of the offer {} is named {}",
            owner->name,
            api::payment_route_name(owner->name)
        );
    return owner->name;
}

}  // namespace

result<route_ptr> served_route::compile(const kube::object& route, const limits& allowed)
{
    auto offer = offer_of(route);
    if (!offer)
        return offer.error();
    auto spec = api::parse_payment_route(route);
    if (!spec)
        return spec.error();
    const x402::network* network = allowed.networks.find(spec->network);
    if (!network)
        return fail(errc::invalid, "spec.network: {} is not known to this verifier", spec->network);
    const x402::token* token = network->find_token(spec->asset);
    if (!token)
        return fail(errc::invalid, "spec.asset: {} is no asset known on {}", spec->asset, spec->network);
    if (!allowed.facilitator_urls.contains(spec->facilitator_url))
        return fail(
            errc::invalid,
            "spec.facilitatorURL: {} is not on this verifier's list of facilitators",
            spec->facilitator_url
        );
    if (spec->price == 0)
        return fail(errc::invalid, "spec.price: a price of 0 is never served");

    auto out = std::make_shared<served_route>();
    out->key_ = route.meta.ns + "/" + *offer;
    std::string_view pattern = spec->pattern;
    if (pattern.ends_with("/*"))
        pattern.remove_suffix(2);
    out->prefix_ = split_segments(pattern);
    x402::payment_requirement requirement = x402::make_requirement(*network, *token);
    requirement.amount = spec->price;
    requirement.pay_to = spec->pay_to;
    requirement.max_timeout_seconds = static_cast<std::uint32_t>(spec->max_timeout_seconds);
    requirement.description = spec->description;
    requirement.mime_type = "application/json";
    out->default_.requirement = requirement;
    for (const api::payment_rule& each : spec->rules)
    {
        rule one;
        one.segments = split_segments(each.pattern);
        one.open_ended = !one.segments.empty() && one.segments.back() == "*";
        if (one.open_ended)
            one.segments.pop_back();
        one.what.free = each.access == api::gate::free;
        one.what.requirement = requirement;
        one.what.requirement.amount = each.price;
        if (!one.what.free && each.price == 0)
            return fail(errc::invalid, "spec.rules: the paid rule {} has a price of 0", each.pattern);
        out->rules_.push_back(std::move(one));
    }
    std::stable_sort(out->rules_.begin(), out->rules_.end(), more_specific);
    out->spec_ = std::move(*spec);
    return route_ptr(std::move(out));
}

// Segment by segment, a name before a "*"; then the longer pattern; then one that ends before one that goes
// on. The last comparison only makes the order the same on every replica.
bool served_route::more_specific(const rule& left, const rule& right)
{
    const std::size_t shared = std::min(left.segments.size(), right.segments.size());
    for (std::size_t i = 0; i < shared; ++i)
    {
        const bool left_any = left.segments[i] == "*";
        const bool right_any = right.segments[i] == "*";
        if (left_any != right_any)
            return right_any;
    }
    if (left.segments.size() != right.segments.size())
        return left.segments.size() > right.segments.size();
    if (left.open_ended != right.open_ended)
        return right.open_ended;
    return left.segments < right.segments;
}

bool served_route::matches(const rule& candidate, const std::vector<std::string>& below)
{
    if (below.size() < candidate.segments.size())
        return false;
    if (below.size() > candidate.segments.size() && !candidate.open_ended)
        return false;
    for (std::size_t i = 0; i < candidate.segments.size(); ++i)
    {
        if (candidate.segments[i] != "*" && candidate.segments[i] != below[i])
            return false;
    }
    return true;
}

const terms* served_route::find(const request_path& path) const
{
    if (path.segments.size() < prefix_.size() ||
        !std::equal(prefix_.begin(), prefix_.end(), path.segments.begin()))
        return nullptr;
    if (rules_.empty())
        return &default_;
    // A server that cuts "a;b" down to "a" would serve another rule's path.
    if (path.has_parameters)
        return nullptr;
    const std::vector<std::string> below(
        path.segments.begin() + static_cast<std::ptrdiff_t>(prefix_.size()), path.segments.end()
    );
    for (const rule& each : rules_)
    {
        if (matches(each, below))
            return &each.what;
    }
    return &default_;
}

std::string
served_route::resource_url(const request_path& path, std::string_view scheme, std::string_view host) const
{
    if (spec_.public_url.empty())
        return fmt::format("{}://{}{}", scheme, host, path.text);
    std::string url = spec_.public_url;
    for (std::size_t i = prefix_.size(); i < path.segments.size(); ++i)
        url += "/" + path.segments[i];
    return url;
}

route_ptr route_table::find(std::string_view key) const
{
    const auto at = routes_.find(key);
    return at == routes_.end() ? nullptr : at->second;
}

}  // namespace portitor::verifier
