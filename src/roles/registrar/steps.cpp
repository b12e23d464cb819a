#include "roles/registrar/steps.hpp"

#include <algorithm>

namespace portitor::registrar {

using api::registration_phase;

namespace {

constexpr std::size_t longest_message = 1000;

/// How long what was refused by the contract is left alone: minutes that double, a day at most.
std::chrono::seconds pause_after(std::uint32_t failures)
{
    const auto doublings = std::min<std::uint32_t>(failures == 0 ? 0 : failures - 1, 8);
    return std::chrono::minutes(5) * (1U << doublings);
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
    {
        // Not within a character of UTF-8.
        std::size_t end = longest_message;
        while (end > 0 && (static_cast<unsigned char>(status.message[end]) & 0xC0U) == 0x80U)
            --end;
        status.message.resize(end);
    }
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

next_step say_confirmed(const situation& of, request_status status)
{
    std::string message =
        fmt::format("registered on {} as agent {}", of.chain.name, to_string(*status.agent_id));
    return say(of, std::move(status), registration_phase::confirmed, "Confirmed", std::move(message));
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

/// An agent that the chain does not show as this account's may have got another number, or none, where the
/// block of its mint was taken back. Nothing where it is what it was.
std::optional<next_step> find_again(const situation& of)
{
    if (!of.facts.head)
        return question(ask::about::head);
    if (!of.facts.earlier)
        return question(ask::about::earlier);
    const earlier_mint& found = *of.facts.earlier;
    // Nothing is forgotten but what this account has minted just now, and by a head that has all that is
    // known to be mined.
    const bool is_ours = of.status.under_way && of.status.under_way->what == operation::mint &&
                         of.status.under_way->account == of.account;
    const bool is_gone =
        is_ours && !*of.facts.agent && !found.agent_id && found.certain && found.nonces >= of.least_nonce;
    if (!is_gone && (!found.agent_id || found.agent_id == of.status.agent_id))
        return std::nullopt;
    request_status status = of.status;
    status.agent_id = found.agent_id;
    return say(
        of,
        std::move(status),
        registration_phase::pending,
        "Pending",
        found.agent_id ? fmt::format("agent {} was minted for this offer", to_string(*found.agent_id))
                       : std::string("the chain has taken the registration back; it is made again")
    );
}

std::optional<next_step> look_at_agent(const situation& of)
{
    const auto& seen = of.facts.agent;
    if (!seen)
        return ask{.what = ask::about::agent, .agent_id = *of.status.agent_id};
    const bool is_minted = !of.status.previous_uri;
    if (is_minted && (!*seen || (*seen)->owner != of.account))
    {
        if (auto step = find_again(of))
            return step;
    }
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

}  // namespace portitor::registrar
