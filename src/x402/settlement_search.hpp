#pragma once

#include "x402/settlement_trace.hpp"

#include <portitor/core/timekeeper.hpp>
#include <portitor/evm/block_times.hpp>
#include <portitor/evm/log_span.hpp>
#include <portitor/x402/settlement_chain.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace portitor::x402 {

/// What searches of one chain leave for the next ones; it goes with the process. One strand.
class settlement_memory
{
public:
    static constexpr std::size_t most_searches = 1000;

    /// From where a payment is looked for, and to where it was: all blocks before `next`.
    struct progress
    {
        std::uint64_t first = 0;
        std::uint64_t next = 0;
    };

    std::optional<progress> find(const std::string& key) const;
    /// The one that was kept longest ago goes where there are too many.
    void keep(const std::string& key, progress what);
    void forget(const std::string& key) { kept_.erase(key); }

    evm::block_times times{};
    evm::log_span span{};

private:
    struct entry
    {
        std::uint64_t turn = 0;
        progress what;
    };

    std::map<std::string, entry> kept_{};
    std::uint64_t turn_ = 0;
};

/// Looks up one payment: all questions together end in time. For one search; node, memory and timekeeper
/// must outlive it.
class settlement_search final : public evm::block_reader
{
public:
    settlement_search(
        settlement_node& with,
        settlement_memory& memory,
        const timekeeper& time,
        std::chrono::milliseconds timeout
    );

    /// As settlement_chain::find(); `key` is the payment's, and `now` by the clock of `since`.
    boost::asio::awaitable<settlement_finding>
    find(const settlement_trace& about, std::string key, std::uint64_t since, std::uint64_t now);

    boost::asio::awaitable<evm::rpc_result<std::optional<evm::block>>> block_at(std::uint64_t number
    ) override;

private:
    template <typename T>
    using answer = boost::asio::awaitable<evm::rpc_result<T>>;

    /// Whether the nonce is used. No bool, of which a result can be misread.
    enum class usage
    {
        unused,
        used,
    };

    /// Some blocks, both counted.
    struct window
    {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };

    answer<boost::json::value> ask(std::string method, boost::json::array params);
    answer<evm::block> newest();
    answer<usage> usage_at(std::uint64_t block);
    boost::asio::awaitable<settlement_finding> while_unused();
    boost::asio::awaitable<settlement_finding> search(std::uint64_t since);
    answer<settlement_memory::progress> begin(std::uint64_t since);
    answer<std::vector<nonce_event>> read_events(window& blocks);
    boost::asio::awaitable<std::optional<settlement_finding>> judge(std::vector<nonce_event> events);
    boost::asio::awaitable<std::optional<settlement_finding>> judge(nonce_event event);
    boost::asio::awaitable<std::optional<settlement_finding>> judge_canceled(nonce_event event);
    answer<evm::receipt> receipt_of(nonce_event event);
    answer<evm::sent_call> call_of(nonce_event event);
    answer<evm::block> block_of(nonce_event event, std::optional<evm::word> hash);
    boost::asio::awaitable<settlement_finding> after_all(std::uint64_t first);

    std::uint64_t lacking(std::uint64_t block) const;
    std::optional<std::uint64_t> newest_confirmed() const;

    settlement_node& with_;
    settlement_memory& memory_;
    const timekeeper& time_;
    timekeeper::time_point deadline_;
    const settlement_trace* about_ = nullptr;
    std::string key_;
    evm::block head_{};
    std::uint64_t behind_ = 0;  ///< s, of the chain's newest block, and most_behind at most
    std::size_t questions_ = 0;
    bool untied_ = false;  ///< a transfer was seen that may be this payment's, or another's
};

}  // namespace portitor::x402
