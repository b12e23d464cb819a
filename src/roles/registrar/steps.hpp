#pragma once

#include "roles/registrar/agent_uri.hpp"
#include "roles/registrar/next_step.hpp"

#include <fmt/format.h>

/// What the parts of decide() share.
namespace portitor::registrar {

inline constexpr std::chrono::milliseconds node_catches_up = std::chrono::seconds(5);
inline constexpr std::chrono::milliseconds money_comes = std::chrono::minutes(1);

/// The status says this from now on; nothing to write where it does already.
next_step
say(const situation& of,
    request_status status,
    api::registration_phase phase,
    std::string reason,
    std::string message,
    std::optional<std::chrono::milliseconds> then = {});

/// The same, of the status as it is.
next_step
say(const situation& of,
    api::registration_phase phase,
    std::string reason,
    std::string message,
    std::optional<std::chrono::milliseconds> then = {});

/// Waiting, in the phase that there is: Submitted where something is under way, else Pending.
next_step
wait_for(const situation& of, std::string reason, std::string message, std::chrono::milliseconds time);

/// It is registered, as the agent that the status names.
next_step say_confirmed(const situation& of, request_status status);

/// Until when nothing is sent for this object, because it was just changed or has just failed.
std::optional<clock::time_point> paused_until(const situation& of, bool is_first_change);

/// Waits until then, and says so.
next_step wait_until(const situation& of, clock::time_point until);

/// The agent that the status names, as the registry has it: the question, or why it is none to change.
std::optional<next_step> look_at_agent(const situation& of);

/// Which agent of which registry the status names.
inline agent_identity agent_of(const situation& of)
{
    return {of.chain_id, of.registry, *of.status.agent_id};
}

/// Asks what is needed for a call of the registry and then has it sent.
next_step send(const situation& of, operation what, std::string key, evm::bytes data);

/// Follows what is under way to its end. Nothing where there is nothing to follow just now.
std::optional<next_step> follow(const situation& of);

/// The same of what is in no block: it is sent again, replaced, or given up where another one has its nonce.
next_step follow_unmined(const situation& of);

/// Has the agent say that it is no more, where it was registered for this request.
next_step retire(const situation& of);

/// When a transaction that was confirmed is looked at once more, in case a block that was deep enough goes
/// all the same.
inline clock::time_point look_again_at(const write_ahead& record)
{
    return record.started_at + std::chrono::minutes(2);
}

/// The call that mints what a request wants.
evm::bytes mint_call(const api::registration_request& request);

/// How long until the next look at something that began then.
std::chrono::milliseconds poll_after(const situation& of, clock::time_point began);

/// What block makers ask for now: as the last blocks tell, else by the node's advice.
inline std::optional<u256> priority_of(const chain_facts& known)
{
    return known.head && known.head->priority ? known.head->priority : known.priority_fee;
}

inline next_step question(ask::about what)
{
    return ask{what};
}

}  // namespace portitor::registrar
