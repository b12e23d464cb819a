#include "x402/engine_core.hpp"

#include <boost/asio/dispatch.hpp>

#include <algorithm>
#include <numeric>

namespace portitor::x402 {

namespace asio = boost::asio;

using std::chrono::seconds;

namespace {

constexpr seconds round_pause{1};
// A change that could not be written is tried again so often, after pauses that double.
constexpr int most_writes = 9;
// What the chain does not tell is asked for again after pauses that double.
constexpr seconds first_pause{5};
constexpr seconds longest_pause{300};
constexpr std::size_t most_backoffs = 50'000;
// Copies of a payment in doubt ask facilitator and chain so often, whoever sends how many.
constexpr seconds of_tries{10};
constexpr unsigned most_tries = 5;
// For so long after the end of a payment a node that does not answer is waited for.
constexpr seconds patience_with_node{3'600};
// A settlement that a node does not show after the confirmations is looked for so often before it is gone.
constexpr std::size_t most_looks = 3;
constexpr seconds between_looks{30};
constexpr std::size_t most_left = 10'000;

struct counted
{
    explicit counted(std::size_t& many) : count(many) { ++count; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { --count; }
    std::size_t& count;
};

}  // namespace

void engine_core::drop(work_ptr work)
{
    asio::dispatch(on.executor, [held = std::move(work)] {
        engine_core& core = *held->core;
        if (!core.closed_ && held->place)
            core.tasks_.spawn("reservation", core.unreserve(held));
    });
}

asio::awaitable<void> engine_core::unreserve(work_ptr work)
{
    co_await give_up(*work, payment_event::unserved);
}

void engine_core::tell(work_ptr work, bool written)
{
    asio::dispatch(on.executor, [held = std::move(work), written] {
        engine_core& core = *held->core;
        if (!core.closed_)
            core.tasks_.spawn("delivery", core.report(held, written));
    });
}

// Until it is on record, copies wait: as long as that takes, nobody is granted it.
asio::awaitable<void> engine_core::report(work_ptr work, bool written)
{
    const payment_event event = written ? payment_event::written : payment_event::connection_gone;
    if (written || !work->again)
        tell_listener(
            written ? payment_report::event::delivered : payment_report::event::undelivered, work->record
        );
    payment_change change(*next_step(work->record.state, event).next);
    change.knowledge = true;
    seconds pause = round_pause;
    for (int attempt = 1;; ++attempt)
    {
        const record_write done = co_await write(on.store, work->record, change);
        if (done.came != write_result::away || attempt == most_writes)
            break;
        co_await on.timers.sleep_for(pause);
        pause = std::min(pause * 2, longest_pause);
    }
    work->place.reset();
}

void engine_core::give_up_later(payment_record record)
{
    if (!closed_)
        tasks_.spawn("reserved payment", forget_later(std::move(record)));
}

// Nothing was sent for it: it must not take a place for ever, nor keep copies waiting.
asio::awaitable<void> engine_core::forget_later(payment_record record)
{
    const auto held = shared_from_this();
    seconds pause = round_pause;
    for (int attempt = 1; attempt < most_writes; ++attempt)
    {
        co_await on.timers.sleep_for(pause);
        pause = std::min(pause * 2, longest_pause);
        // A copy of it goes on with what there is.
        if (working.contains(record.key))
            co_return;
        payment_change change(record.state);
        change.forget = true;
        const record_write done = co_await write(on.store, record, std::move(change));
        if (done.came != write_result::away)
            co_return;
    }
}

asio::awaitable<void> engine_core::run()
{
    const auto held = shared_from_this();
    for (;;)
    {
        const bool alive = co_await round();
        if (!alive)
            co_return;
        if (!inherited_)
            co_await inherit_second_looks();
        begin_second_looks();
        co_await on.timers.sleep_for(round_pause);
    }
}

// False where this owner is dead.
asio::awaitable<bool> engine_core::round()
{
    const result<void> swept = co_await on.store.sweep();
    if (!swept.has_value() && swept.error().code() == errc::canceled)
    {
        on.log.error("payments are not worked on any more", {{"err", swept.error().message()}});
        co_return false;
    }
    if (!swept.has_value() || looking_ >= limits.lookups)
        co_return true;
    result<std::vector<payment_record>> left = co_await on.store.neglected(limits.lookups - looking_);
    if (!left.has_value())
        co_return true;
    for (payment_record& each : *left)
        if (!working.contains(each.key) && is_due(each.key))
            tasks_.spawn("payment left", look_after(std::move(each)));
    co_return true;
}

// Whether it may be looked up again; then it is due later next time.
bool engine_core::is_due(const payment_key& key)
{
    const timekeeper::time_point now = on.timers.now();
    if (backoffs_.size() >= most_backoffs)
        std::erase_if(backoffs_, [now](const auto& each) { return each.second.due + longest_pause < now; });
    if (backoffs_.size() >= most_backoffs)
        backoffs_.clear();
    const auto [at, fresh] = backoffs_.try_emplace(key.text());
    backoff_of_one& one = at->second;
    if (!fresh && now < one.due)
        return false;
    one.pause = fresh ? first_pause : std::min(one.pause * 2, longest_pause);
    one.due = now + one.pause;
    return true;
}

// Whether a copy of a payment in doubt may ask once more what became of it.
bool engine_core::may_try(const payment_key& key)
{
    const timekeeper::time_point now = on.timers.now();
    if (tries_.size() >= most_backoffs)
        std::erase_if(tries_, [now](const auto& each) { return each.second.since + of_tries <= now; });
    if (tries_.size() >= most_backoffs)
        return false;
    tries_of_one& one = tries_.try_emplace(key.text(), tries_of_one{now}).first->second;
    if (one.since + of_tries <= now)
        one = tries_of_one{now};
    return ++one.count <= most_tries;
}

asio::awaitable<void> engine_core::look_after(payment_record record)
{
    const auto held = shared_from_this();
    // It takes no place of work: a copy that comes meanwhile must not wait for a look that may change
    // nothing.
    const counted look(looking_);
    co_await resolve_left(std::move(record));
}

// Of a dead owner, lost sight of, or in doubt. Only the chain is asked: no settlement begins without a buyer.
asio::awaitable<void> engine_core::resolve_left(payment_record record)
{
    const payment_step step = next_step(record.state, payment_event::owner_dead);
    if (!step.next)
    {
        payment_change change(record.state);
        change.forget = true;
        co_await write(on.store, record, std::move(change));
        co_return;
    }
    if (*step.next != record.state)
    {
        const bool died = died_delivering(record);
        payment_change change(*step.next);
        if (died)
            change.interrupted = true;
        if (record.state == payment_state::settling)
        {
            change.history = record.history;
            change.history->add(settle_unknown());
        }
        record_write done = co_await write(on.store, record, std::move(change));
        if (done.came != write_result::done)
            co_return;
        record = std::move(done.record);
        if (died)
            tell_interrupted(record);
        else if (record.state == payment_state::settled)
            tell_listener(payment_report::event::undelivered, record);
    }
    if (step.action != payment_action::look_up)
        co_return;

    settle_news news;
    news.found = co_await ask_chain(record);
    const chain_word shown = word_of(news.found, record.history, record.began);
    const seconds patience = has_node(record.key.network()) ? patience_with_node : limits.margin;
    const bool over = shown == chain_word::silent && validity_is_over(record.valid_before, patience);
    const ruling ruled = rule_of_chain(shown).value_or(over ? ruling::expired : ruling::unknown);
    if (ruled == ruling::unknown)
        co_return;
    counters.chain_over += ruled == ruling::withdrawn || ruled == ruling::dead;
    counters.chain_settled += ruled == ruling::grant;
    const record_write done = co_await write(on.store, record, change_of(ruled, record, news));
    if (done.came != write_result::done)
        co_return;
    backoffs_.erase(record.key.text());
    if (ruled == ruling::grant)
        tell_listener(payment_report::event::undelivered, done.record);
    if (ruled == ruling::expired)
        tell_listener(payment_report::event::expired, record);
}

// What is ours and nobody here works on was given up before a byte of it was written: its record came too
// late.
bool engine_core::died_delivering(const payment_record& record) const
{
    return record.state == payment_state::delivering && record.owner != on.store.owner();
}

// Its buyer may have read the answer, or not: nobody knows. The next copy gets it again.
void engine_core::tell_interrupted(const payment_record& record)
{
    ++counters.interrupted;
    tell_listener(payment_report::event::interrupted, record);
}

// A facilitator's word: a reorganisation may take it back.
void engine_core::look_later(const payment_record& record)
{
    const auto after = confirmation_time(record.key.network());
    if (after && record.proof.proven && second_looks_.size() < limits.second_looks)
        second_looks_.push_back({on.timers.now() + *after, 1, record});
}

// Those that the process before had still to do when it ended, or may have had.
asio::awaitable<void> engine_core::inherit_second_looks()
{
    const result<std::vector<payment_record>> settled = co_await on.store.settled_before(limits.second_looks);
    if (!settled.has_value())
        co_return;
    inherited_ = true;
    std::uint64_t last = 0;
    for (const payment_record& each : *settled)
        last = std::max(last, each.settled_at);
    for (const payment_record& each : *settled)
    {
        const seconds after = confirmation_time(each.key.network()).value_or(seconds(0));
        const seconds until_looked = after + most_looks * between_looks;
        if (each.settled_at + static_cast<std::uint64_t>(until_looked.count()) >= last)
            look_later(each);
    }
}

void engine_core::begin_second_looks()
{
    // They come in order, as far as all networks confirm alike: one that is early waits for those before it.
    const timekeeper::time_point now = on.timers.now();
    while (!second_looks_.empty() && second_looks_.front().due <= now && looking_ < limits.lookups)
    {
        second_look next = std::move(second_looks_.front());
        second_looks_.pop_front();
        tasks_.spawn("second look", look_twice(next.attempt, std::move(next.record)));
    }
}

asio::awaitable<void> engine_core::look_twice(std::size_t attempt, payment_record record)
{
    const auto held = shared_from_this();
    const counted look(looking_);
    const settlement_finding found = co_await ask_chain(record);
    const bool stays = found.state == settlement_state::settled;
    if (stays && found.confirmed())
        co_return;
    // A block that is not deep yet may go, with what it says.
    const bool unsure = found.state == settlement_state::open ||
                        found.state == settlement_state::cannot_tell || !found.confirmed();
    if (unsure && attempt < most_looks)
        second_looks_.push_back({on.timers.now() + between_looks, attempt + 1, std::move(record)});
    else if (!stays && found.state != settlement_state::cannot_tell)
        co_await take_back(std::move(record));
}

asio::awaitable<void> engine_core::take_back(payment_record record)
{
    ++counters.reorganised;
    record.reorganised = true;
    tell_listener(payment_report::event::reorganised, record);
    // It may be delivered by now, so that only the book has it.
    const result<find_outcome> found = co_await on.store.find({record.key});
    if (!found.has_value())
        co_return;
    if (const auto* known = std::get_if<record_found>(&*found))
        record = known->record;
    else if (const auto* spent = std::get_if<record_spent>(&*found))
        record.state = spent->state;
    payment_change change(record.state);
    change.knowledge = true;
    change.reorganised = true;
    co_await write(on.store, record, std::move(change));
}

asio::awaitable<void> engine_core::report_left()
{
    if (!on.listener)
        co_return;
    const result<std::vector<payment_record>> open = co_await on.store.open(most_left);
    if (!open.has_value())
        co_return;
    const auto counts = on.store.numbers().in_state;
    const std::size_t all = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
    if (all > open->size())
        on.log.warn(
            "more payments are left than are told one by one", {{"open", all}, {"told", open->size()}}
        );
    for (const payment_record& each : *open)
        if (each.state != payment_state::reserved && each.state != payment_state::verified)
            tell_listener(payment_report::event::left, each);
}

void engine_core::tell_listener(payment_report::event what, const payment_record& record) const
{
    if (on.listener)
        on.listener(payment_report{what, record});
}

}  // namespace portitor::x402
