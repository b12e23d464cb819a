#include "roles/registrar/verdict.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

namespace portitor::registrar {

namespace json = boost::json;

std::optional<verdict> judge_without_chain(
    const api::registration_request& request, const api::registration_state& now, const kube::object& live
)
{
    verdict said;
    if (request.state == api::desired_state::retired)
    {
        said.phase = api::registration_phase::retired;
        said.reason = "Retired";
        said.message = "nothing was registered on chain, so there is nothing to take back";
        // What is on chain can only be retired there: wait for a registrar that reaches the chain.
        if (now.touched_chain())
        {
            said.phase = api::registration_phase::failed;
            said.reason = "NoChain";
            said.message = fmt::format(
                "agent {} is registered on {}, and no chain is configured to retire it on",
                now.agent_id,
                request.chain
            );
        }
    }
    else
    {
        if (now.touched_chain())
            return std::nullopt;
        said.phase = api::registration_phase::off_chain_only;
        said.reason = "NoChain";
        said.message = fmt::format("no RPC endpoint and key are configured for {}", request.chain);
    }
    const auto conditions = kube::parse_conditions(live.status());
    const kube::condition* before = kube::find_condition(conditions, "Registered");
    const bool told = before && now.phase == said.phase && before->reason == said.reason &&
                      before->message == said.message && before->observed_generation == live.meta.generation;
    return told ? std::nullopt : std::optional(said);
}

json::object status_of(const kube::object& live, const verdict& said, clock::time_point now)
{
    const bool good = said.phase != api::registration_phase::failed;
    std::vector<kube::condition> conditions{
        {"Registered", good ? "True" : "False", said.reason, said.message, live.meta.generation, {}}};
    kube::keep_transition_times(conditions, kube::parse_conditions(live.status()), now);
    json::array list;
    list.push_back(kube::to_json(conditions.front()));
    json::object status{{"phase", api::to_string(said.phase)}, {"errorMessage", said.message}};
    for (const char* kept : {"agentId", "txHash"})
    {
        if (auto text = kube::string_at(live.status(), kept); !text.empty())
            status[kept] = text;
    }
    status["conditions"] = std::move(list);
    return status;
}

}  // namespace portitor::registrar
