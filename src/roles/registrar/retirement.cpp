#include "roles/registrar/steps.hpp"

#include <portitor/erc8004/identity_registry.hpp>

namespace portitor::registrar {

using api::registration_phase;

namespace {

next_step retired(const situation& of, std::string message)
{
    request_status status = of.status;
    status.observed_generation = of.request.meta.generation;
    return say(of, std::move(status), registration_phase::retired, "Retired", std::move(message));
}

/// Whether the agent is the one that was registered for this request, and not one that a wrong status names.
/// Nothing where the chain has to be asked first.
std::optional<bool> is_of_request(const situation& of, const agent_on_chain& agent)
{
    if (last_part(agent.uri) == of.uri_end)
        return true;
    if (!of.facts.earlier)
        return std::nullopt;
    return of.facts.earlier->agent_id == of.status.agent_id;
}

}  // namespace

next_step retire(const situation& of)
{
    if (of.status.phase == registration_phase::retired)
        return rest{};
    if (!of.status.agent_id)
        return retired(of, "nothing was registered on chain, so there is nothing to take back");
    const std::string id = to_string(*of.status.agent_id);
    // By what was done, whatever the spec says by now.
    const bool adopted = of.status.previous_uri.has_value();
    if (adopted && !of.hand_back)
        return retired(of, fmt::format("agent {} was taken over and keeps its URI", id));
    if (auto unknown = look_at_agent(of))
        return *unknown;
    const agent_on_chain& agent = **of.facts.agent;
    const std::string target = adopted ? *of.status.previous_uri : retired_uri(of.request.name, agent_of(of));
    if (agent.uri == target)
        return retired(of, fmt::format("agent {} says on {} that it is no more", id, of.chain.name));
    if (agent.owner != of.account)
        return retired(
            of, fmt::format("agent {} belongs to {} now and was left alone", id, agent.owner.to_checksum())
        );
    if (const auto until = paused_until(of, true))
        return wait_until(of, *until);
    const auto ours = adopted ? true : is_of_request(of, agent);
    if (!ours)
        return of.facts.head ? question(ask::about::earlier) : question(ask::about::head);
    if (!*ours)
        return retired(of, fmt::format("agent {} was not registered for this offer and was left alone", id));
    return send(of, operation::retire, {}, erc8004::set_agent_uri_call(*of.status.agent_id, target));
}

}  // namespace portitor::registrar
