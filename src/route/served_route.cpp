#include "route/served_route.hpp"

#include "route/credentials.hpp"
#include "route/gate_keys.hpp"
#include "route/host_name.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/http/message.hpp>

#include <algorithm>
#include <span>

namespace portitor::route {

namespace {

// The route must be the one that the controller makes for the offer that owns it: nothing else may speak for
// it.
result<const kube::owner_reference*> offer_of(const kube::object& route)
{
    const kube::owner_reference* owner = api::owning_offer(route.meta);
    if (!owner || owner->uid.empty())
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
    return owner;
}

}  // namespace

result<route_ptr> served_route::compile(const kube::object& route, const serving_limits& allowed)
{
    auto offer = offer_of(route);
    if (!offer)
        return offer.error();
    auto spec = api::parse_payment_route(route);
    if (!spec)
        return spec.error();
    auto out = std::make_shared<served_route>();
    out->network_ = allowed.networks.find(spec->network);
    if (out->network_ == nullptr)
        return fail(errc::invalid, "spec.network: {} is not known to this verifier", spec->network);
    out->token_ = out->network_->find_token(spec->asset);
    if (out->token_ == nullptr)
        return fail(errc::invalid, "spec.asset: {} is no asset known on {}", spec->asset, spec->network);
    const auto facilitator = allowed.facilitator_urls.find(spec->facilitator_url);
    if (facilitator == allowed.facilitator_urls.end())
        return fail(
            errc::invalid,
            "spec.facilitatorURL: {} is not on this verifier's list of facilitators",
            spec->facilitator_url
        );
    out->facilitator_url_ = &*facilitator;
    if (!spec->credential.empty())
    {
        const auto named = allowed.credentials.find(spec->credential, route.meta.ns);
        if (!named)
            return named.error().within("spec.credential");
        if (allowed.keys != nullptr && !allowed.keys->configured())
            return fail(
                errc::invalid,
                "spec.credential: this verifier has no key to know the gateway by (--gate-key-file), and "
                "gives out no credential without"
            );
        out->credential_ = *named;
        out->keys_ = allowed.keys;
    }
    if (spec->price == 0)
        return fail(errc::invalid, "spec.price: a price of 0 is never served");

    out->key_ = route.meta.ns + "/" + (*offer)->name;
    out->offer_uid_ = (*offer)->uid;
    std::string_view pattern = spec->pattern;
    if (pattern.ends_with("/*"))
        pattern.remove_suffix(2);
    while (pattern.ends_with('/'))
        pattern.remove_suffix(1);
    out->prefix_ = pattern;
    out->depth_ = static_cast<std::uint32_t>(api::segments_of(pattern).size());
    out->pay_to_ = std::move(spec->pay_to);
    out->description_ = std::move(spec->description);
    out->public_url_ = std::move(spec->public_url);
    if (const auto url = http::parse_url(out->public_url_))
        out->public_host_ = host_name_of(url->origin.authority());
    out->max_timeout_seconds_ = static_cast<std::uint32_t>(spec->max_timeout_seconds);
    out->suspended_ = spec->suspended;
    out->default_ = terms{spec->price, to_string(spec->price)};
    for (api::payment_rule& each : spec->rules)
    {
        if (each.access == api::gate::paid && each.price == 0)
            return fail(errc::invalid, "spec.rules: the paid rule {} has a price of 0", each.pattern.text());
        terms what{
            each.price, to_string(each.price), std::move(each.methods), each.access == api::gate::free};
        out->rules_.push_back({std::move(each.pattern), each.access, std::move(what)});
    }
    std::sort(out->rules_.begin(), out->rules_.end(), [](const rule& left, const rule& right) {
        return left.pattern.is_more_specific_than(right.pattern);
    });
    return route_ptr(std::move(out));
}

bool terms::is_for(std::string_view method) const
{
    return methods.empty() || std::find(methods.begin(), methods.end(), method) != methods.end();
}

bool served_route::knows_gateway(std::string_view token) const
{
    if (keys_ == nullptr)
        return false;
    const std::string_view key = key_;
    const std::size_t slash = key.find('/');
    return keys_->admit(key.substr(0, slash), key.substr(slash + 1), offer_uid_, token);
}

std::string served_route::lacking() const
{
    if (credential_ != nullptr && !credential_->has_value())
        return fmt::format(
            "spec.credential: the file of \"{}\" could not be read by this verifier yet; see that its Secret "
            "is there and mounted",
            credential_->name()
        );
    if (keys_ != nullptr && !keys_->held_any())
        return "spec.credential: this verifier's --gate-key-file could not be read yet, so it knows no "
               "gateway";
    return {};
}

const terms* served_route::find(const request_path& path) const
{
    const std::string_view text = path.text;
    if (!text.starts_with(prefix_) || (text.size() > prefix_.size() && text[prefix_.size()] != '/'))
        return nullptr;
    const auto below = std::span(path.segments).subspan(depth_);
    for (const rule& each : rules_)
    {
        if (each.pattern.covers(below, each.access))
            return &each.what;
    }
    return &default_;
}

std::string served_route::rule_of(const terms& found) const
{
    const auto at =
        std::find_if(rules_.begin(), rules_.end(), [&](const rule& each) { return &each.what == &found; });
    return at == rules_.end() ? std::string() : std::string(at->pattern.text());
}

void served_route::append_resource_url(
    std::string& out, const request_path& path, std::string_view scheme, std::string_view host
) const
{
    if (public_url_.empty())
    {
        out += scheme;
        out += "://";
        out += host;
        out += path.text;
        return;
    }
    out += public_url_;
    for (std::size_t i = depth_; i < path.segments.size(); ++i)
    {
        out += '/';
        out += path.segments[i];
    }
}

namespace {

constexpr std::string_view mime_type = "application/json";

}  // namespace

x402::requirement_view served_route::requirement(const terms& price, std::string_view resource_url) const
{
    x402::requirement_view out;
    out.network = network_->caip2;
    out.v1_network = network_->v1_name;
    out.amount = price.amount_text;
    out.asset = token_->address;
    out.pay_to = pay_to_;
    out.max_timeout_seconds = max_timeout_seconds_;
    out.resource_url = resource_url;
    out.description = description_;
    out.mime_type = mime_type;
    out.asset_name = token_->name;
    out.asset_version = token_->version;
    out.method = token_->method;
    return out;
}

x402::payment_requirement
served_route::owned_requirement(const terms& price, std::string_view resource_url) const
{
    x402::payment_requirement out = x402::make_requirement(*network_, *token_);
    out.amount = price.amount;
    out.pay_to = pay_to_;
    out.max_timeout_seconds = max_timeout_seconds_;
    out.resource_url = resource_url;
    out.description = description_;
    out.mime_type = mime_type;
    return out;
}

}  // namespace portitor::route
