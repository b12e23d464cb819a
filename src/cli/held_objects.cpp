#include "cli/held_objects.hpp"

#include <portitor/api/registration_request.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/kube/list_all.hpp>

#include <array>

namespace portitor::cli {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;

// Offers first: without its offer nobody makes a request again.
constexpr std::array kinds{api::service_offer_resource, api::registration_request_resource};

std::optional<registered> on_chain(const kube::object& request)
{
    const api::registration_state state = api::read_registration_state(request);
    if (!state.touched_chain() || state.phase == api::registration_phase::retired)
        return {};
    return registered{
        std::string(kube::string_at(request.spec(), "chain")),
        std::string(state.agent_id),
        std::string(state.tx_hash)};
}

asio::awaitable<result<void>>
list(kube::api& server, kube::resource kind, std::vector<held>& into, const stop_signal& stop)
{
    const bool is_request = kind.plural == api::registration_request_resource.plural;
    const kube::item_handler take = [&](json::object&& item, std::string_view) -> result<void> {
        auto parsed = kube::parse_object(std::move(item));
        if (!parsed)
            return parsed.error();
        if ((*parsed)->meta.has_finalizer(api::finalizer))
            into.push_back({kind, (*parsed)->meta, is_request ? on_chain(**parsed) : std::nullopt});
        return {};
    };
    const kube::selection everything;
    const auto listed = co_await kube::list_each(server, kind, everything, take, {.stop = &stop});
    // A cluster without that kind holds nothing of it.
    if (listed || listed.error().is_not_found())
        co_return result<void>();
    co_return listed.error().to_error();
}

}  // namespace

std::string describe(const held& each)
{
    return fmt::format("{} {}", each.kind.kind, each.meta.key().to_string());
}

json::object to_json(const held& each, bool released)
{
    json::object out{
        {"kind", each.kind.kind},
        {"namespace", each.meta.ns},
        {"name", each.meta.name},
        {"released", released},
        {"onChain", nullptr}};
    if (each.on_chain)
        out["onChain"] = {
            {"chain", each.on_chain->chain},
            {"agentId", each.on_chain->agent_id},
            {"transaction", each.on_chain->transaction}};
    return out;
}

asio::awaitable<result<std::vector<held>>> list_held(kube::api& server, const stop_signal& stop)
{
    std::vector<held> out;
    for (const kube::resource& kind : kinds)
    {
        auto listed = co_await list(server, kind, out, stop);
        if (!listed)
            co_return listed.error().within("listing " + std::string(kind.plural));
    }
    co_return out;
}

}  // namespace portitor::cli
