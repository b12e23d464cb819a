#include "ledger/book_writer.hpp"

#include "ledger/schema.hpp"

#include <algorithm>
#include <optional>
#include <sys/stat.h>
#include <utility>

namespace portitor::ledger {

namespace {

constexpr std::uint64_t a_day = 86'400;
// From the beginning of one transaction to that of the next: a commit costs about as much for many rows as
// for one, and waiting so long is not felt beside a settlement. Nobody waits once so many are there.
constexpr std::chrono::milliseconds between_commits{40};
constexpr std::size_t enough_for_one = 64;

ino_t inode_of(const std::string& file)
{
    struct stat found = {};
    return stat(file.c_str(), &found) == 0 ? found.st_ino : 0;
}

std::int64_t whole(std::uint64_t value)
{
    return static_cast<std::int64_t>(value);
}

}  // namespace

book_writer::book_writer(database open, settings how, listener tell)
    : database_(std::move(open)), how_(how), tell_(std::move(tell)), inode_(inode_of(database_.file()))
{
    thread_ = std::thread([this] { work(); });
}

book_writer::~book_writer()
{
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

bool book_writer::push(const jobs& what)
{
    bool due = false;
    {
        const std::lock_guard lock(mutex_);
        const std::size_t before = queue_.size();
        if (before >= how_.max_queued)
            return false;
        queue_.insert(queue_.end(), what.begin(), what.end());
        due = idle_ || (before < enough_for_one && queue_.size() >= enough_for_one);
    }
    if (due)
        wake_.notify_one();
    return true;
}

void book_writer::work()
{
    std::chrono::steady_clock::time_point next;
    for (;;)
    {
        jobs taken;
        {
            std::unique_lock lock(mutex_);
            wake_.wait_until(lock, next, [this] { return stop_ || queue_.size() >= enough_for_one; });
            idle_ = true;
            wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
            idle_ = false;
            if (queue_.empty())
                return;
            taken.swap(queue_);
        }
        const auto began = std::chrono::steady_clock::now();
        next = began + between_commits;
        batch out;
        out.outcome = write(taken);
        out.took = std::chrono::steady_clock::now() - began;
        out.done = std::move(taken);
        tell_(std::move(out));
    }
}

result<void> book_writer::write(const jobs& batch)
{
    const bool recovery =
        std::any_of(batch.begin(), batch.end(), [](const auto& job) { return job->recovery; });
    if (failed_ && !recovery)
        return fail(errc::unavailable, "{}: it could not be written before", database_.file());
    // What is written to a file that is not there any more is lost.
    result<void> done = check_file();
    if (done && (failed_ || !ready_))
        done = connect();
    ready_ = done.has_value();
    failed_ = !ready_;
    if (failed_)
        return done;
    done = rows_.begin();
    if (done)
        done = do_jobs(batch);
    if (done)
        done = rows_.commit();
    failed_ = !done;
    if (failed_)
        (void)database_.run("ROLLBACK");
    return done;
}

result<void> book_writer::do_jobs(const jobs& batch)
{
    for (const auto& job : batch)
    {
        result<void> done;
        if (job->task == book_task::write)
            done = rows_.write(job->what);
        else if (job->task == book_task::prune)
            done = prune(*job);
        else if (job->task == book_task::probe)
            done = database_.run("INSERT INTO facts (name, value) VALUES ('probes', 1)"
                                 " ON CONFLICT (name) DO UPDATE SET value = value + 1");
        else if (auto read = rows_.receipt_of(job->what.row); read)
            job->receipt = std::move(*read);
        if (!done)
            return done;
    }
    return {};
}

// A connection that failed may hold what its file does not.
result<void> book_writer::connect()
{
    rows_ = book_rows();
    if (failed_)
    {
        database_.close();
        auto open = open_to_write(database_.file(), how_.vfs);
        if (!open)
            return open.error();
        database_ = std::move(*open);
    }
    auto rows = book_rows::prepare(database_);
    if (!rows)
        return rows.error();
    rows_ = std::move(*rows);
    return {};
}

result<void> book_writer::check_file() const
{
    if (inode_of(database_.file()) == inode_)
        return {};
    return fail(
        errc::unavailable,
        "{}: it was removed or replaced while in use; put it back, or restart to begin with what is there",
        database_.file()
    );
}

// What is not there after a restart must not pass for new.
result<void> book_writer::raise_low_water(std::uint64_t to)
{
    auto kept = statement::prepare(
        database_,
        "INSERT INTO facts (name, value) VALUES ('low_water', ?)"
        " ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"
    );
    if (!kept)
        return kept.error();
    kept->bind(whole(to));
    return kept->run();
}

// Deletes, and marks up to where: by what went, as the clock may have been set forward for a while.
// @returns whether anything went
result<bool> book_writer::drop(const char* sql, std::initializer_list<std::uint64_t> bounds)
{
    auto found = statement::prepare(database_, sql);
    if (!found)
        return found.error();
    for (const std::uint64_t each : bounds)
        found->bind(whole(each));
    std::optional<std::int64_t> latest;
    result<bool> row = found->step();
    for (; row && *row; row = found->step())
        latest = std::max(latest.value_or(0), found->integer(0));
    if (!row)
        return row.error();
    found->reset();
    if (!latest)
        return false;
    if (auto kept = raise_low_water(static_cast<std::uint64_t>(*latest)); !kept)
        return kept.error();
    return true;
}

result<void> book_writer::prune(book_job& job)
{
    const std::uint64_t margin = static_cast<std::uint64_t>(how_.margin.count());
    const std::uint64_t over = job.now - std::min(job.now, margin);
    const std::uint64_t old = over - std::min(over, static_cast<std::uint64_t>(how_.retention.count()));
    const auto dropped = drop(
        "DELETE FROM payments WHERE id IN (SELECT id FROM payments WHERE valid_before < ? LIMIT 500)"
        " RETURNING valid_before",
        {old}
    );
    if (!dropped)
        return dropped.error();
    // What was never paid is no sale, and of use only as long as it could be offered again.
    const std::uint64_t from = std::max(std::min(pruned_until_, over), over - std::min(over, a_day));
    const auto unpaid = drop(
        "DELETE FROM payments WHERE valid_before >= ? AND valid_before < ?"
        " AND state = 'closed' AND settled_at = 0 RETURNING valid_before",
        {from, over}
    );
    if (!unpaid)
        return unpaid.error();
    pruned_until_ = over;
    if (auto forgotten = drop_terms(old); !forgotten)
        return forgotten;
    return drop_oldest(job, over);
}

// Those that no payment has any more. In most prunes that are none.
result<void> book_writer::drop_terms(std::uint64_t before)
{
    const std::string gone = fmt::format(
        "FROM terms WHERE valid_until < {0} AND NOT EXISTS (SELECT 1 FROM payments WHERE valid_before < {0})",
        before
    );
    const auto some = database_.number(("SELECT count(*) " + gone).c_str());
    if (!some)
        return some.error();
    if (*some == 0)
        return {};
    rows_.forget_terms();
    return database_.run(("DELETE " + gone).c_str());
}

// Of what may be offered again nothing is dropped: the file is larger for as long as that lasts.
result<void> book_writer::drop_oldest(book_job& job, std::uint64_t before)
{
    auto pages = database_.number("PRAGMA page_count");
    auto unused = database_.number("PRAGMA freelist_count");
    auto size = database_.number("PRAGMA page_size");
    if (!pages || !unused || !size)
        return (!pages ? pages : !unused ? unused : size).error();
    const std::int64_t over = (*pages - *unused) * *size - whole(how_.max_bytes);
    if (over <= 0)
        return {};
    // A row takes a quarter of a kilobyte to one; few at once, as what is sold waits meanwhile.
    const std::uint64_t many = std::min<std::uint64_t>(static_cast<std::uint64_t>(over) / 1'024 + 100, 2'000);
    const auto dropped = drop(
        "DELETE FROM payments WHERE id IN (SELECT id FROM payments WHERE ended_at > 0 AND valid_before < ?"
        " ORDER BY id LIMIT ?) RETURNING valid_before",
        {before, many}
    );
    if (!dropped)
        return dropped.error();
    job.dropped = *dropped;
    return {};
}

}  // namespace portitor::ledger
