#pragma once

#include "chain_questions.hpp"
#include "search_memory.hpp"

#include <portitor/erc8004/identity_registry.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace portitor::registrar {

/// The newest block that a node knows.
struct chain_head
{
    std::uint64_t number = 0;
    u256 base_fee;                 ///< wei for a unit, in the next block
    std::optional<u256> priority;  ///< wei for a unit, as the last blocks' transactions paid: the median
};

/// What the registry has of an agent.
struct agent_on_chain
{
    evm::address owner;
    std::string uri;
};

/// How far a search is that takes several calls: what is left are the blocks after `searched_to`.
struct search_progress
{
    std::uint64_t first = 0;
    std::uint64_t searched_to = 0;
    std::uint64_t last = 0;
};

/// What was found of an earlier mint.
struct earlier_mint
{
    bool certain = false;  ///< false: the node may be behind; ask again, and send nothing meanwhile
    std::optional<u256>
        agent_id;  ///< the lowest one that the account owns and that was minted for this offer
    std::optional<evm::word> transaction;
    /// Where it is certain that there is none: how many transactions of the account the blocks to `head`
    /// hold, so that what is signed with this nonce can never be a second mint, even where `head` is old.
    std::uint64_t nonces = 0;
    /// Where it is not certain only since there are more blocks than one call searches: ask again at once.
    std::optional<search_progress> so_far = std::nullopt;
};

/// The transaction that took a nonce.
struct nonce_taker
{
    evm::word transaction{};
    std::uint64_t block = 0;
};

/// Asks one chain's nodes, a question each call; every answer is hostile and may be from the past. Calls
/// time out by themselves. One strand; the node must outlive this.
class chain_reader
{
public:
    template <typename T>
    using answer = boost::asio::awaitable<evm::rpc_result<T>>;

    chain_reader(evm::node& node, evm::address registry, std::chrono::milliseconds timeout)
        : questions_(node, registry, timeout)
    {}

    /// Whether there is a registry of agents at the address: code, and ERC-165 for ERC-721. errc::invalid
    /// says what is there instead.
    answer<void> check_registry();

    /// One question: what is paid comes along, unless the last blocks are empty or the node does not tell.
    answer<chain_head> head();

    /// Nothing where the node has no such block (yet).
    answer<std::optional<evm::word>> block_hash(std::uint64_t number);

    /// Nothing where the node knows of none, which proves nothing.
    answer<std::optional<evm::receipt>> find_receipt(evm::word transaction);

    /// Whether the node has it, in a block or waiting for one.
    answer<bool> knows(evm::word transaction);

    /// How many transactions of the account are in blocks: all nonces below are taken.
    answer<std::uint64_t> mined_nonces(evm::address account);

    /// Which transaction took the nonce, in a block from `from_block` to `head`; nothing where none is seen.
    /// Where the node keeps no state of so old blocks, the last 64 are searched.
    answer<std::optional<nonce_taker>>
    find_taker(evm::address account, std::uint64_t nonce, std::uint64_t from_block, std::uint64_t head);

    /// Looks for a mint by `account` whose URI ends in `uri_end` ("/<offer-uid>.json"), in blocks from about
    /// `not_before` (Unix seconds) to `head`. "None" is certain only where a node that has `head` showed
    /// it: see mint_search. Asks about 100 questions at most, unless the account's newest blocks take more;
    /// the next call goes on where this one ended, also where it failed.
    answer<earlier_mint>
    find_earlier(evm::address account, std::string uri_end, std::uint64_t not_before, chain_head head);

    /// Nothing where the registry has no such agent.
    answer<std::optional<agent_on_chain>> find_agent(u256 agent_id);

    /// Empty where there is none.
    answer<evm::bytes> metadata(u256 agent_id, std::string key);

    /// The gas that a call of the registry takes. errc::refused with rpc_refusal::reverted where it would
    /// fail.
    answer<std::uint64_t> estimate(evm::address account, evm::bytes data);

    /// What the node advises to pay block makers now, in wei a unit, at most 2^128; where it gives no advice,
    /// what the last transactions paid.
    answer<u256> priority_fee();

    answer<u256> balance(evm::address account);

    /// Has the node pass a signed transaction on. What it answers is not believed: a hash is known by its
    /// bytes.
    answer<void> send(evm::bytes raw);

private:
    chain_questions questions_;
    search_memory memory_{};
};

}  // namespace portitor::registrar
