#include "roles/registrar/steps.hpp"

#include <portitor/erc8004/identity_registry.hpp>
#include <portitor/evm/fees.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace {

using api::registration_phase;
constexpr unsigned ether_decimals = 18;
constexpr unsigned gwei_decimals = 9;

/// Ends by a failure of the contract's; it is not tried again before the spec changes or the time is over.
next_step refused_by_contract(const situation& of, operation what)
{
    request_status status = of.status;
    ++status.failures;
    status.sent_at = of.now;
    return say(
        of,
        std::move(status),
        registration_phase::failed,
        "Reverted",
        fmt::format(
            "the registry {} refuses {}{}; nothing was sent. An account with code, such as one with an "
            "EIP-7702 delegation, cannot own an agent",
            of.registry.to_checksum(),
            to_string(what),
            of.facts.revert->empty() ? "" : ": " + *of.facts.revert
        )
    );
}

/// The larger part of what it costs, known before it is asked whether the money is there.
u256 most_of(const evm::transaction& what)
{
    return what.max_fee * what.gas_limit;
}

std::optional<next_step> lack_of_money(const situation& of, const u256& most)
{
    const u256& have = *of.facts.balance;
    if (have >= of.low_balance && have >= most)
        return std::nullopt;
    return wait_for(
        of,
        "LowBalance",
        fmt::format(
            "account {} has {} ether on {}, and {}; send it more",
            of.account.to_checksum(),
            decimal_amount(have, ether_decimals),
            of.chain.name,
            have < of.low_balance
                ? fmt::format("stops below {}", decimal_amount(of.low_balance, ether_decimals))
                : fmt::format("the next transaction may cost {}", decimal_amount(most, ether_decimals))
        ),
        money_comes
    );
}

}  // namespace

next_step send(const situation& of, operation what, std::string key, evm::bytes data)
{
    const chain_facts& known = of.facts;
    if (!of.can_sign)
        return wait_for(
            of,
            "NoKey",
            fmt::format(
                "the key of account {}, which owns the agent, is not there", of.account.to_checksum()
            ),
            money_comes
        );
    if (!of.has_turn)
        return take_turn{};
    if (!known.next_nonce)
        return question(ask::about::next_nonce);
    // A node that is behind would have us sign at a nonce that is gone.
    if (*known.next_nonce < of.least_nonce)
        return wait_for(
            of,
            "NodeUnreachable",
            fmt::format(
                "the node of {} is behind: it counts {} transactions of account {}, and {} are in blocks",
                of.chain.name,
                *known.next_nonce,
                of.account.to_checksum(),
                of.least_nonce
            ),
            node_catches_up
        );
    if (!known.balance)
        return question(ask::about::balance);
    if (auto lack = lack_of_money(of, 0))
        return *lack;
    // After the nonce: whatever was sent at an earlier one is found, or still known to wait.
    if (!known.head)
        return question(ask::about::head);
    if (what == operation::mint)
    {
        if (!known.earlier)
            return question(ask::about::earlier);
        if (known.earlier->agent_id)
        {
            request_status status = of.status;
            status.agent_id = known.earlier->agent_id;
            status.transaction = known.earlier->transaction;
            return say(
                of,
                std::move(status),
                registration_phase::pending,
                "Pending",
                fmt::format("agent {} was minted for this offer before", to_string(*known.earlier->agent_id))
            );
        }
        if (!known.earlier->certain)
            return wait_for(
                of,
                "NodeUnreachable",
                fmt::format(
                    "the node of {} does not show for certain whether this offer was registered before",
                    of.chain.name
                ),
                node_catches_up
            );
        // Of the very block in which the search ended: all that was sent at an earlier nonce is in it then.
        if (known.earlier->nonces != *known.next_nonce)
            return wait_for(
                of,
                "WaitingForTurn",
                fmt::format(
                    "account {} has transactions on {} that are in no block yet; nothing is minted beside "
                    "them",
                    of.account.to_checksum(),
                    of.chain.name
                ),
                node_catches_up
            );
    }
    if (known.revert)
        return refused_by_contract(of, what);
    if (!known.gas)
        return ask{.what = ask::about::estimate, .data = std::move(data)};
    const auto tip = priority_of(known);
    if (!tip)
        return question(ask::about::priority_fee);
    const auto fees = evm::fees_for(known.head->base_fee, *tip, of.chain.max_fee_per_gas);
    if (!fees)
        return wait_for(
            of,
            "FeesTooHigh",
            fmt::format(
                "gas on {} costs more than the {} gwei that the operator allows (maxFeePerGas)",
                of.chain.name,
                decimal_amount(of.chain.max_fee_per_gas, gwei_decimals)
            ),
            money_comes
        );
    prepare out;
    out.what = what;
    out.key = std::move(key);
    // Some blocks earlier, as another node may have known more already.
    out.from_block = known.head->number - std::min<std::uint64_t>(known.head->number, 16);
    out.transaction = {
        of.chain_id,
        *known.next_nonce,
        fees->priority,
        fees->most,
        evm::gas_limit_for(*known.gas),
        of.registry,
        0,
        std::move(data)};
    if (auto lack = lack_of_money(of, most_of(out.transaction)))
        return *lack;
    if (known.agent && *known.agent && !of.status.previous_uri && !of.request.agent_id.empty() &&
        what == operation::set_uri)
        out.previous_uri = (*known.agent)->uri;
    return out;
}

}  // namespace portitor::registrar
