#include "offer/children.hpp"

#include "offer/terms.hpp"

#include <portitor/api/names.hpp>
#include <portitor/kube/owner.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;

namespace {

// Traefik's limit on the verifier's answers; its default is none, with a warning.
constexpr std::int64_t longest_answer = 65536;
constexpr std::size_t hash_digits = 16;

json::object
child(const kube::resource& kind, const kube::object_meta& offer, const std::string& name, json::object spec)
{
    // A child lies in its offer's own namespace, so the reference is always a valid one.
    json::object owner =
        kube::make_controller_reference(api::service_offer_resource, offer, offer.ns).value();
    json::object metadata{
        {"name", name},
        {"namespace", offer.ns},
        {"labels",
         {{api::managed_by_label, api::managed_by_value}, {api::offer_label, api::label_value(offer.name)}}},
        {"ownerReferences", json::array{std::move(owner)}},
    };
    return {
        {"apiVersion", kind.api_version()},
        {"kind", kind.kind},
        {"metadata", std::move(metadata)},
        {"spec", std::move(spec)},
    };
}

std::string gate_url(const kube::object_meta& offer, const plan_settings& settings)
{
    return fmt::format("{}/verify/{}/{}", settings.verifier_url, offer.ns, offer.name);
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

// The gate comes before the rewrite: it must see the path that the buyer asked for.
json::object route_rule(const api::service_offer& offer)
{
    const json::object gate{
        {"type", "ExtensionRef"},
        {"extensionRef",
         {{"group", api::middleware_resource.group},
          {"kind", api::middleware_resource.kind},
          {"name", api::middleware_name(offer.meta.name)}}},
    };
    const json::object rewrite{
        {"type", "URLRewrite"},
        {"urlRewrite", {{"path", {{"type", "ReplacePrefixMatch"}, {"replacePrefixMatch", "/"}}}}},
    };
    json::object backend = backend_reference(offer.upstream.service, offer.upstream.port);
    if (offer.upstream.ns != offer.meta.ns)
        backend["namespace"] = offer.upstream.ns;
    const json::object match{{"path", {{"type", "PathPrefix"}, {"value", offer.path}}}};
    return {
        {"matches", json::array{match}},
        {"filters", json::array{gate, rewrite}},
        {"backendRefs", json::array{backend}},
    };
}

const json::object& object_at(const json::object& root, std::string_view path)
{
    static const json::object empty;
    const json::value* value = kube::find_path(root, path);
    return value && value->is_object() ? value->get_object() : empty;
}

const json::array& array_at(const json::object& root, std::string_view path)
{
    static const json::array empty;
    const json::value* value = kube::find_path(root, path);
    return value && value->is_array() ? value->get_array() : empty;
}

// Lists of the metadata are shared with others: ours must be in it, more may be.
bool holds_each(const json::array& live, const json::array& wanted)
{
    return std::all_of(wanted.begin(), wanted.end(), [&](const json::value& each) {
        return std::any_of(live.begin(), live.end(), [&](const json::value& held) {
            return kube::contains(held, each);
        });
    });
}

bool holds_metadata(const json::object& live, const json::object& desired)
{
    return kube::contains(object_at(live, "metadata.labels"), object_at(desired, "metadata.labels")) &&
           kube::contains(
               object_at(live, "metadata.annotations"), object_at(desired, "metadata.annotations")
           ) &&
           holds_each(
               array_at(live, "metadata.ownerReferences"), array_at(desired, "metadata.ownerReferences")
           ) &&
           holds_each(array_at(live, "metadata.finalizers"), array_at(desired, "metadata.finalizers"));
}

std::string escaped(std::string_view key)
{
    std::string out;
    for (const char c : key)
    {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out += c;
    }
    return out;
}

void collect_foreign(
    const json::object& live,
    const json::object& desired,
    const std::string& at,
    std::vector<std::string>& out
)
{
    for (const auto& [key, value] : live)
    {
        const std::string pointer = at + "/" + escaped(key);
        const json::value* wanted = desired.if_contains(key);
        if (!wanted)
            out.push_back(pointer);
        else if (wanted->is_object() && value.is_object())
            collect_foreign(value.get_object(), wanted->get_object(), pointer, out);
    }
}

std::string hash_of(const json::object& object)
{
    const json::object& annotations = object_at(object, "metadata.annotations");
    const json::value* hash = annotations.if_contains(api::desired_hash_annotation);
    return hash && hash->is_string() ? std::string(hash->get_string()) : std::string();
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
        {"namespace", settings.gateway.ns},
        {"name", settings.gateway.name},
    };
    if (!settings.gateway_section.empty())
        out["sectionName"] = settings.gateway_section;
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

json::object desired_middleware(const api::service_offer& offer, const plan_settings& settings)
{
    json::object spec{
        {"forwardAuth",
         {{"address", gate_url(offer.meta, settings)},
          {"trustForwardHeader", false},
          {"authResponseHeaders", verdict_headers(offer)},
          {"maxResponseBodySize", longest_answer}}},
    };
    return stamped(
        child(api::middleware_resource, offer.meta, api::middleware_name(offer.meta.name), std::move(spec))
    );
}

json::object desired_http_route(const api::service_offer& offer, const plan_settings& settings)
{
    json::array hostnames;
    if (!offer.hostname.empty())
        hostnames.emplace_back(offer.hostname);
    json::object spec{
        {"parentRefs", json::array{parent_reference(settings)}},
        {"hostnames", std::move(hostnames)},
        {"rules", json::array{route_rule(offer)}},
    };
    return stamped(
        child(api::http_route_resource, offer.meta, api::http_route_name(offer.meta.name), std::move(spec))
    );
}

json::object desired_payment_route(const api::service_offer& offer, const api::payment_route& route)
{
    return stamped(child(
        api::payment_route_resource,
        offer.meta,
        api::payment_route_name(offer.meta.name),
        api::to_json_spec(route)
    ));
}

json::object desired_registration(
    const api::service_offer& offer, const registration_chain& chain, const plan_settings& settings
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
    json::object out = child(
        api::registration_request_resource,
        offer.meta,
        api::registration_name(offer.meta.name),
        api::to_json_spec(request)
    );
    out["metadata"].as_object()["finalizers"] = json::array{json::value(api::finalizer)};
    return stamped(std::move(out));
}

json::object retired_registration(const kube::object_meta& offer, const kube::object& live)
{
    json::object spec = live.spec();
    spec["desiredState"] = to_string(api::desired_state::retired);
    json::object out = child(api::registration_request_resource, offer, live.meta.name, std::move(spec));
    json::object& metadata = out["metadata"].as_object();
    metadata["uid"] = live.meta.uid;
    metadata["finalizers"] = json::array{json::value(api::finalizer)};
    return stamped(std::move(out));
}

bool is_ours(const kube::object& child, const kube::object& offer)
{
    if (const auto* owner = child.meta.controller())
        return owner->uid == offer.meta.uid;
    const json::object wanted{
        {api::managed_by_label, api::managed_by_value},
        {api::offer_label, api::label_value(offer.meta.name)}};
    return kube::contains(object_at(child.raw, "metadata.labels"), wanted);
}

std::string taken_message(const kube::object& child, const kube::object& offer)
{
    const auto* owner = child.meta.controller();
    return fmt::format(
        "{} {} was not made for this offer ({}) and is left alone; delete or rename it, or give ServiceOffer "
        "{} another name",
        kube::string_at(child.raw, "kind"),
        child.meta.key().to_string(),
        owner ? fmt::format("it belongs to {} {}, uid {}", owner->kind, owner->name, owner->uid)
              : std::string("nothing says that Portitor made it"),
        offer.meta.name
    );
}

bool needs_apply(const kube::object_ptr& live, const json::object& desired)
{
    if (!live || !holds_metadata(live->raw, desired))
        return true;
    return live->spec() != desired.at("spec").as_object();
}

std::vector<std::string> foreign_fields(const kube::object& live, const json::object& desired)
{
    std::vector<std::string> out;
    collect_foreign(live.spec(), desired.at("spec").as_object(), "/spec", out);
    return out;
}

std::optional<apply>
needed_apply(const kube::resource& kind, const kube::object_ptr& live, json::object desired)
{
    if ((live && live->meta.deleted) || !needs_apply(live, desired))
        return std::nullopt;
    apply out{kind, std::move(desired), {}, {}, false};
    if (live)
    {
        out.foreign = foreign_fields(*live, out.desired);
        out.uid = live->meta.uid;
    }
    return out;
}

bool was_edited(const kube::object& live, const json::object& desired)
{
    return hash_of(live.raw) == hash_of(desired) &&
           (live.spec() != desired.at("spec").as_object() || !holds_metadata(live.raw, desired));
}

}  // namespace portitor::offer
