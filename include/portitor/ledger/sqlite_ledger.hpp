#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/ledger/limits.hpp>
#include <portitor/x402/payment_store.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace portitor::ledger {

struct file_settings
{
    std::string file;  ///< in a folder that exists, on a disk of this machine
    /// How long the book keeps a payment after its validity.
    std::chrono::seconds retention = std::chrono::hours(24 * 90);
    /// Of the file. Beyond, the oldest payments that are over go; what is freed is used again.
    std::uint64_t max_bytes = std::uint64_t{1} << 30U;
    std::size_t max_queued = 65'536;  ///< writes that wait for the disk; beyond, new ones are refused
    /// A write that takes longer is answered as timed_out; what it came to is seen later.
    std::chrono::milliseconds patience{10'000};
    /// Told on the strand after each transaction: how long it took. May be empty.
    std::function<void(std::chrono::nanoseconds)> wrote = {};
    const char* vfs = nullptr;  ///< SQLite's name of another file system, for tests
};

/// The record of payments in a file of SQLite, which is the book of sales, too. For one process, which is its
/// one owner: a second one is refused as long as the first lives, and what a dead one left open is a dead
/// owner's.
///
/// Everything is in memory, as memory_ledger has it, and a change is made there only once it is on disk: a
/// thread writes all that waits in one transaction (WAL, synchronous FULL). So kill -9 loses nothing that
/// advance() returned, and a reservation costs no write. When the disk is full, cannot be written or fails,
/// the store is away(): tried again by sweep(), with growing pauses of up to 30 s. A file that is damaged or
/// replaced is never repaired nor overwritten.
class sqlite_ledger final : public x402::payment_store
{
public:
    /// Reads what is kept, which blocks: at start. `executor` is the strand's; all but the settings must
    /// outlive the store. errc::conflict where another process has the file, errc::unavailable where it may
    /// open later as it is named; the message says in any case which file, what is wrong, and what to do.
    static result<std::unique_ptr<sqlite_ledger>> open(
        file_settings settings,
        boost::asio::any_io_executor executor,
        const clock& wall_clock,
        timekeeper& time,
        logger log,
        limits bounds = {}
    );

    /// Waits for the disk until all that was begun is written.
    ~sqlite_ledger() override;

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
    class strand;

    explicit sqlite_ledger(std::shared_ptr<strand> state);

    std::shared_ptr<strand> state_;
};

}  // namespace portitor::ledger
