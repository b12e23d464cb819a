#include "roles/registrar/steps.hpp"

#include <portitor/erc8004/identity_registry.hpp>
#include <portitor/evm/abi.hpp>
#include <portitor/evm/fees.hpp>
#include <portitor/evm/hex.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace {

using api::registration_phase;

constexpr std::chrono::seconds send_again_after(15);
constexpr std::chrono::seconds replace_after(60);
constexpr std::chrono::seconds nonce_asked_after(4);
// What nodes refuse for so long is given up.
constexpr std::chrono::minutes cancel_after(2);
// How long a node may lack what another one has before it is worth a word.
constexpr std::chrono::minutes told_after(2);
constexpr std::uint64_t gas_of_nothing = 100'000;
constexpr std::size_t most_attempts = 32;  // as many hashes as the status holds

struct found_receipt
{
    evm::word transaction{};
    const evm::receipt* what = nullptr;
    std::uint64_t attempt = 0;
};

std::optional<found_receipt> find_receipt(const situation& of)
{
    const auto& hashes = of.status.under_way->hashes;
    const auto& receipts = *of.facts.receipts;
    for (std::size_t i = 0; i < receipts.size() && i < hashes.size(); ++i)
    {
        if (receipts[i] && receipts[i]->block && receipts[i]->block_hash)
            return found_receipt{hashes[i], &*receipts[i], i + 1};
    }
    return std::nullopt;
}

/// The hash that the chain has at this height; nothing while it must be asked.
std::optional<ask> ask_for_block(const situation& of, std::uint64_t number)
{
    if (of.facts.block_hash && of.facts.block_hash_of == number)
        return std::nullopt;
    return ask{.what = ask::about::block_hash, .block = number};
}

std::string name_of(const evm::word& hash)
{
    return evm::to_hex(hash);
}

/// The record ends, and what it was for did not come to be.
next_step fail_record(const situation& of, std::string reason, std::string message)
{
    request_status status = of.status;
    status.under_way.reset();
    ++status.failures;
    return say(of, std::move(status), registration_phase::failed, std::move(reason), std::move(message));
}

/// Whether the transaction made of the agent what the request wants by now.
bool is_all_that_is_wanted(const situation& of)
{
    const write_ahead& record = *of.status.under_way;
    const auto sent = evm::read_signed(record.raw);
    return record.what == operation::mint && of.request.document.empty() && sent &&
           sent->data == mint_call(of.request);
}

/// The transaction is final. The record stays, for one more look at the block.
next_step confirm(const situation& of, const found_receipt& found)
{
    const write_ahead& record = *of.status.under_way;
    if (record.canceled_from > 0 && found.attempt >= record.canceled_from)
        return fail_record(
            of,
            "Refused",
            fmt::format(
                "the nodes of {} refused {} for good; its nonce was given away by transaction {}",
                of.chain.name,
                to_string(record.what),
                name_of(found.transaction)
            )
        );
    if (!found.what->succeeded)
        return fail_record(
            of,
            "Reverted",
            fmt::format(
                "the registry refused {} in transaction {}",
                to_string(record.what),
                name_of(found.transaction)
            )
        );
    const auto agent = read_outcome(of, *found.what);
    if (!agent)
        return fail_record(
            of,
            "NoRegistry",
            fmt::format("transaction {}: {}", name_of(found.transaction), agent.error().message())
        );
    request_status status = of.status;
    status.agent_id = *agent;
    status.transaction = found.transaction;
    status.failures = 0;
    status.under_way->in_block = mined{found.transaction, *found.what->block, *found.what->block_hash};
    status.under_way->confirmed = true;
    if (record.what == operation::set_uri || record.what == operation::set_metadata)
        status.changed_at = record.started_at;
    // Else what the request wants beside it is looked at next, with new answers.
    status.observed_generation = is_all_that_is_wanted(of) ? of.request.meta.generation : 0;
    if (of.request.state == api::desired_state::retired)
        return say(
            of,
            std::move(status),
            registration_phase::submitted,
            "Retiring",
            fmt::format("agent {} is being retired", to_string(*agent))
        );
    return say(
        of,
        std::move(status),
        registration_phase::confirmed,
        "Confirmed",
        fmt::format("registered on {} as agent {}", of.chain.name, to_string(*agent))
    );
}

next_step follow_mined(const situation& of, const found_receipt& found)
{
    const chain_facts& known = of.facts;
    const write_ahead& record = *of.status.under_way;
    const std::uint64_t block = *found.what->block;
    if (!known.head)
        return question(ask::about::head);
    if (auto unasked = ask_for_block(of, block))
        return *unasked;
    const auto pause = poll_after(of, record.started_at);
    // Only a block that is in the chain counts: a receipt may come before it, or stay behind after it.
    if (known.head->number < block || *known.block_hash != *found.what->block_hash)
        return rest{pause};
    const std::uint64_t depth = known.head->number - block + 1;
    if (depth >= of.chain.confirmations)
        return confirm(of, found);
    request_status status = of.status;
    status.under_way->in_block = mined{found.transaction, block, *found.what->block_hash};
    status.under_way->confirmed = false;
    status.transaction = found.transaction;
    return say(
        of,
        std::move(status),
        registration_phase::submitted,
        "Submitted",
        fmt::format(
            "transaction {} is in block {} and waits for {} confirmations",
            name_of(found.transaction),
            block,
            of.chain.confirmations
        ),
        pause
    );
}

/// It was in a block, and has no receipt now: either this node lags, or the block has gone.
next_step follow_vanished(const situation& of)
{
    const write_ahead& record = *of.status.under_way;
    if (!of.facts.head)
        return question(ask::about::head);
    if (auto unasked = ask_for_block(of, record.in_block->block))
        return *unasked;
    const bool node_is_behind = of.facts.head->number < record.in_block->block || !*of.facts.block_hash;
    if (node_is_behind || **of.facts.block_hash == record.in_block->block_hash)
        return rest{node_catches_up};
    request_status status = of.status;
    status.under_way->in_block.reset();
    status.under_way->confirmed = false;
    return say(
        of,
        std::move(status),
        registration_phase::submitted,
        "Submitted",
        fmt::format(
            "block {} with transaction {} was taken back by the chain; the same transaction is sent again",
            record.in_block->block,
            name_of(record.in_block->transaction)
        )
    );
}

/// Another transaction has the nonce, deep enough: this one can never be mined any more.
next_step give_up_nonce(const situation& of, const nonce_taker& taker)
{
    const write_ahead& record = *of.status.under_way;
    request_status status = of.status;
    if (record.what == operation::mint)
    {
        if (!of.facts.earlier)
            return question(ask::about::earlier);
        if (of.facts.earlier->agent_id)
        {
            status.agent_id = of.facts.earlier->agent_id;
            status.transaction = of.facts.earlier->transaction;
        }
        else if (!of.facts.earlier->certain)
            return rest{node_catches_up};
    }
    status.under_way.reset();
    // Nothing of it came to be, so that the next one need not wait.
    status.sent_at.reset();
    return say(
        of,
        std::move(status),
        registration_phase::pending,
        "NonceTaken",
        fmt::format(
            "nonce {} of account {} was taken by transaction {}, which is none of this request; no other "
            "program may send for this account",
            record.nonce,
            record.account.to_checksum(),
            name_of(taker.transaction)
        )
    );
}

next_step follow_taken(const situation& of)
{
    const write_ahead& record = *of.status.under_way;
    if (!of.facts.head)
        return question(ask::about::head);
    if (!of.facts.taker)
        return question(ask::about::taker);
    const auto& taker = *of.facts.taker;
    const auto pause = poll_after(of, record.started_at);
    const bool is_ours = taker && std::ranges::find(record.hashes, taker->transaction) != record.hashes.end();
    if (!taker && of.now - record.started_at >= told_after)
        return say(
            of,
            registration_phase::submitted,
            "NodeUnreachable",
            fmt::format(
                "nonce {} of account {} is taken, and the node of {} does not show by which transaction; one "
                "that keeps older state can, as another of the chain's rpcURLs",
                record.nonce,
                record.account.to_checksum(),
                of.chain.name
            ),
            money_comes
        );
    // The count of a node may be ahead of what it shows.
    if (!taker || is_ours || of.facts.head->number < taker->block ||
        of.facts.head->number - taker->block + 1 < of.chain.confirmations)
        return rest{pause};
    return give_up_nonce(of, *taker);
}

next_step too_dear(const situation& of)
{
    return say(
        of,
        registration_phase::submitted,
        "FeesTooHigh",
        fmt::format(
            "transaction {} waits, and a dearer one is more than the {} gwei that the operator allows "
            "(maxFeePerGas)",
            name_of(of.status.under_way->hashes.back()),
            decimal_amount(of.chain.max_fee_per_gas, 9)
        ),
        money_comes / 4
    );
}

/// Signs it for these fees, at the same nonce.
next_step replace_for(const situation& of, evm::transaction transaction, const evm::fees& fees, bool cancels)
{
    const write_ahead& record = *of.status.under_way;
    if (!of.facts.balance)
        return question(ask::about::balance);
    if (*of.facts.balance < fees.most * transaction.gas_limit)
        return say(
            of,
            registration_phase::submitted,
            "LowBalance",
            fmt::format(
                "transaction {} waits, and account {} cannot pay for a dearer one on {}; send it more",
                name_of(record.hashes.back()),
                record.account.to_checksum(),
                of.chain.name
            ),
            money_comes / 4
        );
    transaction.max_priority_fee = fees.priority;
    transaction.max_fee = fees.most;
    if (cancels)
    {
        transaction.to = record.account;
        transaction.data.clear();
        transaction.gas_limit = gas_of_nothing;
    }
    return prepare{record.what, record.key, std::move(transaction), record.from_block, true, cancels, {}};
}

/// The same call at the same nonce, for more; or one that does nothing, so that the account can go on.
next_step replace(const situation& of, bool cancels)
{
    const chain_facts& known = of.facts;
    if (!known.head)
        return question(ask::about::head);
    const auto tip = priority_of(known);
    if (!tip)
        return question(ask::about::priority_fee);
    auto transaction = evm::read_signed(of.status.under_way->raw);
    if (!transaction)
        return rest{money_comes};
    // What pays enough is only sent again: while a chain stands still, it is not paid more and more.
    const bool pays_enough =
        transaction->max_fee >= known.head->base_fee + *tip && transaction->max_priority_fee >= *tip;
    if (pays_enough && !of.must_bump && !cancels)
        return broadcast{};
    const auto fees = evm::fees_to_replace(
        {transaction->max_priority_fee, transaction->max_fee},
        {*tip, 2 * known.head->base_fee + *tip},
        of.chain.max_fee_per_gas
    );
    return fees ? replace_for(of, std::move(*transaction), *fees, cancels) : too_dear(of);
}

next_step follow_waiting(const situation& of)
{
    const write_ahead& record = *of.status.under_way;
    if (!of.sent_last)
        return broadcast{};
    const bool may_replace = of.can_sign && record.hashes.size() < most_attempts;
    if (may_replace && record.canceled_from == 0 && of.refused_since &&
        of.now - *of.refused_since >= cancel_after)
        return replace(of, true);
    if (may_replace && (of.must_bump || of.now - record.started_at >= replace_after))
    {
        auto step = replace(of, false);
        // What cannot be replaced may at least be known everywhere.
        if (!std::holds_alternative<rest>(step) && !std::holds_alternative<broadcast>(step))
            return step;
    }
    if (of.now - *of.sent_last >= send_again_after)
        return broadcast{};
    return say(
        of,
        registration_phase::submitted,
        "Submitted",
        fmt::format("transaction {} is sent and in no block yet", name_of(record.hashes.back())),
        poll_after(of, record.started_at)
    );
}

}  // namespace

result<u256> read_outcome(const situation& of, const evm::receipt& receipt)
{
    const write_ahead& record = *of.status.under_way;
    if (record.what == operation::mint)
    {
        const auto event = erc8004::find_registered(receipt.logs, of.registry, record.account);
        if (!event)
            return event.error();
        if (!*event)
            return fail(
                errc::protocol,
                "it succeeded, and {} told of no agent: that is no registry of agents",
                of.registry.to_checksum()
            );
        return (*event)->agent_id;
    }
    if (!of.status.agent_id)
        return fail(errc::protocol, "the status has lost which agent it was about");
    const auto tells_of_it = [&](const evm::log_entry& each) {
        return each.contract == of.registry && each.topics.size() > 1 &&
               evm::number_of(each.topics[1]) == *of.status.agent_id;
    };
    if (std::ranges::none_of(receipt.logs, tells_of_it))
        return fail(
            errc::protocol,
            "it succeeded, and {} told of no change: that is no registry of agents",
            of.registry.to_checksum()
        );
    return *of.status.agent_id;
}

std::optional<next_step> follow(const situation& of)
{
    const write_ahead& record = *of.status.under_way;
    if (record.confirmed && of.now < look_again_at(record))
        return std::nullopt;
    if (!of.facts.receipts)
        return question(ask::about::receipts);
    const auto found = find_receipt(of);
    if (found && record.confirmed && found->what->block_hash == record.in_block->block_hash)
    {
        request_status status = of.status;
        status.under_way.reset();
        return tell{std::move(status)};
    }
    if (found)
        return follow_mined(of, *found);
    if (record.in_block)
        return follow_vanished(of);
    // Mostly its receipt comes first.
    const bool is_new =
        of.sent_last && of.now - record.started_at < nonce_asked_after && !of.must_bump && !of.refused_since;
    if (!of.facts.mined_nonces && is_new)
        return follow_waiting(of);
    if (!of.facts.mined_nonces)
        return question(ask::about::mined_nonces);
    return *of.facts.mined_nonces > record.nonce ? follow_taken(of) : follow_waiting(of);
}

}  // namespace portitor::registrar
