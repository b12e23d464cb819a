#include "offer/agent_document.hpp"

#include "offer/naming.hpp"
#include "offer/shown_text.hpp"

#include <portitor/evm/address.hpp>
#include <portitor/kube/object.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;

namespace {

// Where readers of these files expect an OASF entry that only names skills and domains.
constexpr const char* oasf_endpoint = "https://github.com/agntcy/oasf/";
constexpr const char* oasf_version = "0.8";

json::array shown_texts(const std::vector<std::string>& from)
{
    json::array out;
    for (const std::string& each : from)
    {
        if (std::string text = shown_text(each); !text.empty())
            out.emplace_back(std::move(text));
    }
    return out;
}

// Skills and domains belong to an OASF entry: the seller's own, or one that is made for them.
void add_skills(json::array& services, const api::registration& wanted)
{
    json::array skills = shown_texts(wanted.skills);
    json::array domains = shown_texts(wanted.domains);
    if (skills.empty() && domains.empty())
        return;
    const auto own = std::find_if(services.begin(), services.end(), [](const json::value& each) {
        return each.at("name").as_string() == "OASF";
    });
    json::value& entry =
        own == services.end() ? services.emplace_back(service_of_agent("OASF", oasf_endpoint)) : *own;
    json::object& described = entry.as_object();
    if (!described.contains("version"))
        described["version"] = oasf_version;
    described["skills"] = std::move(skills);
    described["domains"] = std::move(domains);
}

// The offer's own endpoint first, then what the seller wrote.
json::array services_of(const api::registration& wanted, const std::string& endpoint)
{
    json::array out{service_of_agent("web", endpoint)};
    for (const api::service_entry& each : wanted.services)
    {
        const std::string name = shown_text(each.name);
        const std::string address = shown_address(each.endpoint);
        if (name.empty() || address.empty())
            continue;
        json::object entry = service_of_agent(name, address);
        if (const std::string version = shown_text(each.version); !version.empty())
            entry["version"] = version;
        out.push_back(std::move(entry));
    }
    add_skills(out, wanted);
    return out;
}

json::object make_document(
    const std::string& name, const std::string& description, const std::string& image, json::array services
)
{
    json::object out{
        {"type", agent_document_type},
        {"name", shown_text(name)},
        {"description", shown_text(description)},
    };
    if (const std::string shown = shown_image(image); !shown.empty())
        out["image"] = shown;
    out["services"] = std::move(services);
    return out;
}

// Leaves out one thing, the least needed one; false where there is nothing left to spare.
bool shorten(json::object& document)
{
    json::array& services = document["services"].as_array();
    for (json::value& each : services)
    {
        json::object& entry = each.as_object();
        if (entry.contains("skills") || entry.contains("domains"))
        {
            entry.erase("skills");
            entry.erase("domains");
            return true;
        }
    }
    if (document.erase("image") > 0 || document.erase("supportedTrust") > 0)
        return true;
    if (services.size() > 1)
    {
        services.pop_back();
        return true;
    }
    json::value& description = document["description"];
    const bool spared = !description.as_string().empty();
    description = "";
    return spared;
}

}  // namespace

json::object service_of_agent(const std::string& name, const std::string& endpoint)
{
    return {{"name", name}, {"endpoint", endpoint}};
}

json::object
agent_document(const api::service_offer& offer, const plan_settings& settings, bool wanted, bool active)
{
    const api::registration& said = offer.registration;
    json::object out = make_document(
        agent_name(offer), description_of(offer), said.image, services_of(said, endpoint_of(offer, settings))
    );
    out["x402Support"] = wanted;
    out["active"] = wanted && active;
    if (json::array trust = shown_texts(said.supported_trust); !trust.empty())
        out["supportedTrust"] = std::move(trust);
    return out;
}

json::object agent_document(const json::object& request_spec, bool wanted)
{
    const auto text = [&](const char* field) { return kube::string_at(request_spec, field); };
    json::object out = make_document(
        text("name"),
        text("description"),
        text("image"),
        json::array{service_of_agent("web", shown_address(text("endpoint")))}
    );
    out["x402Support"] = wanted;
    out["active"] = false;
    return out;
}

std::string short_document(const api::service_offer& offer, const plan_settings& settings, bool active)
{
    json::object document = agent_document(offer, settings, true, active);
    std::string out = json::serialize(document);
    while (out.size() > longest_document && shorten(document))
        out = json::serialize(document);
    return out;
}

std::string
registration_entry(std::string_view agent_id, std::string_view caip2_chain, std::string_view registry)
{
    // Readers compare it as text, and the operator may have spelled it in either case.
    const auto address = evm::address::parse(registry);
    const std::string where =
        fmt::format("{}:{}", caip2_chain, address ? address->to_checksum() : std::string(registry));
    return fmt::format(
        R"({{"agentId":{},"agentRegistry":{}}})", agent_id, json::serialize(json::value(where))
    );
}

std::string with_list(std::string object, std::string_view name, std::span<const std::string_view> list)
{
    std::size_t size = object.size() + name.size() + 8;
    for (const std::string_view each : list)
        size += each.size() + 1;
    object.reserve(size);
    object.pop_back();
    object += object == "{" ? "\"" : ",\"";
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

}  // namespace portitor::offer
