#pragma once

#include <portitor/core/u256.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/evm/block_times.hpp>
#include <portitor/evm/chain_data.hpp>
#include <portitor/evm/log_span.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace portitor::registrar {

/// Where an agent was minted.
struct found_mint
{
    evm::word transaction{};
    std::uint64_t block = 0;
};

/// What a search for a mint has shown so far: that there are no others in the blocks from `first` to `to`.
struct proven_blocks
{
    std::uint64_t not_before = 0;  ///< Unix seconds; where `first` comes from
    std::uint64_t first = 0;
    std::uint64_t to = 0;
    std::optional<std::uint64_t> nonces;  ///< the account's, as of `to`, where they are known
    /// Of the block `to`: while the chain has this one, it has all blocks before. Nothing where the node did
    /// not tell.
    std::optional<evm::word> hash;
    /// By the agents' ids. Their owners change, so they are asked for each time.
    std::map<u256, found_mint> mints;
};

/// What searches of one chain leave for the next ones; it goes with the process. One strand.
class search_memory
{
public:
    static constexpr std::size_t most_searches = 1000;
    static constexpr std::size_t most_mints = 100;  ///< of a search

    evm::block_times times{};
    evm::log_span span{};

    /// Nothing where less was searched than from `not_before` on.
    std::optional<proven_blocks>
    find(const evm::address& account, const std::string& uri_end, std::uint64_t not_before) const;

    /// Instead of what was kept of this search; the one that was kept longest ago goes where there are too
    /// many. One with too many mints is not kept.
    void keep(const evm::address& account, const std::string& uri_end, proven_blocks what);

    void forget(const evm::address& account, const std::string& uri_end);

    std::size_t size() const { return kept_.size(); }

private:
    struct entry
    {
        std::uint64_t turn = 0;
        proven_blocks what;
    };

    std::map<std::pair<evm::address, std::string>, entry> kept_{};
    std::uint64_t turn_ = 0;
};

}  // namespace portitor::registrar
