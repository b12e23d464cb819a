#include "roles/registrar/next_step.hpp"

#include "roles/registrar/agent_document.hpp"
#include "roles/registrar/steps.hpp"

#include <portitor/erc8004/identity_registry.hpp>

#include <algorithm>

namespace portitor::registrar {

using api::registration_phase;

namespace {

constexpr std::chrono::hours document_interval(1);
constexpr std::size_t longest_message = 1000;
constexpr std::size_t longest_key = 64;  // that the record has room for

agent_identity identity_of(const situation& of)
{
    return {of.chain_id, of.registry, *of.status.agent_id};
}

/// How long what was refused by the contract is left alone: minutes that double, a day at most.
std::chrono::seconds pause_after(std::uint32_t failures)
{
    const auto doublings = std::min<std::uint32_t>(failures == 0 ? 0 : failures - 1, 8);
    return std::chrono::minutes(5) * (1U << doublings);
}

/// Until when nothing is sent for this object, because it was just changed or has just failed.
std::optional<clock::time_point> paused_until(const situation& of, bool is_first_change)
{
    if (!of.status.sent_at)
        return std::nullopt;
    std::chrono::seconds pause = is_first_change ? std::chrono::seconds(0) : of.min_interval;
    if (of.status.failures > 0)
        pause = std::max(pause, pause_after(of.status.failures));
    const auto until = *of.status.sent_at + pause;
    return until > of.now ? std::optional(until) : std::nullopt;
}

next_step wait_until(const situation& of, clock::time_point until)
{
    // What was refused stays told as that.
    if (of.status.phase == registration_phase::failed)
        return rest{std::chrono::ceil<std::chrono::milliseconds>(until - of.now)};
    return wait_for(
        of,
        "Pending",
        fmt::format("the next transaction of this object goes at {} at the earliest", to_rfc3339(until)),
        std::chrono::ceil<std::chrono::milliseconds>(until - of.now)
    );
}

/// The agent that the status names, as the registry has it: the question, or why it is none to change.
std::optional<next_step> look_at_agent(const situation& of)
{
    const auto& seen = of.facts.agent;
    if (!seen)
        return ask{.what = ask::about::agent, .agent_id = *of.status.agent_id};
    if (!*seen)
        return wait_for(
            of,
            "NodeUnreachable",
            fmt::format(
                "the node of {} knows no agent {}; it may be behind",
                of.chain.name,
                to_string(*of.status.agent_id)
            ),
            node_catches_up
        );
    return std::nullopt;
}

next_step settle(const situation& of)
{
    request_status status = of.status;
    status.observed_generation = of.request.meta.generation;
    status.failures = 0;
    return say(
        of,
        std::move(status),
        registration_phase::confirmed,
        "Confirmed",
        fmt::format("registered on {} as agent {}", of.chain.name, to_string(*of.status.agent_id))
    );
}

result<std::string> wanted_uri(const situation& of)
{
    if (of.request.document.empty())
        return of.request.agent_uri;
    return document_uri(of.request.document, identity_of(of));
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
    if (agent.uri.substr(agent.uri.rfind('/') + 1) == of.uri_end)
        return true;
    if (!of.facts.earlier)
        return std::nullopt;
    return of.facts.earlier->agent_id == of.status.agent_id;
}

next_step retire(const situation& of)
{
    if (of.status.phase == registration_phase::retired)
        return rest{};
    if (!of.status.agent_id)
        return retired(of, "nothing was registered on chain, so there is nothing to take back");
    const std::string id = to_string(*of.status.agent_id);
    // By what was done, whatever the spec says by now.
    const bool adopted = of.status.previous_uri || !of.request.agent_id.empty();
    if (adopted && !(of.hand_back && of.status.previous_uri))
        return retired(of, fmt::format("agent {} was taken over and keeps its URI", id));
    if (auto unknown = look_at_agent(of))
        return *unknown;
    const agent_on_chain& agent = **of.facts.agent;
    const std::string target =
        adopted ? *of.status.previous_uri : retired_uri(of.request.name, identity_of(of));
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

}  // namespace

next_step
say(const situation& of,
    request_status status,
    registration_phase phase,
    std::string reason,
    std::string message,
    std::optional<std::chrono::milliseconds> then)
{
    status.phase = phase;
    status.reason = std::move(reason);
    status.message = std::move(message);
    if (status.message.size() > longest_message)
        status.message.resize(longest_message);
    if (status == of.status)
        return rest{then};
    return tell{std::move(status), then};
}

next_step
say(const situation& of,
    registration_phase phase,
    std::string reason,
    std::string message,
    std::optional<std::chrono::milliseconds> then)
{
    return say(of, of.status, phase, std::move(reason), std::move(message), then);
}

next_step
wait_for(const situation& of, std::string reason, std::string message, std::chrono::milliseconds time)
{
    const auto phase = holds_nonce(of.status) ? registration_phase::submitted : registration_phase::pending;
    return say(of, phase, std::move(reason), std::move(message), time);
}

std::chrono::milliseconds poll_after(const situation& of, clock::time_point began)
{
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(of.now - began);
    return std::clamp<std::chrono::milliseconds>(
        age / 4, std::chrono::milliseconds(500), std::chrono::seconds(5)
    );
}

bool holds_nonce(const request_status& status)
{
    return status.under_way && !status.under_way->in_block;
}

namespace {

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
        to_string(*of.status.agent_id) != to_string(parse_u256(of.request.agent_id).value()))
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

bool is_waiting(const request_status& status)
{
    return status.under_way && !status.under_way->confirmed;
}

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
