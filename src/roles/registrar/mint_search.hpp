#pragma once

#include "chain_questions.hpp"
#include "search_memory.hpp"

#include <portitor/core/u256.hpp>

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace portitor::registrar {

struct earlier_mint;

/// Looks for a mint that may have happened already; asked through a load balancer, whose nodes need not have
/// the newest blocks. What makes "there is none" certain is the account's nonce as of a block that is named,
/// which a node refuses to tell if it lacks that block: every mint takes one.
/// - No tokens at `head`: none.
/// - The nonce is the same at both ends of a span of blocks: none in there.
/// - The registry's events by the account, asked for over a span, are of as many transactions as nonces were
///   taken: all of them were seen.
/// - Else the answer is complete as far as its last event, since one node gave it; and the few transactions
///   behind (of other contracts, or failed) are found by their nonces. The events of their blocks are asked
///   for by hash, which again a node refuses if it lacks the block (EIP-234).
/// A node that keeps the state of recent blocks only shows this for those. The older events are then read
/// twice, and the readings must agree: a node that is behind by more than the kept blocks goes unnoticed if
/// it answers both times.
///
/// It goes from the older blocks to the newer ones, and what it has shown by its end, or until it fails, is
/// remembered for the next search of the same mint, but for the newest blocks, which may yet change. If older
/// ones change nevertheless, their last one has another hash, and all is searched anew. One strand; for one
/// search; the memory must outlive it.
class mint_search
{
public:
    mint_search(
        const chain_questions& node,
        search_memory& memory,
        evm::address account,
        std::string uri_end,
        std::uint64_t head
    );

    /// errc::unavailable where the newest blocks alone take too long, such as for an account that does much
    /// else.
    chain_questions::answer<earlier_mint> run(std::uint64_t not_before);

private:
    /// Blocks after one, to another one, and the account's nonces as of both.
    struct span
    {
        std::uint64_t after = 0;
        std::uint64_t nonces_before = 0;
        std::uint64_t last = 0;
        std::uint64_t nonces = 0;
        bool is_read = false;  ///< its events were asked for, and none came
    };

    struct blocks
    {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };

    /// What was seen of the account in some blocks.
    struct sighting
    {
        std::set<evm::word> transactions;
        std::uint64_t last_block = 0;

        bool operator==(const sighting&) const = default;
    };

    /// No bool: of a result<bool>, another one can be made that only says whether the first has a value.
    enum class extent
    {
        all,      ///< every mint in the blocks was seen
        unknown,  ///< the node lacks what it takes to know
        paused,   ///< there are more blocks than are searched at a time
    };

    using reach = chain_questions::answer<extent>;

    chain_questions::answer<std::optional<std::uint64_t>> nonces_at(std::uint64_t block);
    chain_questions::answer<std::optional<evm::word>> hash_at(std::uint64_t block);
    reach begin(std::uint64_t not_before);
    boost::asio::awaitable<void> remember(std::uint64_t begun_at);
    reach look(std::uint64_t nonces);
    reach look_through(span all);
    reach read_span(span& of);
    reach look_at_block(std::uint64_t number);
    reach look_twice();
    chain_questions::answer<sighting> read_blocks(blocks of);
    chain_questions::answer<sighting> read_events(boost::json::object filter, blocks of);
    evm::rpc_result<void> take(const evm::log_entry& event, blocks of, sighting& into);
    chain_questions::answer<earlier_mint> judge(extent seen, std::uint64_t nonces);

    boost::json::object filter() const;
    void reached(std::uint64_t block, std::optional<std::uint64_t> nonces);
    bool is_turn_over() const;
    std::uint64_t middle_of(const span& of) const;

    chain_questions node_;
    chain_questions owners_;  ///< for the end, when the other one may have no questions left
    search_memory* memory_;
    evm::address account_;
    std::string uri_end_;
    std::uint64_t head_;
    std::uint64_t settled_;  ///< what is shown of blocks to this one is remembered
    /// False where more is remembered than there are blocks: the node is far behind, or the chain began anew.
    bool is_kept_ = true;
    proven_blocks proven_{};              ///< but for its mints, which are
    std::map<u256, found_mint> mints_{};  ///< those for this offer, wherever they were seen
};

}  // namespace portitor::registrar
