#include "api/fields.hpp"

#include <portitor/api/registration_request.hpp>

#include <array>

namespace portitor::api {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 7> phase_names{
    "", "Pending", "Submitted", "Confirmed", "Failed", "OffChainOnly", "Retired"};

}  // namespace

const char* to_string(desired_state value) noexcept
{
    return value == desired_state::retired ? "Retired" : "Active";
}

const char* to_string(registration_phase value) noexcept
{
    return phase_names[static_cast<std::size_t>(value)].data();
}

result<registration_request> parse_registration_request(const kube::object& request)
{
    if (!request.unreadable.empty())
        return fail(errc::invalid, "the object cannot be read: {}", request.unreadable);
    std::optional<error> wrong;
    const fields spec(request.spec(), "spec", wrong);

    registration_request out;
    out.meta = request.meta;
    out.name = spec.required_text("name", 253);
    out.description = spec.text("description", 1024);
    out.endpoint = spec.text("endpoint", 2048);
    out.image = spec.text("image", 2048);
    out.chain = spec.required_text("chain", 64, network_rule);
    out.registry = spec.required_text("registry", 42, address_rule);
    out.agent_uri = spec.required_text("agentURI", 2048, http_url_rule);
    out.metadata = spec.text_map("metadata", 32, 512);
    out.agent_id = spec.text("agentId", 78, agent_id_rule);
    out.document = spec.text("document", 8192);
    if (const auto secret = spec.object("privateKeySecret"))
        out.private_key_secret =
            secret_key_ref{secret->required_text("name", 253), secret->required_text("key", 253)};
    if (spec.one_of("desiredState", {"Active", "Retired"}) == 1)
        out.state = desired_state::retired;
    if (wrong)
        return *wrong;
    return out;
}

json::object to_json_spec(const registration_request& request)
{
    json::object metadata;
    for (const auto& [key, value] : request.metadata)
        metadata[key] = value;
    json::object out{
        {"name", request.name},
        {"description", request.description},
        {"endpoint", request.endpoint},
        {"image", request.image},
        {"chain", request.chain},
        {"registry", request.registry},
        {"agentURI", request.agent_uri},
        {"metadata", std::move(metadata)},
        {"desiredState", to_string(request.state)},
    };
    if (request.private_key_secret)
        out["privateKeySecret"] = {
            {"name", request.private_key_secret->name}, {"key", request.private_key_secret->key}};
    if (!request.agent_id.empty())
        out["agentId"] = request.agent_id;
    if (!request.document.empty())
        out["document"] = request.document;
    return out;
}

registration_state read_registration_state(const kube::object& request)
{
    registration_state out;
    const json::object& status = request.status();
    const std::string phase = kube::string_at(status, "phase");
    out.phase = registration_phase::pending;
    for (std::size_t i = 0; i < phase_names.size(); ++i)
    {
        if (phase == phase_names[i])
            out.phase = static_cast<registration_phase>(i);
    }
    out.agent_id = kube::string_at(status, "agentId");
    out.tx_hash = kube::string_at(status, "txHash");
    out.error_message = kube::string_at(status, "errorMessage");
    const json::value* record = kube::find_path(status, "writeAhead");
    out.in_flight = record && record->is_object() && !record->get_object().empty();
    return out;
}

}  // namespace portitor::api
