#include "ledger/book_writer.hpp"
#include "ledger/file_lock.hpp"
#include "ledger/record_table.hpp"
#include "ledger/schema.hpp"

#include <portitor/core/backoff.hpp>
#include <portitor/ledger/sqlite_ledger.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

namespace portitor::ledger {

namespace asio = boost::asio;

using namespace x402;

namespace {

constexpr std::chrono::seconds between_prunes{10};
constexpr std::chrono::seconds hangs_after{5};
constexpr std::chrono::seconds receipt_patience{2};
constexpr std::chrono::milliseconds between_last_tries{500};
constexpr std::uint64_t expired_kept = 86'400;  // s, of those that nobody could tell about
constexpr std::uint64_t settled_told = 3'600;   // s, of those that may have to be looked up once more

// A change on its way to the disk.
struct change_job final : book_job
{
    payment_key key;
    record_table::planned change;  // but for the record, which is the row's
    bool kept = false;             // it stands, whether it was written or not
    bool applied = false;          // in memory already
    bool had_row = false;
    bool over = false;
    std::optional<change_made> made;
    std::shared_ptr<wait_queue> done = std::make_shared<wait_queue>();
};

struct receipt_job final : book_job
{
    bool over = false;
    std::shared_ptr<wait_queue> done = std::make_shared<wait_queue>();
};

struct recovery_job final : book_job
{
    std::uint64_t version = 0;
};

// A change to these is on disk before anything follows from it.
bool waits_for_disk(const payment_change& change)
{
    if (change.forget)
        return false;
    return change.next != payment_state::reserved && change.next != payment_state::verified &&
           change.next != payment_state::delivered;
}

bool same_history(const settle_history& a, const settle_history& b)
{
    return a.doubt == b.doubt && a.failed == b.failed && a.doubt_before_failure == b.doubt_before_failure &&
           a.unnamed == b.unnamed && a.open == b.open && a.told == b.told;
}

// But for state, owner, revision and when it ended.
bool same_outcome(const payment_record& a, const payment_record& b)
{
    return a.settled_at == b.settled_at && a.receipt == b.receipt &&
           a.proof.transaction == b.proof.transaction && a.proof.proven == b.proof.proven &&
           a.cause == b.cause && a.reorganised == b.reorganised && a.interrupted == b.interrupted;
}

}  // namespace

class sqlite_ledger::strand : public std::enable_shared_from_this<sqlite_ledger::strand>
{
public:
    strand(
        file_settings settings,
        asio::any_io_executor executor,
        const clock& wall_clock,
        timekeeper& time,
        logger log,
        limits bounds,
        file_lock lock
    )
        : settings_(std::move(settings)), executor_(std::move(executor)), clock_(wall_clock), time_(time),
          log_(log.with({{"ledger", settings_.file}})), lock_(std::move(lock)), table_(wall_clock, bounds),
          pause_(std::chrono::seconds(1), std::chrono::seconds(30))
    {}

    result<void> load(database& from);
    void start(database open);
    void stop() { writer_.reset(); }

    asio::awaitable<result<begin_outcome>> begin(new_payment what);
    asio::awaitable<result<find_outcome>> find(std::vector<payment_key> keys);
    asio::awaitable<result<change_outcome>>
    advance(payment_key key, std::uint64_t revision, payment_change change);
    asio::awaitable<result<record_wait>>
    changed(payment_key key, std::uint64_t revision, timekeeper::time_point deadline);
    result<std::vector<payment_record>> neglected(std::size_t most);
    std::uint64_t owner() const { return owner_; }
    std::vector<payment_record> open_records(std::size_t most) const { return table_.open_records(most); }
    std::vector<payment_record> settled_before(std::size_t most);
    result<void> sweep();
    asio::awaitable<void> leave();
    store_numbers numbers() const;
    std::optional<std::string> away() const;

private:
    // What the file lacks, by row: how it is to be there.
    struct missing
    {
        row_write what;
        std::uint64_t version = 0;
    };

    bool may_act() const { return table_.all_owners().may_act(owner_); }
    error left() const
    {
        return fail(errc::canceled, "this process has given up its work on {}", settings_.file);
    }
    error unavailable() const { return fail(errc::unavailable, "{}", away().value_or("")); }
    std::uint64_t seconds() const;

    std::shared_ptr<change_job>
    make_job(payment_key key, record_table::planned plan, const payment_change& change);
    bool push(const std::shared_ptr<book_job>& job);
    void finished(book_writer::batch done);
    void finish(change_job& job, const result<void>& outcome);
    void remember(const row_write& what);
    void apply(change_job& job, payment_record after);
    void recover();
    void make_room();
    void went_away(const error& why);
    void came_back();
    asio::awaitable<std::string> receipt_of(const payment_key& key);

    file_settings settings_;
    asio::any_io_executor executor_;
    const clock& clock_;
    timekeeper& time_;
    logger log_;
    file_lock lock_;
    record_table table_;
    std::unique_ptr<book_writer> writer_;
    std::uint64_t owner_ = 0;

    std::vector<payment_record> settled_before_;  // until they are asked for
    std::int64_t last_row_ = 0;
    std::deque<timekeeper::time_point> pushed_;  // when each job was that is not finished

    std::optional<std::string> away_;
    std::unordered_map<std::int64_t, missing> missing_;
    std::uint64_t version_ = 0;
    bool recovering_ = false;
    backoff pause_;
    timekeeper::time_point recover_at_;
    timekeeper::time_point prune_at_;
    bool full_told_ = false;
    std::shared_ptr<wait_queue> finished_ = std::make_shared<wait_queue>();
};

std::uint64_t sqlite_ledger::strand::seconds() const
{
    return unix_seconds(clock_.now());
}

// What a process before this one left. Its owner's token is known here no more, and so is a dead one's.
result<void> sqlite_ledger::strand::load(database& from)
{
    const std::uint64_t margin = static_cast<std::uint64_t>(table_.bounds().margin.count());
    const std::uint64_t over = seconds() - std::min(seconds(), margin);
    if (auto counted = from.run("INSERT INTO facts (name, value) VALUES ('owner', 1)"
                                " ON CONFLICT (name) DO UPDATE SET value = value + 1");
        !counted)
        return counted;
    auto owner = from.number("SELECT value FROM facts WHERE name = 'owner'");
    auto row = from.number("SELECT max(id) FROM payments");
    auto low_water = from.number("SELECT value FROM facts WHERE name = 'low_water'");
    auto past = statement::prepare(from, "SELECT max(valid_before) FROM payments WHERE valid_before <= ?");
    if (!owner || !row || !low_water)
        return (!owner ? owner : !row ? row : low_water).error();
    if (!past)
        return past.error();
    if (auto found = past->bind(static_cast<std::int64_t>(over)).step(); !found)
        return found.error();
    last_row_ = *row;
    table_.raise_low_water(static_cast<std::uint64_t>(std::max(*low_water, past->integer(0))));
    table_.all_owners().skip_to(static_cast<std::uint64_t>(*owner) - 1);
    owner_ = table_.all_owners().join(clock_.now());

    std::size_t without_place = 0;
    auto open = read_open(from, over - std::min(over, expired_kept), [&](kept_row each) {
        if (!table_.restore(std::move(each.record), static_cast<std::uint64_t>(each.row)))
            ++without_place;
    });
    if (!open)
        return open;
    auto settled = read_settled(from, seconds() - std::min(seconds(), settled_told));
    if (!settled)
        return settled.error();
    settled_before_ = std::move(*settled);
    if (without_place > 0)
        log_.warn("more open payments are on record than there are places", {{"left_out", without_place}});
    return read_spent(from, over, [&](const spent_row& each) {
        table_.restore_spent(
            each.key, each.valid_before, {each.delivered, static_cast<std::uint64_t>(each.row)}
        );
    });
}

void sqlite_ledger::strand::start(database open)
{
    book_writer::settings how;
    how.vfs = settings_.vfs;
    how.retention = settings_.retention;
    how.margin = table_.bounds().margin;
    how.max_bytes = settings_.max_bytes;
    how.max_queued = settings_.max_queued;
    prune_at_ = time_.now() + between_prunes;
    writer_ = std::make_unique<book_writer>(
        std::move(open),
        how,
        [self = weak_from_this(), executor = executor_](book_writer::batch done) {
            asio::post(executor, [self, done = std::move(done)]() mutable {
                if (const auto here = self.lock())
                    here->finished(std::move(done));
            });
        }
    );
}

asio::awaitable<result<begin_outcome>> sqlite_ledger::strand::begin(new_payment what)
{
    if (!may_act())
        co_return left();
    if (away() && table_.look(what.key) == nullptr && !table_.fate_of(what.key))
        co_return unavailable();
    const payment_key key = what.key;
    begin_outcome out = table_.begin(owner_, std::move(what));
    if (auto* spent = std::get_if<record_spent>(&out))
    {
        std::string receipt = co_await receipt_of(key);
        spent->receipt = std::move(receipt);
    }
    co_return out;
}

asio::awaitable<result<find_outcome>> sqlite_ledger::strand::find(std::vector<payment_key> keys)
{
    for (const payment_key& each : keys)
    {
        find_outcome out = table_.find(owner_, each);
        if (std::holds_alternative<std::monostate>(out))
            continue;
        if (auto* spent = std::get_if<record_spent>(&out))
        {
            std::string receipt = co_await receipt_of(each);
            spent->receipt = std::move(receipt);
        }
        co_return out;
    }
    co_return find_outcome();
}

// Without one rather than late: it only says again what the buyer was told.
asio::awaitable<std::string> sqlite_ledger::strand::receipt_of(const payment_key& key)
{
    const auto fate = table_.fate_of(key);
    if (!fate || fate->row == 0 || away())
        co_return std::string();
    const auto job = std::make_shared<receipt_job>();
    job->task = book_task::receipt;
    job->what.row = static_cast<std::int64_t>(fate->row);
    if (!push(job))
        co_return std::string();
    const auto deadline = time_.now() + receipt_patience;
    while (!job->over && time_.now() < deadline)
        co_await wait_queue::wait(job->done, time_, deadline);
    co_return job->over ? job->receipt : std::string();
}

std::shared_ptr<change_job>
sqlite_ledger::strand::make_job(payment_key key, record_table::planned plan, const payment_change& change)
{
    auto job = std::make_shared<change_job>();
    const payment_record& after = plan.after;
    const payment_record& before = plan.of_spent ? after : *plan.before;
    job->had_row = plan.row != 0;
    job->what.row = job->had_row ? static_cast<std::int64_t>(plan.row) : ++last_row_;
    if (plan.of_spent)
        job->what.change = row_change::mark;
    else if (plan.forget)
        job->what.change = row_change::erase;
    else if (!job->had_row)
        job->what.change = row_change::add;
    else if (is_over(after.state))
        job->what.change = same_outcome(before, after) ? row_change::finish : row_change::end;
    else if (before.ended_at == after.ended_at && same_history(before.history, after.history))
        job->what.change = row_change::step;
    else
        job->what.change = row_change::put;
    job->what.terms = before.terms;
    job->what.record = std::move(plan.after);
    job->kept = change.knowledge || !waits_for_disk(change);
    plan.row = static_cast<std::uint64_t>(job->what.row);
    job->key = std::move(key);
    job->change = std::move(plan);
    return job;
}

asio::awaitable<result<change_outcome>>
sqlite_ledger::strand::advance(payment_key key, std::uint64_t revision, payment_change change)
{
    if (!change.knowledge && !may_act())
        co_return left();
    const auto deadline = time_.now() + settings_.patience;
    const auto too_slow = [this] {
        return fail(errc::timed_out, "{}: the disk does not answer", settings_.file);
    };
    while (const std::shared_ptr<wait_queue> done = table_.writing(key))
    {
        const bool woken = co_await wait_queue::wait(done, time_, deadline);
        if (!woken)
            co_return too_slow();
    }
    record_table::plan_outcome plan = table_.plan(owner_, key, revision, change);
    if (auto* lost = std::get_if<change_lost>(&plan))
        co_return change_outcome(std::move(*lost));
    auto& planned = std::get<record_table::planned>(plan);
    const bool to_disk = waits_for_disk(change);
    if (planned.row == 0 && (planned.of_spent || (!to_disk && change.next != payment_state::delivered)))
        co_return change_outcome(table_.apply(std::move(planned)));

    const std::shared_ptr<change_job> job = make_job(std::move(key), std::move(planned), change);
    // An outcome that is known stands, and a forgotten payment needs no room.
    const bool stands = change.knowledge || change.forget;
    // What the file lacks already gets there all at once.
    const bool lacking = away_ || missing_.contains(job->what.row);
    if (lacking || (!stands && away()) || !push(job))
    {
        if (!stands)
        {
            table_.abandon(job->key);
            if (away())
                co_return unavailable();
            co_return fail(errc::unavailable, "{}: too much waits for the disk", settings_.file);
        }
        apply(*job, job->what.record);
        remember(job->what);
        co_return change_outcome(std::move(*job->made));
    }
    if (!to_disk)
    {
        apply(*job, job->what.record);
        co_return change_outcome(std::move(*job->made));
    }
    table_.set_writing(job->key, job->done);
    while (!job->over && time_.now() < deadline)
        co_await wait_queue::wait(job->done, time_, deadline);
    if (!job->over)
        co_return too_slow();
    if (job->made)
        co_return change_outcome(std::move(*job->made));
    co_return unavailable();
}

void sqlite_ledger::strand::apply(change_job& job, payment_record after)
{
    job.applied = true;
    job.change.after = std::move(after);
    job.made = table_.apply(std::move(job.change));
}

bool sqlite_ledger::strand::push(const std::shared_ptr<book_job>& job)
{
    if (!writer_ || !writer_->push({job}))
        return false;
    pushed_.push_back(time_.now());
    return true;
}

void sqlite_ledger::strand::finished(book_writer::batch done)
{
    if (settings_.wrote)
        settings_.wrote(done.took);
    if (!done.outcome)
        went_away(done.outcome.error());
    bool recovered = false;
    for (const auto& each : done.done)
    {
        if (const auto* again = dynamic_cast<recovery_job*>(each.get()))
        {
            recovered = true;
            const auto at = missing_.find(again->what.row);
            if (done.outcome && at != missing_.end() && at->second.version == again->version)
                missing_.erase(at);
            continue;
        }
        pushed_.pop_front();
        if (auto* change = dynamic_cast<change_job*>(each.get()))
            finish(*change, done.outcome);
        else if (auto* receipt = dynamic_cast<receipt_job*>(each.get()))
        {
            receipt->over = true;
            receipt->done->wake();
        }
        else if (each->dropped)
            make_room();
    }
    if (recovered)
    {
        recovering_ = false;
        if (done.outcome && missing_.empty())
            came_back();
        else if (done.outcome)
            recover();
    }
    finished_->wake();
}

// There was no room for some: there may be none for more.
void sqlite_ledger::strand::make_room()
{
    prune_at_ = time_.now();
    if (!std::exchange(full_told_, true))
        log_.warn(
            "the book is as large as it may be: the oldest payments in it make room",
            {{"max_bytes", settings_.max_bytes}}
        );
}

void sqlite_ledger::strand::finish(change_job& job, const result<void>& outcome)
{
    job.over = true;
    if (outcome || job.kept)
    {
        if (!outcome)
            remember(job.what);
        if (!job.applied)
            apply(job, std::move(job.what.record));
    }
    else
    {
        // It may be in the file all the same, as a commit that failed may have been read back: what is in
        // force goes there when it can.
        table_.abandon(job.key);
        row_write back;
        back.row = job.what.row;
        back.change = row_change::erase;
        if (const payment_record* before = table_.look(job.key); before != nullptr && job.had_row)
        {
            back.change = row_change::put;
            back.record = *before;
            back.terms = before->terms;
        }
        remember(back);
    }
    job.done->wake();
}

void sqlite_ledger::strand::remember(const row_write& what)
{
    missing& at = missing_[what.row];
    at.version = ++version_;
    if (what.change == row_change::mark && at.what.row != 0)
    {
        at.what.record.reorganised = what.record.reorganised;
        return;
    }
    at.what = what;
    if (what.change != row_change::erase && what.change != row_change::mark)
        at.what.change = row_change::put;
}

void sqlite_ledger::strand::went_away(const error& why)
{
    if (!away_)
        log_.error(
            "the record of payments is away: nothing is sold until it is back", {{"error", why.message()}}
        );
    if (!away_ || recovering_)
        recover_at_ = time_.now() + pause_.next();
    away_ = why.message();
}

void sqlite_ledger::strand::came_back()
{
    pause_.reset();
    if (away_)
        log_.info("the record of payments is back");
    away_.reset();
}

// All that is missing, in one transaction that surely writes something.
void sqlite_ledger::strand::recover()
{
    if (recovering_ || !writer_)
        return;
    book_writer::jobs all;
    for (const auto& [row, each] : missing_)
    {
        auto job = std::make_shared<recovery_job>();
        job->what = each.what;
        job->version = each.version;
        job->recovery = true;
        all.push_back(std::move(job));
    }
    auto probe = std::make_shared<recovery_job>();
    probe->task = book_task::probe;
    probe->recovery = true;
    all.push_back(std::move(probe));
    recovering_ = writer_->push(all);
}

asio::awaitable<result<record_wait>>
sqlite_ledger::strand::changed(payment_key key, std::uint64_t revision, timekeeper::time_point deadline)
{
    const std::shared_ptr<wait_queue> queue = table_.waiting_for(key, revision);
    if (!queue)
        co_return record_wait::changed;
    if (queue->size() >= table_.bounds().max_waiters)
        co_return record_wait::too_many;
    const bool woken = co_await wait_queue::wait(queue, time_, deadline);
    co_return woken ? record_wait::changed : record_wait::expired;
}

result<std::vector<payment_record>> sqlite_ledger::strand::neglected(std::size_t most)
{
    if (!may_act())
        return left();
    return table_.neglected(owner_, most);
}

std::vector<payment_record> sqlite_ledger::strand::settled_before(std::size_t most)
{
    auto out = std::exchange(settled_before_, {});
    out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(std::min(most, out.size())));
    return out;
}

result<void> sqlite_ledger::strand::sweep()
{
    if (!may_act())
        return left();
    table_.all_owners().renew(owner_, clock_.now());
    table_.sweep();
    const auto now = time_.now();
    if ((away_ || !missing_.empty()) && now >= recover_at_)
        recover();
    if (!away_ && now >= prune_at_)
    {
        prune_at_ = now + between_prunes;
        auto job = std::make_shared<book_job>();
        job->task = book_task::prune;
        job->now = seconds();
        push(job);
    }
    return {};
}

asio::awaitable<void> sqlite_ledger::strand::leave()
{
    const auto deadline = time_.now() + settings_.patience;
    auto again = time_.now();
    while ((!pushed_.empty() || recovering_ || !missing_.empty()) && time_.now() < deadline)
    {
        if (!missing_.empty() && !recovering_ && time_.now() >= again)
        {
            again = time_.now() + between_last_tries;
            recover();
        }
        const bool tries = !missing_.empty() && !recovering_;
        co_await wait_queue::wait(finished_, time_, tries ? std::min(again, deadline) : deadline);
    }
    if (!missing_.empty())
        log_.error("known outcomes could not be written, and are lost", {{"payments", missing_.size()}});
    table_.all_owners().leave(owner_);
}

store_numbers sqlite_ledger::strand::numbers() const
{
    store_numbers out = table_.numbers();
    out.unwritten = missing_.size();
    return out;
}

std::optional<std::string> sqlite_ledger::strand::away() const
{
    if (away_)
        return away_;
    if (!pushed_.empty() && time_.now() - pushed_.front() > hangs_after)
        return fmt::format("{}: the disk has not answered for {} s", settings_.file, hangs_after.count());
    return std::nullopt;
}

result<std::unique_ptr<sqlite_ledger>> sqlite_ledger::open(
    file_settings settings,
    asio::any_io_executor executor,
    const clock& wall_clock,
    timekeeper& time,
    logger log,
    limits bounds
)
{
    auto lock = file_lock::take(settings.file);
    if (!lock)
        return lock.error();
    auto file = open_to_write(settings.file, settings.vfs);
    if (!file)
        return file.error();
    const auto state = std::make_shared<strand>(
        std::move(settings), std::move(executor), wall_clock, time, std::move(log), bounds, std::move(*lock)
    );
    if (auto loaded = state->load(*file); !loaded)
        return loaded.error();
    state->start(std::move(*file));
    return std::unique_ptr<sqlite_ledger>(new sqlite_ledger(state));
}

sqlite_ledger::sqlite_ledger(std::shared_ptr<strand> state) : state_(std::move(state)) {}

sqlite_ledger::~sqlite_ledger()
{
    state_->stop();
}

asio::awaitable<result<begin_outcome>> sqlite_ledger::begin(new_payment what)
{
    return state_->begin(std::move(what));
}

asio::awaitable<result<find_outcome>> sqlite_ledger::find(std::vector<payment_key> keys)
{
    return state_->find(std::move(keys));
}

asio::awaitable<result<change_outcome>>
sqlite_ledger::advance(payment_key key, std::uint64_t revision, payment_change change)
{
    return state_->advance(std::move(key), revision, std::move(change));
}

asio::awaitable<result<record_wait>>
sqlite_ledger::changed(payment_key key, std::uint64_t revision, timekeeper::time_point deadline)
{
    return state_->changed(std::move(key), revision, deadline);
}

asio::awaitable<result<std::vector<payment_record>>> sqlite_ledger::open(std::size_t most)
{
    co_return state_->open_records(most);
}

asio::awaitable<result<std::vector<payment_record>>> sqlite_ledger::settled_before(std::size_t most)
{
    co_return state_->settled_before(most);
}

std::uint64_t sqlite_ledger::owner() const
{
    return state_->owner();
}

asio::awaitable<result<std::vector<payment_record>>> sqlite_ledger::neglected(std::size_t most)
{
    co_return state_->neglected(most);
}

asio::awaitable<result<void>> sqlite_ledger::sweep()
{
    co_return state_->sweep();
}

asio::awaitable<void> sqlite_ledger::leave()
{
    return state_->leave();
}

store_numbers sqlite_ledger::numbers() const
{
    return state_->numbers();
}

std::optional<std::string> sqlite_ledger::away() const
{
    return state_->away();
}

}  // namespace portitor::ledger
