#include "roles/registrar/next_step.hpp"

#include "roles/registrar/steps.hpp"

#include <portitor/erc8004/identity_registry.hpp>

#include <algorithm>

namespace portitor::registrar {

using api::registration_phase;

namespace {

constexpr std::chrono::hours document_interval(1);
constexpr std::size_t longest_key = 64;  // that the record has room for

next_step settle(const situation& of)
{
    request_status status = of.status;
    status.observed_generation = of.request.meta.generation;
    status.failures = 0;
    return say_confirmed(of, std::move(status));
}

result<std::string> wanted_uri(const situation& of)
{
    if (of.request.document.empty())
        return of.request.agent_uri;
    return document_uri(of.request.document, agent_of(of));
}

/// Brings what the chain has of the agent to what the request wants, one difference after the other.
next_step keep_true(const situation& of)
{
    if (of.status.observed_generation == of.request.meta.generation &&
        of.status.phase == registration_phase::confirmed)
        return rest{};
    if (auto unknown = look_at_agent(of))
        return *unknown;
    const agent_on_chain& agent = **of.facts.agent;
    if (agent.owner != of.account)
        return say(
            of,
            registration_phase::failed,
            "NotOwner",
            fmt::format(
                "agent {} on {} belongs to {} and not to the registrar's account {}; transfer it back, or "
                "delete the offer",
                to_string(*of.status.agent_id),
                of.chain.name,
                agent.owner.to_checksum(),
                of.account.to_checksum()
            ),
            std::chrono::minutes(10)
        );
    const auto uri = wanted_uri(of);
    if (!uri)
        return say(of, registration_phase::failed, "Failed", uri.error().within("spec.document").message());
    const bool on_chain = !of.request.document.empty();
    // Of what follows the mint, often by its very plan, the first need not wait.
    const bool is_first = !of.status.changed_at;
    if (agent.uri != *uri)
    {
        auto until = paused_until(of, is_first);
        if (on_chain && of.status.changed_at)
            until = std::max(until.value_or(of.now), *of.status.changed_at + document_interval);
        if (until && *until > of.now)
            return wait_until(of, *until);
        return send(of, operation::set_uri, {}, erc8004::set_agent_uri_call(*of.status.agent_id, *uri));
    }
    for (const auto& [key, value] : of.request.metadata)
    {
        const auto live = of.facts.metadata.find(key);
        if (live == of.facts.metadata.end())
            return ask{.what = ask::about::metadata, .agent_id = *of.status.agent_id, .key = key};
        const evm::bytes wanted(value.begin(), value.end());
        if (live->second == wanted)
            continue;
        if (const auto until = paused_until(of, is_first))
            return wait_until(of, *until);
        return send(
            of, operation::set_metadata, key, erc8004::set_metadata_call(*of.status.agent_id, key, wanted)
        );
    }
    return settle(of);
}

next_step mint(const situation& of)
{
    if (const auto until = paused_until(of, false))
        return wait_until(of, *until);
    return send(of, operation::mint, {}, mint_call(of.request));
}

next_step adopt(const situation& of)
{
    const u256 id = parse_u256(of.request.agent_id).value();
    if (of.identity_taken)
        return say(
            of,
            registration_phase::failed,
            "IdentityTaken",
            fmt::format("an older request has agent {} on {}", of.request.agent_id, of.chain.name),
            money_comes
        );
    if (!of.facts.agent)
        return ask{.what = ask::about::agent, .agent_id = id};
    const std::string whose = *of.facts.agent ? "belongs to " + (*of.facts.agent)->owner.to_checksum()
                                              : std::string("does not exist");
    if (!*of.facts.agent || (*of.facts.agent)->owner != of.account)
        return say(
            of,
            registration_phase::failed,
            "NotOwner",
            fmt::format(
                "spec.agentId: agent {} on {} {}, and only one of account {} can be taken over",
                of.request.agent_id,
                of.chain.name,
                whose,
                of.account.to_checksum()
            ),
            money_comes
        );
    request_status status = of.status;
    status.agent_id = id;
    status.previous_uri = (*of.facts.agent)->uri;
    return say(
        of,
        std::move(status),
        registration_phase::pending,
        "Pending",
        fmt::format("agent {} is taken over", of.request.agent_id)
    );
}

next_step decide_now(const situation& of)
{
    if (of.status.under_way)
    {
        if (auto step = follow(of))
            return *step;
    }
    if (of.request.state == api::desired_state::retired)
        return retire(of);
    if (!of.owned)
        return say(
            of,
            of.status.phase == registration_phase::none ? registration_phase::pending : of.status.phase,
            "Unowned",
            "no ServiceOffer with the owner's UID exists: nothing is registered or changed for it"
        );
    if (of.status.agent_id && !of.request.agent_id.empty() &&
        *of.status.agent_id != parse_u256(of.request.agent_id).value())
        return say(
            of,
            registration_phase::failed,
            "IdentityFixed",
            fmt::format(
                "this offer stands for agent {} already, and spec.agentId asks for {}; delete the offer and "
                "make it again to change its identity",
                to_string(*of.status.agent_id),
                of.request.agent_id
            )
        );
    const auto is_too_long = [](const auto& entry) { return entry.first.size() > longest_key; };
    if (std::ranges::any_of(of.request.metadata, is_too_long))
        return say(
            of,
            registration_phase::failed,
            "TooLarge",
            fmt::format("spec.registration.metadata: a name has at most {} characters", longest_key)
        );
    if (of.status.agent_id)
        return keep_true(of);
    return of.request.agent_id.empty() ? mint(of) : adopt(of);
}

}  // namespace

next_step decide(const situation& of)
{
    next_step out = decide_now(of);
    auto* pause = std::get_if<rest>(&out);
    if (pause && of.status.under_way && of.status.under_way->confirmed)
    {
        const auto due =
            std::chrono::ceil<std::chrono::milliseconds>(look_again_at(*of.status.under_way) - of.now);
        pause->for_time = std::min(pause->for_time.value_or(due), due);
    }
    return out;
}

evm::bytes mint_call(const api::registration_request& request)
{
    std::vector<erc8004::metadata_entry> entries;
    for (const auto& [key, value] : request.metadata)
        entries.push_back({key, evm::bytes(value.begin(), value.end())});
    return erc8004::register_call(request.agent_uri, entries);
}

}  // namespace portitor::registrar
