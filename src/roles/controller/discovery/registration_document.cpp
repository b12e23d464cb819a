#include "offer/naming.hpp"
#include "roles/controller/discovery/documents.hpp"

#include <portitor/http/message.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace portitor::controller {

namespace json = boost::json;

namespace {

constexpr const char* file_type = "https://eips.ethereum.org/EIPS/eip-8004#registration-v1";
// Where readers of these files expect an OASF entry that only names skills and domains.
constexpr const char* oasf_endpoint = "https://github.com/agntcy/oasf/";
constexpr const char* oasf_version = "0.8";
constexpr std::size_t most_digits = 78;  // of 2^256 - 1

json::array texts(const std::vector<std::string>& from)
{
    json::array out;
    for (const std::string& each : from)
        out.emplace_back(each);
    return out;
}

bool is_number(std::string_view text)
{
    return !text.empty() && text.size() <= most_digits && (text == "0" || text.front() != '0') &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_address(std::string_view text)
{
    return text.size() == 42 && text.starts_with("0x") &&
           text.find_first_not_of("0123456789abcdefABCDEF", 2) == text.npos;
}

// The chain by its CAIP-2 name; empty where nobody knows it.
std::string caip2_of(const std::string& chain, const offer::plan_settings& settings)
{
    if (const x402::network* known = settings.lists.networks.table.find(chain))
        return known->caip2;
    return chain.find(':') == chain.npos ? std::string() : chain;
}

// The entry of "registrations"; empty as long as the registry has given no id. Written by hand, because an
// id has up to 256 bits and must be a JSON number.
std::string registration_entry(const kube::object& request, const offer::plan_settings& settings)
{
    const std::string agent = api::read_registration_state(request).agent_id;
    const std::string registry = kube::string_at(request.spec(), "registry");
    const std::string chain = caip2_of(kube::string_at(request.spec(), "chain"), settings);
    if (!is_number(agent) || !is_address(registry) || chain.empty())
        return {};
    return fmt::format(
        R"({{"agentId":{},"agentRegistry":{}}})", agent, json::serialize(json::string(chain + ":" + registry))
    );
}

// The text of an object that has members, with one more: a list of JSON texts.
std::string with_list(std::string object, std::string_view name, std::span<const std::string_view> list)
{
    std::size_t size = object.size() + name.size() + 8;
    for (const std::string_view each : list)
        size += each.size() + 1;
    object.reserve(size);
    object.pop_back();
    object += ",\"";
    object += name;
    object += "\":[";
    for (const std::string_view each : list)
    {
        object += each;
        object += ',';
    }
    if (!list.empty())
        object.pop_back();
    object += "]}";
    return object;
}

json::object service(const std::string& name, const std::string& endpoint)
{
    return {{"name", name}, {"endpoint", endpoint}};
}

// The offer's own endpoint first, then what the seller wrote. Skills and domains belong to an OASF entry.
json::array services_of(const api::registration& wanted, const std::string& endpoint)
{
    json::array out{service("web", endpoint)};
    bool described = wanted.skills.empty() && wanted.domains.empty();
    const auto describe = [&](json::object& entry) {
        entry["skills"] = texts(wanted.skills);
        entry["domains"] = texts(wanted.domains);
        described = true;
    };
    for (const api::service_entry& each : wanted.services)
    {
        json::object entry = service(each.name, each.endpoint);
        if (!each.version.empty())
            entry["version"] = each.version;
        if (!described && each.name == "OASF")
            describe(entry);
        out.push_back(std::move(entry));
    }
    if (!described)
    {
        json::object entry = service("OASF", oasf_endpoint);
        entry["version"] = oasf_version;
        describe(entry);
        out.push_back(std::move(entry));
    }
    return out;
}

// What a registration file says, from whichever source there is.
struct agent_facts
{
    std::string name;
    std::string description;
    std::string image;
    json::array services;
    std::vector<std::string> trust;
    bool wanted = false;  ///< the offer is to be registered
};

agent_facts facts_of(const api::service_offer& offer, const offer::plan_settings& settings)
{
    const api::registration& wanted = offer.registration;
    agent_facts out;
    out.name = offer::agent_name(offer);
    out.description = offer::description_of(offer);
    out.image = wanted.image;
    out.services = services_of(wanted, offer::endpoint_of(offer, settings));
    out.trust = wanted.supported_trust;
    out.wanted = wanted.enabled;
    return out;
}

// An offer that has become unreadable is described by what was last to be registered.
agent_facts facts_of(const json::object& request)
{
    agent_facts out;
    out.name = kube::string_at(request, "name");
    out.description = kube::string_at(request, "description");
    out.image = kube::string_at(request, "image");
    out.services.push_back(service("web", kube::string_at(request, "endpoint")));
    out.wanted = kube::string_at(request, "desiredState") != to_string(api::desired_state::retired);
    return out;
}

}  // namespace

std::optional<std::string>
registration_document(const offer_view& seen, const listing& known, const offer::plan_settings& settings)
{
    // Without a public address there is no agentURI.
    if (!seen.offer || settings.gateway.public_url.empty())
        return std::nullopt;
    const kube::object* request = seen.own(offer::child_kind::registration);
    const bool listed = known.sold && known.sold->offer.registration.enabled;
    if (!listed && !request)
        return std::nullopt;
    const auto& offer = seen.offer->spec;
    agent_facts facts = offer ? facts_of(*offer, settings) : facts_of(request->spec());
    facts.wanted = facts.wanted && !seen.offer->meta.deleted;
    json::object out{{"type", file_type}, {"name", facts.name}, {"description", facts.description}};
    if (!facts.image.empty())
        out["image"] = facts.image;
    out["services"] = std::move(facts.services);
    out["x402Support"] = facts.wanted;
    out["active"] = listed;
    if (!facts.trust.empty())
        out["supportedTrust"] = texts(facts.trust);
    const std::string entry = request ? registration_entry(*request, settings) : std::string();
    const std::string_view entries[] = {entry};
    return with_list(json::serialize(out), "registrations", std::span(entries).first(entry.empty() ? 0 : 1));
}

list_entry make_list_entry(const offer_view& seen, const listing& known, const offer::plan_settings& settings)
{
    list_entry out;
    if (!known.sold)
        return out;
    const api::service_offer& offer = known.sold->offer;
    out.service = service_entry(*known.sold, settings);
    if (!offer.registration.enabled || settings.gateway.public_url.empty())
        return out;
    out.agent = json::serialize(json::object{
        {"name", offer::agent_name(offer)},
        {"agentURI", offer::agent_uri(offer.meta.uid, settings)},
        {"endpoint", offer::endpoint_of(offer, settings)}});
    if (const kube::object* request = seen.own(offer::child_kind::registration))
        out.registration = registration_entry(*request, settings);
    return out;
}

std::string registrations_document(
    std::span<const std::string_view> agents,
    std::span<const std::string_view> registrations,
    const offer::plan_settings& settings
)
{
    const auto address = http::parse_url(settings.gateway.public_url);
    const std::string name = address ? address->origin.authority() : "Portitor";
    json::object out{
        {"type", file_type},
        {"name", name},
        {"description", "HTTP services that are sold for x402 payments"},
        {"services", json::array{service("web", settings.gateway.public_url + std::string(services_path))}},
        {"x402Support", true},
        {"active", true},
    };
    return with_list(with_list(json::serialize(out), "agents", agents), "registrations", registrations);
}

}  // namespace portitor::controller
