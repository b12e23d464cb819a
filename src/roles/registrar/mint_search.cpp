#include "mint_search.hpp"

#include "chain_reader.hpp"

#include <portitor/erc8004/identity_registry.hpp>
#include <portitor/evm/abi.hpp>
#include <portitor/evm/json_rpc.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace asio = boost::asio;
using evm::rpc_error;

namespace {

constexpr std::size_t most_questions = 500;
// After so many the next call goes on, except in the newest blocks, of which nothing is remembered.
constexpr std::size_t turn = 100;
// The clocks of a cluster and of a chain may differ so much.
constexpr std::uint64_t clock_difference = 120;  // seconds
// Every node keeps the state of so many blocks: geth's least is 128. And older ones hardly ever change.
constexpr std::uint64_t kept_blocks = 96;
// That one node of several lacks a block does not mean that none has it.
constexpr int most_tries = 3;

}  // namespace

mint_search::mint_search(
    const chain_questions& node,
    search_memory& memory,
    evm::address account,
    std::string uri_end,
    std::uint64_t head
)
    : node_(node.limited(most_questions)), owners_(node.limited(search_memory::most_mints)), memory_(&memory),
      account_(account), uri_end_(std::move(uri_end)), head_(head),
      settled_(head - std::min(head, kept_blocks))
{}

chain_questions::answer<earlier_mint> mint_search::run(std::uint64_t not_before)
{
    if (uri_end_.empty())
        co_return rpc_error(fail(errc::invalid, "no URI is given whose mint is looked for"));
    const auto said = co_await node_.call(erc8004::balance_of_call(account_), evm::to_quantity(head_));
    if (!said && evm::is_lack(said.error()))
        co_return earlier_mint{};
    if (!said)
        co_return said.error();
    const auto tokens = evm::abi_number(*said, 0);
    if (!tokens)
        co_return rpc_error(tokens.error().within("balanceOf"));
    const auto nonces = co_await nonces_at(head_);
    if (!nonces)
        co_return nonces.error();
    if (!*nonces)
        co_return earlier_mint{};
    if (*tokens == 0)
        co_return earlier_mint{true, std::nullopt, std::nullopt, **nonces};
    const auto begun = co_await begin(not_before);
    if (!begun)
        co_return begun.error();
    if (*begun != extent::all)
        co_return earlier_mint{};
    const std::uint64_t begun_at = proven_.to;
    const auto seen = co_await look(**nonces);
    if (is_kept_ || (seen && *seen == extent::all))
        co_await remember(begun_at);
    if (!seen)
        co_return seen.error();
    co_return co_await judge(*seen, **nonces);
}

chain_questions::answer<std::optional<std::uint64_t>> mint_search::nonces_at(std::uint64_t block)
{
    for (int tried = 0; tried < most_tries; ++tried)
    {
        const auto said = co_await node_.nonces(account_, evm::to_quantity(block));
        if (said)
            co_return std::optional(*said);
        if (!evm::is_lack(said.error()))
            co_return said.error();
    }
    co_return std::optional<std::uint64_t>();
}

chain_questions::answer<std::optional<evm::word>> mint_search::hash_at(std::uint64_t block)
{
    for (int tried = 0; tried < most_tries; ++tried)
    {
        const auto found = co_await node_.block_at(block);
        if (!found && !evm::is_lack(found.error()))
            co_return found.error();
        if (found && *found && (*found)->hash)
            co_return (*found)->hash;
    }
    co_return std::optional<evm::word>();
}

/// Sets what is known before the search.
mint_search::reach mint_search::begin(std::uint64_t not_before)
{
    auto known = memory_->find(account_, uri_end_, not_before);
    is_kept_ = !known || known->to <= head_;
    if (known && is_kept_)
    {
        const auto hash = co_await hash_at(known->to);
        if (!hash)
            co_return hash.error();
        if (!*hash)
            co_return extent::unknown;
        if (!known->hash || *known->hash == **hash)
        {
            proven_ = *std::move(known);
            mints_ = proven_.mints;
            if (!proven_.hash)
            {
                proven_.hash = **hash;
                memory_->keep(account_, uri_end_, proven_);
            }
            co_return extent::all;
        }
        memory_->forget(account_, uri_end_);
    }
    const std::uint64_t since = not_before - std::min(not_before, clock_difference);
    const auto first = co_await memory_->times.block_before(node_, since, head_);
    if (!first)
        co_return first.error();
    if (!*first)
        co_return extent::unknown;
    proven_.not_before = not_before;
    proven_.first = **first;
    proven_.to = **first;
    co_return extent::all;
}

asio::awaitable<void> mint_search::remember(std::uint64_t begun_at)
{
    if (proven_.to <= begun_at)
        co_return;
    proven_.mints.clear();
    for (const auto& [id, mint] : mints_)
    {
        if (mint.block <= proven_.to)
            proven_.mints.emplace(id, mint);
    }
    const auto hash = co_await hash_at(proven_.to);
    proven_.hash = hash ? *hash : std::nullopt;
    memory_->keep(account_, uri_end_, proven_);
}

/// All blocks to this one are searched; and how many nonces the account had then, where it is known.
void mint_search::reached(std::uint64_t block, std::optional<std::uint64_t> nonces)
{
    const std::uint64_t to = std::min(block, settled_);
    if (to < proven_.to)
        return;
    if (to > proven_.to)
        proven_.nonces.reset();
    proven_.to = to;
    if (to == block && nonces)
        proven_.nonces = nonces;
}

bool mint_search::is_turn_over() const
{
    return proven_.to < settled_ && node_.left() + turn <= most_questions;
}

mint_search::reach mint_search::look(std::uint64_t nonces)
{
    if (proven_.to >= head_)
        co_return extent::all;
    if (proven_.nonces == nonces)
    {
        reached(settled_, nonces);
        co_return extent::all;
    }
    const auto before = co_await nonces_at(proven_.to);
    if (!before)
        co_return before.error();
    if (*before)
        co_return co_await look_through({proven_.to, **before, head_, nonces});
    if (settled_ <= proven_.to)
        co_return extent::unknown;
    const auto recently = co_await nonces_at(settled_);
    if (!recently)
        co_return recently.error();
    if (!*recently)
        co_return extent::unknown;
    if (proven_.nonces != *recently)
    {
        const auto old = co_await look_twice();
        if (!old || *old != extent::all)
            co_return old;
    }
    co_return co_await look_through({settled_, **recently, head_, nonces});
}

chain_questions::answer<earlier_mint> mint_search::judge(extent seen, std::uint64_t nonces)
{
    for (const auto& [id, mint] : mints_)
    {
        const auto said = co_await owners_.call(erc8004::owner_of_call(id), evm::to_quantity(head_));
        // Of an agent that was minted by then, there is an owner.
        if (!said && said.error().code() == errc::refused)
            co_return earlier_mint{};
        if (!said)
            co_return said.error();
        const auto owner = erc8004::read_address(*said);
        if (!owner)
            co_return rpc_error(owner.error().within("ownerOf"));
        if (*owner == account_)
            co_return earlier_mint{true, id, mint.transaction, nonces};
    }
    if (seen == extent::all)
        co_return earlier_mint{true, std::nullopt, std::nullopt, nonces};
    earlier_mint out;
    if (seen == extent::paused && is_kept_)
        out.so_far = search_progress{proven_.first, proven_.to, head_};
    co_return out;
}

}  // namespace portitor::registrar
