#pragma once

#include "ledger/book_rows.hpp"
#include "ledger/database.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace portitor::ledger {

/// What the writer is asked to do: one of these.
enum class book_task : std::uint8_t
{
    write,    ///< a row
    receipt,  ///< read a row's receipt
    prune,    ///< forget what is past its time, or more than there is room for
    probe,    ///< write something, to see whether that can be done
};

struct book_job
{
    virtual ~book_job() = default;

    book_task task = book_task::write;
    row_write what;
    std::uint64_t now = 0;  ///< Unix seconds, of prune
    /// Sent after a failure, with all that is missing: until one of these succeeds, all others fail.
    bool recovery = false;
    // Answers.
    std::string receipt;
    bool dropped = false;  ///< prune: there was no room for some
};

/// Writes the book on a thread of its own: everything that waits in one transaction; while payments are few,
/// at most one each twenty milliseconds.
class book_writer
{
public:
    struct settings
    {
        const char* vfs = nullptr;
        std::chrono::seconds retention{0};
        std::chrono::seconds margin{0};
        std::uint64_t max_bytes = 0;
        std::size_t max_queued = 0;
    };

    using jobs = std::vector<std::shared_ptr<book_job>>;
    /// Jobs that are done, in the order in which they came: all of them, or none.
    struct batch
    {
        jobs done;
        result<void> outcome;
        std::chrono::nanoseconds took{0};
    };
    /// Called on the writer's thread.
    using listener = std::function<void(batch)>;

    /// @param open  as open_to_write() gave it
    book_writer(database open, settings how, listener tell);
    /// Writes what waits, and ends.
    ~book_writer();
    book_writer(const book_writer&) = delete;
    book_writer& operator=(const book_writer&) = delete;

    /// False where too many wait. Jobs of one call are written in one transaction.
    bool push(const jobs& what);

private:
    void work();
    result<void> write(const jobs& batch);
    result<void> do_jobs(const jobs& batch);
    result<void> connect();
    result<void> check_file() const;
    result<void> prune(book_job& job);
    result<void> drop_terms(std::uint64_t before);
    result<void> drop_oldest(book_job& job, std::uint64_t before);
    result<bool> drop(const char* sql, std::initializer_list<std::uint64_t> bounds);
    result<void> raise_low_water(std::uint64_t to);

    database database_;
    book_rows rows_;
    settings how_;
    listener tell_;
    ino_t inode_ = 0;
    bool ready_ = false;   // the statements are prepared
    bool failed_ = false;  // until a recovery succeeds
    std::uint64_t pruned_until_ = 0;

    std::mutex mutex_;
    std::condition_variable wake_;
    jobs queue_;
    bool stop_ = false;
    bool idle_ = false;  // the writer waits for a job, and is to be woken
    std::thread thread_;
};

}  // namespace portitor::ledger
