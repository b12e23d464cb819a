#include <portitor/api/resources.hpp>
#include <portitor/api/served_schema.hpp>
#include <portitor/kube/object.hpp>

#include <fmt/format.h>

#include <array>

namespace portitor::api {

namespace json = boost::json;

namespace {

// All that controller and registrar write into a RegistrationRequest and read again. Of status.writeAhead two
// fields are in no schema, as it keeps what it does not know.
constexpr std::array request_fields{
    "spec.name",
    "spec.description",
    "spec.endpoint",
    "spec.image",
    "spec.chain",
    "spec.registry",
    "spec.agentURI",
    "spec.metadata",
    "spec.privateKeySecret.name",
    "spec.privateKeySecret.key",
    "spec.agentId",
    "spec.document",
    "spec.desiredState",
    "status.phase",
    "status.observedGeneration",
    "status.agentId",
    "status.txHash",
    "status.errorMessage",
    "status.writeAhead.operation",
    "status.writeAhead.key",
    "status.writeAhead.account",
    "status.writeAhead.nonce",
    "status.writeAhead.attempt",
    "status.writeAhead.transactionHashes",
    "status.writeAhead.rawTransaction",
    "status.writeAhead.canceledFrom",
    "status.writeAhead.fromBlock",
    "status.writeAhead.startedAt",
    "status.writeAhead.minedTransaction",
    "status.writeAhead.minedBlock",
    "status.writeAhead.minedBlockHash",
    "status.writeAhead.confirmed",
    "status.previousURI",
    "status.sentAt",
    "status.changedAt",
    "status.failures",
    "status.conditions.type",
    "status.conditions.status",
    "status.conditions.reason",
    "status.conditions.message",
    "status.conditions.observedGeneration",
    "status.conditions.lastTransitionTime"};

/// Whether a schema has a field; the name of a list stands for its items.
bool knows(const json::object& schema, std::string_view path)
{
    const json::object* at = &schema;
    while (!path.empty())
    {
        const auto point = path.find('.');
        const std::string_view name = path.substr(0, point);
        path = point == path.npos ? "" : path.substr(point + 1);
        const json::object& members = kube::object_at(*at, "properties");
        const json::value* next = members.if_contains(name);
        if (!next)
            return kube::bool_at(*at, "x-kubernetes-preserve-unknown-fields");
        at = &kube::as_object(*next);
        if (kube::string_at(*at, "type") == "array")
            at = &kube::object_at(*at, "items");
    }
    return true;
}

/// The schema of a kind; null where the document has none.
const json::object* schema_of(const json::object& document, const kube::resource& kind)
{
    // The name's points are no path.
    const json::object& all = kube::object_at(document, "components.schemas");
    const json::value* found = all.if_contains(fmt::format("org.obol.{}.{}", kind.version, kind.kind));
    return found ? found->if_object() : nullptr;
}

}  // namespace

served_schema read_served_schema(const json::object& document)
{
    served_schema out;
    if (const json::object* offer = schema_of(document, service_offer_resource))
    {
        out.offer_phase = knows(*offer, "status.phase");
        out.offer_condition_generation = knows(*offer, "status.conditions.observedGeneration");
    }
    if (const json::object* request = schema_of(document, registration_request_resource))
    {
        for (const std::string_view each : request_fields)
        {
            if (out.request_lacks.empty() && !knows(*request, each))
                out.request_lacks = each;
        }
    }
    return out;
}

}  // namespace portitor::api
