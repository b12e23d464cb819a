#include "ledger/record_table.hpp"

#include <algorithm>
#include <utility>

namespace portitor::ledger {

using namespace x402;

namespace {

constexpr std::uint64_t retry_expiry = 30;  // s, for records that somebody works on

// Nobody has to do anything for it.
bool rests(payment_state state)
{
    return state == payment_state::settled || state == payment_state::expired;
}

// States that mean that somebody works on it.
bool is_work(payment_state state)
{
    return state == payment_state::reserved || state == payment_state::verified ||
           state == payment_state::settling || state == payment_state::delivering;
}

bool nothing_sent(payment_state state)
{
    return state == payment_state::reserved || state == payment_state::verified;
}

std::uint64_t margin_of(const limits& bounds)
{
    return static_cast<std::uint64_t>(std::max<std::chrono::seconds::rep>(bounds.margin.count(), 0));
}

}  // namespace

struct record_table::entry
{
    record now;
    std::multimap<std::uint64_t, entry*>::iterator by_expiry;
    entry_list::iterator in_late;
    entry_list::iterator in_work;
    std::optional<std::uint64_t> worker;  // whose list in_work is in
    bool late = false;
    bool pinned = false;     // a change is being written
    bool overdue = false;    // its time is over, and its owner lives: who may have lost sight of it
    std::uint64_t told = 0;  // order of neglected(); 0: never
    clock::time_point told_at;
    std::uint64_t row = 0;  // of the book
    std::shared_ptr<wait_queue> waiting;
    std::shared_ptr<wait_queue> writing;
};

record_table::record_table(const clock& time, limits bounds)
    : clock_(time), bounds_(bounds), owners_(bounds.lease), shares_(bounds), spent_(bounds.max_spent)
{}

record_table::~record_table() = default;

std::uint64_t record_table::seconds() const
{
    return unix_seconds(clock_.now());
}

// Who asks lives, whatever its lease: a clock that jumps must not make it take its own work for lost.
bool record_table::lives(std::uint64_t asking, std::uint64_t owner) const
{
    return owner != 0 && (owner == asking || owners_.alive(owner, clock_.now()));
}

record_table::entry* record_table::find_entry(std::string_view key) const
{
    const auto found = all_.find(key);
    return found != all_.end() ? found->second.get() : nullptr;
}

const record_table::record* record_table::look(const payment_key& key) const
{
    const entry* known = find_entry(key.text());
    return known != nullptr ? &known->now : nullptr;
}

std::size_t& record_table::count_of(payment_state state)
{
    return in_state_[static_cast<std::size_t>(state)];
}

// Everything that depends on state and owner.
void record_table::index(entry& which)
{
    ++count_of(which.now.state);
    const bool unknown = which.now.state == payment_state::unknown;
    if (which.now.owner == 0 && rests(which.now.state))
        return;
    which.worker = unknown || which.overdue ? 0 : which.now.owner;
    entry_list& work = work_of_[*which.worker];
    which.in_work = work.insert(work.end(), &which);
}

void record_table::unindex(entry& which)
{
    --count_of(which.now.state);
    if (!which.worker)
        return;
    const auto work = work_of_.find(*which.worker);
    work->second.erase(which.in_work);
    if (work->second.empty())
        work_of_.erase(work);
    which.worker.reset();
}

record_table::entry& record_table::insert(record what)
{
    auto made = std::make_unique<entry>();
    made->now = std::move(what);
    entry& out = *made;
    all_.emplace(out.now.key.text(), std::move(made));
    out.by_expiry = by_expiry_.emplace(out.now.valid_before + margin_of(bounds_), &out);
    shares_.add(out.now);
    index(out);
    return out;
}

void record_table::erase(entry& which)
{
    if (which.waiting)
        which.waiting->wake();
    unindex(which);
    if (which.late)
        late_.erase(which.in_late);
    else
    {
        by_expiry_.erase(which.by_expiry);
        shares_.remove(which.now);
    }
    all_.erase(which.now.key.text());
}

// It takes no place of others any more.
void record_table::make_late(entry& which)
{
    if (which.late)
        return;
    by_expiry_.erase(which.by_expiry);
    shares_.remove(which.now);
    which.late = true;
    which.in_late = late_.insert(late_.end(), &which);
}

void record_table::trim_late()
{
    for (std::size_t tries = late_.size(); late_.size() > bounds_.max_late && tries > 0; --tries)
    {
        entry& oldest = *late_.front();
        if (oldest.pinned || owners_.alive(oldest.now.owner, clock_.now()))
        {
            late_.splice(late_.end(), late_, late_.begin());
            continue;
        }
        // Its time may not be over: expired by a clock that was set back since.
        spend(oldest.now.key, oldest.now.valid_before, {});
        erase(oldest);
    }
}

void record_table::raise_low_water(std::uint64_t to) noexcept
{
    low_water_ = std::max(low_water_, to);
}

void record_table::spend(const payment_key& key, std::uint64_t valid_before, spent_fate fate)
{
    const std::uint64_t margin = margin_of(bounds_);
    const auto dropped = spent_.insert(key.text(), valid_before + margin, seconds(), fate);
    if (dropped)
        raise_low_water(*dropped - std::min(*dropped, margin));
}

begin_outcome record_table::begin(std::uint64_t owner, new_payment what)
{
    if (const entry* known = find_entry(what.key.text()))
        return record_found{known->now, lives(owner, known->now.owner)};
    if (const auto spent = spent_.find(what.key.text()))
        return record_spent{spent->delivered ? payment_state::delivered : payment_state::closed};
    const std::uint64_t valid_before = std::min(what.valid_before, std::uint64_t{1} << 62U);
    if (valid_before <= low_water_)
        return record_refusal::too_old;
    if (const auto refused = shares_.refuse(what.key, what.terms.get()))
        return *refused;
    record made;
    made.key = std::move(what.key);
    made.revision = ++last_revision_;
    made.owner = owner;
    made.digest = what.digest;
    made.began = seconds();
    made.valid_before = valid_before;
    made.terms = std::move(what.terms);
    made.offered = std::move(what.offered);
    return record_made{insert(std::move(made)).now};
}

find_outcome record_table::find(std::uint64_t owner, const payment_key& key) const
{
    if (const entry* known = find_entry(key.text()))
        return record_found{known->now, lives(owner, known->now.owner)};
    if (const auto spent = spent_.find(key.text()))
        return record_spent{spent->delivered ? payment_state::delivered : payment_state::closed};
    return std::monostate();
}

bool record_table::may_change(std::uint64_t owner, const record& now, const payment_change& change) const
{
    if (change.knowledge)
        return true;
    if (now.state == payment_state::expired)
        return false;
    if (now.owner == owner)
        return true;
    if (owners_.alive(now.owner, clock_.now()))
        return false;
    return change.own || change.forget || !is_work(change.next);
}

record_table::plan_outcome record_table::plan(
    std::uint64_t owner, const payment_key& key, std::uint64_t revision, const payment_change& change
)
{
    entry* known = find_entry(key.text());
    if (known == nullptr && change.reorganised && !change.forget)
    {
        // The book alone still has more than the digest.
        if (const auto spent = spent_.find(key.text()))
        {
            planned out;
            out.of_spent = true;
            out.after.key = key;
            out.after.revision = revision;
            out.row = spent->row;
            out.after.state = spent->delivered ? payment_state::delivered : payment_state::closed;
            out.after.reorganised = *change.reorganised;
            return out;
        }
    }
    if (known == nullptr || known->now.revision != revision || !may_change(owner, known->now, change))
        return change_lost{find(owner, key)};

    planned out;
    out.forget = change.forget;
    out.row = known->row;
    out.before = &known->now;
    record& next = out.after;
    next = known->now;
    known->pinned = true;
    if (change.forget)
        return out;
    const bool free_to_own = known->now.owner == owner || !owners_.alive(known->now.owner, clock_.now());
    next.state = change.next;
    next.owner = change.own && free_to_own && owners_.may_act(owner) ? owner : 0;
    if (change.history)
        next.history = *change.history;
    if (change.receipt)
        next.receipt = *change.receipt;
    if (change.proof)
        next.proof = *change.proof;
    if (change.cause)
        next.cause = *change.cause;
    if (change.reorganised)
        next.reorganised = *change.reorganised;
    if (change.interrupted)
        next.interrupted = *change.interrupted;
    const bool ends = is_over(next.state) || next.state == payment_state::expired;
    const bool paid = next.state == payment_state::settled || next.state == payment_state::delivering ||
                      next.state == payment_state::delivered;
    if (paid && next.settled_at == 0)
        next.settled_at = seconds();
    next.ended_at = !ends ? 0 : next.ended_at != 0 ? next.ended_at : seconds();
    if (ends)
        next.owner = 0;
    if (is_over(next.state))
    {
        next.terms.reset();
        next.offered.reset();
        next.history = {};
    }
    next.revision = ++last_revision_;
    return out;
}

change_made record_table::apply(planned change)
{
    entry* known = find_entry(change.after.key.text());
    if (known == nullptr)
        return change_made{std::move(change.after)};
    known->pinned = false;
    known->writing.reset();
    const std::uint64_t before = known->now.owner;
    if (change.after.owner != 0 && before != 0 && before != change.after.owner)
        owners_.fence(before);
    if (change.forget)
    {
        erase(*known);
        return change_made{std::move(change.after)};
    }
    if (is_over(change.after.state))
    {
        erase(*known);
        const bool delivered = change.after.state == payment_state::delivered;
        spend(change.after.key, change.after.valid_before, {delivered, change.row});
        return change_made{std::move(change.after)};
    }
    unindex(*known);
    // The key stays where it is: the table refers to it.
    change.after.key = std::move(known->now.key);
    known->now = std::move(change.after);
    known->row = change.row;
    known->told = 0;
    index(*known);
    if (known->now.state == payment_state::expired)
    {
        make_late(*known);
        trim_late();
    }
    if (const auto waiting = std::exchange(known->waiting, nullptr))
        waiting->wake();
    return change_made{known->now};
}

void record_table::abandon(const payment_key& key)
{
    if (entry* known = find_entry(key.text()))
    {
        known->pinned = false;
        known->writing.reset();
    }
}

std::shared_ptr<wait_queue> record_table::writing(const payment_key& key) const
{
    const entry* known = find_entry(key.text());
    return known != nullptr ? known->writing : nullptr;
}

void record_table::set_writing(const payment_key& key, std::shared_ptr<wait_queue> done)
{
    if (entry* known = find_entry(key.text()))
        known->writing = std::move(done);
}

std::shared_ptr<wait_queue> record_table::waiting_for(const payment_key& key, std::uint64_t revision)
{
    entry* known = find_entry(key.text());
    if (known == nullptr || known->now.revision != revision)
        return nullptr;
    if (!known->waiting)
        known->waiting = std::make_shared<wait_queue>();
    return known->waiting;
}

std::vector<record_table::record> record_table::open_records(std::size_t most) const
{
    std::vector<record> out;
    for (const auto& [text, each] : all_)
    {
        if (out.size() == most)
            break;
        if (each->now.state != payment_state::expired)
            out.push_back(each->now);
    }
    return out;
}

std::vector<record_table::record> record_table::neglected(std::uint64_t owner, std::size_t most)
{
    const clock::time_point now = clock_.now();
    std::vector<entry*> due;
    for (auto& [worker, work] : work_of_)
    {
        if (worker != 0 && lives(owner, worker))
            continue;
        // The front was told longest ago.
        std::size_t taken = 0;
        for (entry* each : work)
        {
            if (taken == most)
                break;
            const bool rested = each->told == 0 || now < each->told_at || now - each->told_at >= bounds_.rest;
            const bool of_another = each->now.owner != owner && owners_.alive(each->now.owner, now);
            if (!rested || of_another)
                continue;
            due.push_back(each);
            ++taken;
        }
    }
    std::sort(due.begin(), due.end(), [](const entry* a, const entry* b) { return a->told < b->told; });
    due.resize(std::min(due.size(), most));
    std::vector<record> out;
    out.reserve(due.size());
    for (entry* each : due)
    {
        each->told = ++told_;
        each->told_at = now;
        entry_list& work = work_of_[*each->worker];
        work.splice(work.end(), work, each->in_work);
        out.push_back(each->now);
    }
    return out;
}

void record_table::sweep()
{
    const std::uint64_t now = seconds();
    owners_.sweep(clock_.now());
    if (const auto latest = spent_.expire(now))
        raise_low_water(*latest - std::min(*latest, margin_of(bounds_)));
    while (!by_expiry_.empty() && by_expiry_.begin()->first < now)
    {
        entry& which = *by_expiry_.begin()->second;
        if (which.pinned || owners_.alive(which.now.owner, clock_.now()))
        {
            by_expiry_.erase(which.by_expiry);
            which.by_expiry = by_expiry_.emplace(now + retry_expiry, &which);
            unindex(which);
            which.overdue = true;
            index(which);
        }
        else if (nothing_sent(which.now.state))
            erase(which);
        else
            make_late(which);
    }
    trim_late();
}

bool record_table::restore(record kept, std::uint64_t row)
{
    if (shares_.taken() >= bounds_.max_open || find_entry(kept.key.text()) != nullptr)
        return false;
    last_revision_ = std::max(last_revision_, kept.revision);
    const bool late =
        kept.state == payment_state::expired || kept.valid_before + margin_of(bounds_) < seconds();
    entry& made = insert(std::move(kept));
    made.row = row;
    if (late)
        make_late(made);
    trim_late();
    return true;
}

void record_table::restore_spent(const payment_key& key, std::uint64_t valid_before, spent_fate fate)
{
    spend(key, valid_before, fate);
}

store_numbers record_table::numbers() const
{
    store_numbers out;
    out.in_state = in_state_;
    out.spent = spent_.size();
    out.open_percent = shares_.taken() * 100 / std::max<std::size_t>(bounds_.max_open, 1);
    out.spent_percent = spent_.size() * 100 / std::max<std::size_t>(bounds_.max_spent, 1);
    out.low_water = low_water_;
    return out;
}

std::size_t record_table::bytes() const noexcept
{
    // A record with its terms and the nodes that hold it.
    return spent_.bytes() + shares_.bytes() + all_.size() * (sizeof(entry) + 1'400);
}

}  // namespace portitor::ledger
