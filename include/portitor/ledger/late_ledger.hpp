#pragma once

#include <portitor/core/backoff.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/x402/payment_store.hpp>

#include <functional>
#include <memory>

namespace portitor::ledger {

/// A store that could not be opened when its process began: the disk is full, cannot be written, or the file
/// is damaged. Until it can be, it is away(), and a process goes on with all that needs no record. sweep()
/// tries again, with growing pauses of up to 30 s.
class late_ledger final : public x402::payment_store
{
public:
    /// Opens the real one; may block.
    using opener = std::function<result<std::unique_ptr<x402::payment_store>>()>;

    /// @param why  what `open` said. `time` must outlive the store.
    late_ledger(opener open, const error& why, const timekeeper& time, logger log);

    std::uint64_t owner() const override;
    boost::asio::awaitable<result<x402::begin_outcome>> begin(x402::new_payment what) override;
    boost::asio::awaitable<result<x402::find_outcome>> find(std::vector<x402::payment_key> keys) override;
    boost::asio::awaitable<result<x402::change_outcome>>
    advance(x402::payment_key key, std::uint64_t revision, x402::payment_change change) override;
    boost::asio::awaitable<result<x402::record_wait>>
    changed(x402::payment_key key, std::uint64_t revision, timekeeper::time_point deadline) override;
    boost::asio::awaitable<result<std::vector<x402::payment_record>>> neglected(std::size_t most) override;
    boost::asio::awaitable<result<std::vector<x402::payment_record>>> open(std::size_t most) override;
    boost::asio::awaitable<result<void>> sweep() override;
    boost::asio::awaitable<void> leave() override;
    x402::store_numbers numbers() const override;
    std::optional<std::string> away() const override;

private:
    error unavailable() const { return fail(errc::unavailable, "{}", why_); }
    void try_again();

    opener open_;
    std::string why_;
    const timekeeper& time_;
    logger log_;
    backoff pause_;
    timekeeper::time_point next_;
    std::unique_ptr<x402::payment_store> real_;
};

}  // namespace portitor::ledger
