#include "offer/children.hpp"

#include "offer/agent_document.hpp"
#include "offer/gate_trial.hpp"
#include "offer/hosts.hpp"
#include "offer/naming.hpp"

#include <portitor/api/gate_key.hpp>
#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/kube/owner.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;

namespace {

// Traefik's limit on the verifier's answers; its default is none, with a warning.
constexpr std::int64_t longest_answer = 65536;
constexpr std::size_t hash_digits = 16;
// How long a browser may remember the answer to a preflight: what it says rarely changes.
constexpr std::int64_t preflight_seconds = 600;

json::object make_child(
    const kube::resource& kind, const kube::object_identity& offer, const std::string& name, json::object spec
)
{
    json::object metadata{
        {"name", name},
        {"namespace", offer.ns},
        {"labels",
         {{api::managed_by_label, api::managed_by_value}, {api::offer_label, api::label_value(offer.name)}}},
    };
    // A child lies in its offer's own namespace, so the reference is always a valid one. Of an offer that is
    // gone the uid may be.
    if (!offer.uid.empty())
        metadata["ownerReferences"] = json::array{
            json::value(kube::make_controller_reference(api::service_offer_resource, offer, offer.ns).value()
            )};
    return {
        {"apiVersion", kind.api_version()},
        {"kind", kind.kind},
        {"metadata", std::move(metadata)},
        {"spec", std::move(spec)},
    };
}

// Traefik copies these from the verifier's answer to the upstream's request, and deletes those that the
// answer lacks. So an upstream can trust the first ones, and never sees a signed payment.
json::array verdict_headers(const api::service_offer& offer)
{
    json::array out{
        "X-Payer",
        "X-Payment-Response",
        "Payment-Response",
        "X-Portitor-Route",
        "X-Payment",
        "Payment-Signature",
        "X-Payment-Status",
        "X-Payment-Tx",
        "X-Payment-Payer",
        "X-Verified-Wallet",
    };
    // Only then: otherwise the buyer's own Authorization is for the upstream.
    if (!offer.upstream.credential.empty())
        out.emplace_back("Authorization");
    return out;
}

// What the verifier reads of a request, beside the X-Forwarded headers of Traefik's own. So cookies and the
// buyer's Authorization do not travel to it.
json::array asked_headers()
{
    return {
        "X-Payment",
        "Payment-Signature",
        "Origin",
        "Accept",
        "User-Agent",
        "X-Request-Id",
    };
}

// Many upstreams read "X_Payer" as "X-Payer". Traefik takes what this matches out of the request: every
// spelling of a header that the verifier vouches for or that holds a payment, and of the X-Forwarded ones all
// but the right one.
constexpr std::string_view aliases = "(?i)^(x[-_.](payer|payment|verified[-_.]wallet|portitor[-_.]route)"
                                     "|x[-_.]payment[-_.](status|tx|payer|response)"
                                     "|payment[-_.](signature|response)"
                                     "|x[_.]forwarded[-_.](uri|method|host|proto)"
                                     "|x-forwarded[_.](uri|method|host|proto))$";

// Where a rule says for which methods it is, no header may say another one to the upstream.
constexpr std::string_view method_overrides =
    "(?i)^x[-_.](http[-_.]method([-_.]override)?|method([-_.]override)?)$";

std::string taken_out(const api::service_offer& offer)
{
    const auto holds_methods = [](const api::offer_route& each) { return !each.methods.empty(); };
    if (std::none_of(offer.routes.begin(), offer.routes.end(), holds_methods))
        return std::string(aliases);
    return fmt::format("({})|({})", aliases, method_overrides);
}

json::object middleware_filter(const std::string& name)
{
    return {
        {"type", "ExtensionRef"},
        {"extensionRef",
         {{"group", api::middleware_resource.group},
          {"kind", api::middleware_resource.kind},
          {"name", name}}},
    };
}

// Payment headers are not Authorization, so a shared cache may keep the answer to a paid request (RFC 9111
// 3.5) and sell it again. Those for caches alone go, since they would be listened to first (RFC 9213).
json::object cache_filter()
{
    return {
        {"type", "ResponseHeaderModifier"},
        {"responseHeaderModifier",
         {{"set", json::array{{{"name", "Cache-Control"}, {"value", "private, no-store"}}}},
          {"remove", {"CDN-Cache-Control", "Surrogate-Control"}}}},
    };
}

// The gate comes before the rewrite: it must see the path that the buyer asked for.
json::object route_rule(
    const api::service_offer& offer,
    const plan_settings& settings,
    bool sells,
    json::object match,
    const json::object& path_in_upstream
)
{
    json::array filters;
    for (const child_kind kind : optional_middlewares)
    {
        if (has_middleware(kind, offer, settings))
            filters.push_back(middleware_filter(type_of(kind).name_of(offer.meta.name)));
    }
    filters.push_back(middleware_filter(api::middleware_name(offer.meta.name)));
    const json::object rewrite{
        {"type", "URLRewrite"},
        {"urlRewrite", {{"path", path_in_upstream}}},
    };
    filters.push_back(rewrite);
    if (sells)
        filters.push_back(cache_filter());
    json::object backend = backend_reference(offer.upstream.service, offer.upstream.port);
    if (offer.upstream.ns != offer.meta.ns)
        backend["namespace"] = offer.upstream.ns;
    return {
        {"matches", json::array{std::move(match)}},
        {"filters", std::move(filters)},
        {"backendRefs", json::array{backend}},
    };
}

}  // namespace

json::object stamped(json::object desired)
{
    const std::string hash = api::sha256_hex(json::serialize(desired), hash_digits);
    desired["metadata"].as_object()["annotations"] = {{api::desired_hash_annotation, hash}};
    return desired;
}

json::object parent_reference(const plan_settings& settings)
{
    json::object out{
        {"group", api::http_route_resource.group},
        {"kind", "Gateway"},
        {"namespace", settings.gateway.gateway.ns},
        {"name", settings.gateway.gateway.name},
    };
    if (!settings.gateway.section.empty())
        out["sectionName"] = settings.gateway.section;
    return out;
}

json::object backend_reference(std::string_view service, std::uint16_t port)
{
    return {
        {"group", ""},
        {"kind", "Service"},
        {"name", service},
        {"port", std::int64_t(port)},
        {"weight", 1},
    };
}

json::object
desired_middleware(const api::service_offer& offer, std::string_view token, const plan_settings& settings)
{
    const std::string address =
        api::gate_address(settings.gateway.verifier_url, offer.meta.ns, offer.meta.name, token);
    json::object spec{
        {"forwardAuth",
         {{"address", address},
          {"trustForwardHeader", false},
          {"authRequestHeaders", asked_headers()},
          {"authResponseHeaders", verdict_headers(offer)},
          {"authResponseHeadersRegex", taken_out(offer)},
          {"maxResponseBodySize", longest_answer}}},
    };
    return stamped(make_child(
        api::middleware_resource, offer.meta, api::middleware_name(offer.meta.name), std::move(spec)
    ));
}

bool has_middleware(child_kind kind, const api::service_offer& offer, const plan_settings& settings)
{
    switch (kind)
    {
    case child_kind::cors:
        return !settings.gateway.cors_origins.empty();
    case child_kind::in_flight:
        return offer.limits.in_flight > 0;
    case child_kind::rate:
        return offer.limits.per_second > 0;
    default:
        return true;
    }
}

json::object desired_limit_middleware(child_kind kind, const api::service_offer& offer)
{
    // All requests count together there, and those of one address here. By host they would not: a buyer may
    // write its port or capitals. This header is the gateway's own, whatever a buyer sends.
    json::object spec;
    if (kind == child_kind::in_flight)
        spec["inFlightReq"] = {
            {"amount", offer.limits.in_flight},
            {"sourceCriterion", {{"requestHeaderName", "X-Forwarded-Server"}}}};
    else
        spec["rateLimit"] = {
            {"average", offer.limits.per_second}, {"burst", offer.limits.per_second}, {"period", "1s"}};
    return stamped(make_child(
        api::middleware_resource, offer.meta, type_of(kind).name_of(offer.meta.name), std::move(spec)
    ));
}

json::object desired_cors_middleware(const api::service_offer& offer, const plan_settings& settings)
{
    json::array origins;
    for (const std::string& each : settings.gateway.cors_origins)
        origins.emplace_back(each);
    // "*" is all others, where no cookies go along; it is not the payment's headers for every browser, nor
    // Authorization for any (Fetch standard 3.2.3).
    json::object headers{
        {"accessControlAllowOriginList", std::move(origins)},
        {"accessControlAllowMethods", {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}},
        {"accessControlAllowHeaders",
         {"X-PAYMENT",
          "PAYMENT-SIGNATURE",
          "Access-Control-Expose-Headers",
          "Authorization",
          "Content-Type",
          "*"}},
        {"accessControlExposeHeaders",
         {"PAYMENT-REQUIRED", "PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE", "X-Portitor-Route", "*"}},
        {"accessControlMaxAge", preflight_seconds},
        {"addVaryHeader", true},
    };
    return stamped(make_child(
        api::middleware_resource,
        offer.meta,
        api::cors_middleware_name(offer.meta.name),
        {{"headers", std::move(headers)}}
    ));
}

namespace {

json::object http_route_of(const api::service_offer& offer, const plan_settings& settings, json::object rule)
{
    json::array hostnames;
    for (const std::string& each : hostnames_of(offer, settings))
        hostnames.emplace_back(each);
    json::object spec{
        {"parentRefs", json::array{parent_reference(settings)}},
        {"hostnames", std::move(hostnames)},
        {"rules", json::array{std::move(rule)}},
    };
    return stamped(make_child(
        api::http_route_resource, offer.meta, api::http_route_name(offer.meta.name), std::move(spec)
    ));
}

}  // namespace

json::object desired_http_route(const api::service_offer& offer, const plan_settings& settings, bool sells)
{
    json::object match{{"path", {{"type", "PathPrefix"}, {"value", offer.path}}}};
    const json::object rest{{"type", "ReplacePrefixMatch"}, {"replacePrefixMatch", "/"}};
    return http_route_of(offer, settings, route_rule(offer, settings, sells, std::move(match), rest));
}

json::object
desired_trial_route(const api::service_offer& offer, const plan_settings& settings, const std::string& path)
{
    const json::object root{{"type", "ReplaceFullPath"}, {"replaceFullPath", "/"}};
    return http_route_of(offer, settings, route_rule(offer, settings, true, trial_match(path), root));
}

json::object desired_payment_route(const api::service_offer& offer, const api::payment_route& route)
{
    return stamped(make_child(
        api::payment_route_resource,
        offer.meta,
        api::payment_route_name(offer.meta.name),
        api::to_json_spec(route)
    ));
}

json::object desired_registration(
    const api::service_offer& offer, const config::chain& chain, const plan_settings& settings, bool active
)
{
    const api::registration& wanted = offer.registration;
    api::registration_request request;
    request.name = agent_name(offer);
    request.description = wanted.description;
    request.endpoint = endpoint_of(offer, settings);
    request.image = wanted.image;
    request.chain = chain.name;
    request.registry = chain.registry;
    request.agent_uri = agent_uri(offer.meta.uid, settings);
    request.metadata = wanted.metadata;
    request.private_key_secret = wanted.private_key_secret;
    request.agent_id = wanted.agent_id;
    if (chain.document == config::document_place::on_chain)
        request.document = short_document(offer, settings, active);
    json::object out = make_child(
        api::registration_request_resource,
        offer.meta,
        api::registration_name(offer.meta.name),
        api::to_json_spec(request)
    );
    out["metadata"].as_object()["finalizers"] = json::array{json::value(api::finalizer)};
    return stamped(std::move(out));
}

json::object retired_registration(const kube::object_identity& offer, const kube::object& live)
{
    json::object spec = live.spec();
    spec["desiredState"] = to_string(api::desired_state::retired);
    json::object out = make_child(api::registration_request_resource, offer, live.meta.name, std::move(spec));
    json::object& metadata = out["metadata"].as_object();
    metadata["uid"] = live.meta.uid;
    metadata["finalizers"] = json::array{json::value(api::finalizer)};
    return stamped(std::move(out));
}

std::string taken_message(const kube::object& child, const kube::object_identity& offer)
{
    const auto* owner = child.meta.controller();
    return fmt::format(
        "{} {} was not made for this offer ({}) and is left alone; delete or rename it, or give ServiceOffer "
        "{} another name",
        kube::string_at(child.raw, "kind"),
        child.meta.key().to_string(),
        owner ? fmt::format("it belongs to {} {}, uid {}", owner->kind, owner->name, owner->uid)
              : std::string("nothing says that Portitor made it"),
        offer.name
    );
}

}  // namespace portitor::offer
