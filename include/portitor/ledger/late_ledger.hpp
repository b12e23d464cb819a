#pragma once

#include <portitor/core/backoff.hpp>
#include <portitor/core/clock.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/ledger/sqlite_ledger.hpp>
#include <portitor/x402/payment_store.hpp>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace portitor::ledger {

/// A record of payments that was away when the process began: a disk that is full or read-only, a file that
/// is damaged. It is opened when it can be, and from then on this is that store.
///
/// Until then every call is errc::unavailable, and away() has the words. sweep() begins to open it, on a
/// thread of its own, with growing pauses of up to 10 s. What no waiting mends by then (another process holds
/// the file) ends the work: sweep() is errc::canceled. One strand.
class late_ledger final : public x402::payment_store
{
public:
    using store = std::unique_ptr<x402::payment_store>;
    /// Blocks. errc::unavailable: it may open later. Never called twice at once.
    using opener = std::function<result<store>()>;

    /// What `open` opens at once, which blocks; or, where that is away, a store that goes on trying. Any
    /// other error is returned. What `open` refers to and the time must outlive the store.
    static result<store> open(opener open, const timekeeper& time, logger log);

    /// The same for sqlite_ledger::open(). A file that could not be read is not begun anew when it is moved
    /// away: it may be put back.
    static result<store> open_file(
        file_settings settings,
        boost::asio::any_io_executor executor,
        const clock& wall_clock,
        timekeeper& time,
        logger log,
        limits bounds = {}
    );

    /// Waits for an attempt that is under way.
    ~late_ledger() override = default;

    std::uint64_t owner() const override;
    boost::asio::awaitable<result<x402::begin_outcome>> begin(x402::new_payment what) override;
    boost::asio::awaitable<result<x402::find_outcome>> find(std::vector<x402::payment_key> keys) override;
    boost::asio::awaitable<result<x402::change_outcome>>
    advance(x402::payment_key key, std::uint64_t revision, x402::payment_change change) override;
    boost::asio::awaitable<result<x402::record_wait>>
    changed(x402::payment_key key, std::uint64_t revision, timekeeper::time_point deadline) override;
    boost::asio::awaitable<result<std::vector<x402::payment_record>>> neglected(std::size_t most) override;
    boost::asio::awaitable<result<std::vector<x402::payment_record>>> open(std::size_t most) override;
    boost::asio::awaitable<result<std::vector<x402::payment_record>>> settled_before(std::size_t most
    ) override;
    boost::asio::awaitable<result<void>> sweep() override;
    boost::asio::awaitable<void> leave() override;
    x402::store_numbers numbers() const override;
    std::optional<std::string> away() const override;

private:
    late_ledger(opener open, const timekeeper& time, logger log);

    void try_again();
    void take(result<store> opened);
    void failed(const error& why);

    opener open_;
    const timekeeper& time_;
    logger log_;
    store opened_;
    error why_;
    bool refused_ = false;  // no waiting mends it
    backoff pause_;
    timekeeper::time_point due_;
    timekeeper::time_point told_;
    std::future<result<store>> attempt_;  // uses open_
};

}  // namespace portitor::ledger
