#include "offer/agent_document.hpp"
#include "offer/naming.hpp"
#include "roles/controller/discovery/documents.hpp"

#include <portitor/http/message.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace portitor::controller {

namespace json = boost::json;

namespace {

constexpr std::size_t most_digits = 78;  // of 2^256 - 1

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

// The entry of "registrations"; empty as long as the registry has given no id.
std::string registered_as(const kube::object& request, const offer::plan_settings& settings)
{
    const std::string agent = api::read_registration_state(request).agent_id;
    const std::string registry = kube::string_at(request.spec(), "registry");
    const std::string chain = caip2_of(kube::string_at(request.spec(), "chain"), settings);
    if (!is_number(agent) || !is_address(registry) || chain.empty())
        return {};
    return offer::registration_entry(agent, chain, registry);
}

bool is_to_end(const kube::object& request)
{
    return kube::string_at(request.spec(), "desiredState") == to_string(api::desired_state::retired);
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
    const bool stays = !seen.offer->meta.deleted;
    const json::object out =
        offer ? offer::agent_document(*offer, settings, stays && offer->registration.enabled, listed)
              : offer::agent_document(request->spec(), stays && !is_to_end(*request));
    const std::string entry = request ? registered_as(*request, settings) : std::string();
    const std::string_view entries[] = {entry};
    return offer::with_list(
        json::serialize(out), "registrations", std::span(entries).first(entry.empty() ? 0 : 1)
    );
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
        out.registration = registered_as(*request, settings);
    return out;
}

std::string registrations_document(
    std::span<const std::string_view> agents,
    std::span<const std::string_view> registrations,
    const offer::plan_settings& settings,
    const std::string& host
)
{
    const bool is_own = !host.empty() && !settings.gateway.public_url.empty();
    const std::string site = is_own ? offer::url_of_host(host, settings) : settings.gateway.public_url;
    const auto address = http::parse_url(site);
    const std::string name = address ? address->origin.authority() : host.empty() ? "Portitor" : host;
    json::object out{
        {"type", offer::agent_document_type},
        {"name", name},
        {"description", "HTTP services that are sold for x402 payments"},
        {"services", json::array{offer::service_of_agent("web", site + std::string(services_path))}},
        {"x402Support", true},
        {"active", true},
    };
    return offer::with_list(
        offer::with_list(json::serialize(out), "agents", agents), "registrations", registrations
    );
}

}  // namespace portitor::controller
