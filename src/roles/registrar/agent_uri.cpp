#include "roles/registrar/agent_uri.hpp"

#include "offer/agent_document.hpp"
#include "offer/shown_text.hpp"

#include <portitor/x402/base64.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace portitor::registrar {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_retired = 300;

std::string entry_of(const agent_identity& who)
{
    return offer::registration_entry(
        to_string(who.agent_id), fmt::format("eip155:{}", who.chain_id), who.registry.to_checksum()
    );
}

std::string data_uri(const std::string& document)
{
    return "data:application/json;base64," + x402::encode_base64(document);
}

std::string retired_document(const std::string& name, const std::string& entry)
{
    const json::object out{
        {"type", offer::agent_document_type}, {"name", name}, {"active", false}, {"x402Support", false}};
    const std::string_view entries[] = {entry};
    return offer::with_list(json::serialize(out), "registrations", entries);
}

}  // namespace

std::string retired_uri(const std::string& name, const agent_identity& who)
{
    const std::string entry = entry_of(who);
    std::string shown = offer::shown_text(name);
    std::string document = retired_document(shown, entry);
    // One escaped character more may be two bytes, so it is cut until it fits.
    while (document.size() > longest_retired && !shown.empty())
    {
        const std::size_t excess = document.size() - longest_retired;
        shown = offer::shown_text(shown, shown.size() - std::min(shown.size(), (excess + 1) / 2));
        document = retired_document(shown, entry);
    }
    return data_uri(document);
}

result<std::string> document_uri(const std::string& document, const agent_identity& who)
{
    boost::system::error_code failed;
    json::value parsed = json::parse(document, failed);
    if (failed || !parsed.is_object() || parsed.get_object().empty())
        return fail(errc::invalid, "spec.document must be a JSON object with members");
    json::object& members = parsed.get_object();
    std::vector<std::string> entries;
    if (const json::value* others = members.if_contains("registrations"))
    {
        if (!others->is_array())
            return fail(errc::invalid, "spec.document: \"registrations\" must be a list");
        for (const json::value& each : others->get_array())
            entries.push_back(json::serialize(each));
        members.erase("registrations");
    }
    const std::string own = entry_of(who);
    if (std::find(entries.begin(), entries.end(), own) == entries.end())
        entries.push_back(own);
    if (members.empty())
        return fail(errc::invalid, "spec.document must say more than \"registrations\"");
    const std::vector<std::string_view> list(entries.begin(), entries.end());
    return data_uri(offer::with_list(json::serialize(members), "registrations", list));
}

}  // namespace portitor::registrar
