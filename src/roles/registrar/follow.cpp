#include "roles/registrar/steps.hpp"

#include <portitor/erc8004/identity_registry.hpp>
#include <portitor/evm/abi.hpp>
#include <portitor/evm/hex.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace {

using api::registration_phase;

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
                evm::to_hex(found.transaction)
            )
        );
    if (!found.what->succeeded)
        return fail_record(
            of,
            "Reverted",
            fmt::format(
                "the registry refused {} in transaction {}",
                to_string(record.what),
                evm::to_hex(found.transaction)
            )
        );
    request_status status = of.status;
    const auto agent = read_outcome(of, *found.what);
    if (!agent)
    {
        // It may have minted all the same: the record stays, so that nothing is minted beside it.
        status.under_way->in_block = mined{found.transaction, *found.what->block, *found.what->block_hash};
        return say(
            of,
            std::move(status),
            registration_phase::failed,
            "NoRegistry",
            fmt::format(
                "transaction {}: {}. Nothing more is sent for it; where it registered nothing, delete the "
                "request with kubectl",
                evm::to_hex(found.transaction),
                agent.error().message()
            ),
            std::chrono::minutes(10)
        );
    }
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
    return say_confirmed(of, std::move(status));
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
            evm::to_hex(found.transaction),
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
    if (record.what == operation::mint)
        status.agent_id.reset();
    return say(
        of,
        std::move(status),
        registration_phase::submitted,
        "Submitted",
        fmt::format(
            "block {} with transaction {} was taken back by the chain; the same transaction is sent again",
            record.in_block->block,
            evm::to_hex(record.in_block->transaction)
        )
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
    return follow_unmined(of);
}

}  // namespace portitor::registrar
