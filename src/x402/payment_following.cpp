#include "x402/engine_core.hpp"

#include <portitor/core/exception_text.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>

namespace portitor::x402 {

namespace asio = boost::asio;

namespace {

// Each round waits for something, or reads what somebody else has changed meanwhile.
constexpr int most_rounds = 1'000;
constexpr std::chrono::milliseconds in_hand_pause{20};
constexpr std::chrono::seconds longest_wait{1};
// Of the URI the record keeps the beginning, for the log and the book: clients write queries as long as a
// header may be, and there are many records.
constexpr std::size_t most_of_uri = 1'024;

// What was asked becomes what the record says of it.
void take_terms(payment_work& work)
{
    payment_request& asked = work.asked;
    payment_binding binding{std::move(asked.offer_uid), std::move(asked.method), std::move(asked.uri)};
    work.digest = digest_of(binding, asked.offered);
    if (binding.uri.size() > most_of_uri)
        binding.uri = binding.uri.substr(0, most_of_uri);
    payment_terms terms{
        std::move(asked.wanted),
        std::move(asked.facilitator_url),
        std::move(asked.offer),
        std::move(binding.offer_uid),
        std::move(binding.method),
        std::move(binding.uri),
        std::move(asked.request_id),
    };
    work.terms = std::make_shared<const payment_terms>(std::move(terms));
}

new_payment record_for(const payment_work& work)
{
    const payment_request& asked = work.asked;
    constexpr std::uint64_t latest = std::uint64_t{1} << 62;
    new_payment out;
    out.key = asked.keys.front();
    out.digest = work.digest;
    out.valid_before =
        asked.offered.valid_before < latest ? static_cast<std::uint64_t>(asked.offered.valid_before) : latest;
    out.terms = work.terms;
    out.offered = without_secrets(asked.offered);
    return out;
}

payment_event event_of_copy(bool same, bool taken)
{
    if (same)
        return taken ? payment_event::copy_taken : payment_event::copy_free;
    return taken ? payment_event::other_taken : payment_event::other_free;
}

verdict_already_used used(const payment_record& record, bool same)
{
    used_cause cause = used_cause::sold;
    if (same && record.state == payment_state::closed)
        cause = record.cause;
    if (same && record.state == payment_state::expired)
        cause = used_cause::expired;
    return verdict_already_used(record.receipt, cause);
}

}  // namespace

asio::awaitable<void> engine_core::work_on(work_ptr work, bool resume)
{
    const auto held = shared_from_this();
    std::optional<verdict> made;
    std::string thrown;
    bool failed = false;
    try
    {
        if (resume)
            made = co_await begin_settling(*work);
        if (!made)
            made = co_await begin(*work);
    }
    catch (...)
    {
        thrown = describe(std::current_exception());
        failed = true;
    }
    const asio::cancellation_state cancelled = co_await asio::this_coro::cancellation_state;
    const bool stopped = cancelled.cancelled() != asio::cancellation_type::none;
    if (failed && !stopped && work->place)
        co_await give_up(*work, payment_event::unserved);
    if (failed)
        made = verdict_unavailable(unavailable_cause::internal, limits.retry_facilitator, std::move(thrown));

    const bool reserved = !made;
    const bool paid = made && std::holds_alternative<verdict_paid>(*made);
    if (reserved && work->alone)
        co_await give_up(*work, payment_event::unserved);
    if (!paid && !reserved)
        work->place.reset();
    // A grant that nobody waits for goes back here.
    if (!work->alone)
        work->made = std::move(made);
    work->done = true;
    if (work->waiting != nullptr)
        work->waiting->cancel();
}

// Until there is a verdict, or nothing where it is reserved.
asio::awaitable<std::optional<verdict>> engine_core::begin(payment_work& work)
{
    if (!work.terms)
        take_terms(work);
    for (int round = 0; round < most_rounds; ++round)
    {
        work.place.reset();
        std::optional<verdict> made = judge_locally(work);
        const bool fits = !made;
        // Another request of ours with the same payment puts it on record just now, or lets go of it: only
        // one at a time does, so that what is there as ours is its work.
        const bool in_hand = fits && working.contains(work.asked.keys.front());
        find_outcome found;
        if (!fits || in_hand)
        {
            // Not a word of it on record, but it may be there already.
            result<find_outcome> known = co_await on.store.find(work.asked.keys);
            if (!known.has_value())
                co_return without_store(known.error().message());
            if (std::holds_alternative<std::monostate>(*known))
            {
                if (!in_hand)
                    co_return made;
                co_await on.timers.sleep_for(in_hand_pause);
                continue;
            }
            found = std::move(*known);
        }
        else
        {
            new_payment what = record_for(work);
            // Before it is on record: whoever finds it there must find it taken.
            work.place.emplace(working, what.key);
            result<begin_outcome> begun = co_await put_on_record(on.store, std::move(what));
            if (!begun.has_value() || !std::holds_alternative<record_made>(*begun))
                work.place.reset();
            if (!begun.has_value())
                co_return without_store(begun.error().message());
            if (const auto* why = std::get_if<record_refusal>(&*begun))
                co_return refused_record(*why, work.asked.offered);
            if (auto* fresh = std::get_if<record_made>(&*begun))
            {
                work.record = std::move(fresh->record);
                made = co_await verify(work);
                if (made || work.held)
                    co_return made;
                continue;
            }
            if (auto* known = std::get_if<record_found>(&*begun))
                found = std::move(*known);
            else
                found = std::move(std::get<record_spent>(*begun));
        }
        made = co_await follow(work, std::move(found));
        if (made)
            co_return made;
    }
    co_return verdict_unavailable(unavailable_cause::internal, limits.retry_busy, "its record never settles");
}

// Why it cannot be put on record now.
std::optional<verdict> engine_core::judge_locally(const payment_work& work) const
{
    const payment_request& asked = work.asked;
    if (asked.mismatch)
        return verdict_payment_required(asked.mismatch->code, asked.mismatch->message);
    if (auto refused = time_refusal(asked.offered, work.terms->wanted, on.time.now(), limits.validity))
        return verdict_payment_required(std::move(refused->code), std::move(refused->message));
    if (work.alone || left(work) < limits.settle_least)
        return verdict_unavailable(unavailable_cause::busy, limits.retry_busy, "no time was left to verify");
    return std::nullopt;
}

verdict engine_core::refused_record(record_refusal why, const payment& offered)
{
    const char* text = "the record of payments is full";
    switch (why)
    {
    case record_refusal::payer_full:
        ++counters.payer_full;
        text = "the payer has too many payments under way";
        break;
    case record_refusal::offer_full:
        ++counters.offer_full;
        text = "the offer has too many payments under way";
        break;
    case record_refusal::tenant_full:
        ++counters.tenant_full;
        text = "the offer's namespace has too many payments under way";
        break;
    case record_refusal::full:
        ++counters.table_full;
        break;
    case record_refusal::too_old:
        return verdict_payment_required(
            std::string(expired_code(offered)),
            "what was paid with so early an end is not remembered any more"
        );
    }
    return verdict_unavailable(unavailable_cause::busy, limits.retry_busy, text);
}

bool engine_core::is_taken(const record_found& found) const
{
    const std::uint64_t owner = found.record.owner;
    if (working.contains(found.record.key))
        return true;
    return owner != 0 && owner != on.store.owner() && found.owner_alive;
}

// Empty: begin again.
asio::awaitable<std::optional<verdict>> engine_core::follow(payment_work& work, find_outcome found)
{
    if (const auto* spent = std::get_if<record_spent>(&found))
    {
        const bool sold = spent->state == payment_state::delivered;
        co_return verdict_already_used(spent->receipt, sold ? used_cause::sold : used_cause::elsewhere);
    }
    if (auto* known = std::get_if<record_found>(&found))
    {
        std::optional<verdict> made = co_await follow_record(work, std::move(*known));
        co_return made;
    }
    co_return std::nullopt;
}

asio::awaitable<std::optional<verdict>> engine_core::follow_record(payment_work& work, record_found found)
{
    const bool same = found.record.digest == work.digest;
    const payment_event event = event_of_copy(same, is_taken(found));
    const payment_step step = next_step(found.record.state, event);
    std::optional<verdict> made;
    switch (step.action)
    {
    case payment_action::wait:
        made = co_await wait(work, found.record);
        break;
    case payment_action::restart:
        made = co_await restart(found.record);
        break;
    case payment_action::resolve:
        made = co_await take_up(work, std::move(found.record));
        break;
    case payment_action::grant:
        made = co_await hand_out(work, std::move(found.record));
        break;
    case payment_action::look_up:
        made = co_await look_again(work, std::move(found.record));
        break;
    case payment_action::refuse:
        made = used(found.record, same);
        break;
    default:
        made = verdict_unavailable(unavailable_cause::internal, limits.retry_busy, to_string(event));
    }
    co_return made;
}

asio::awaitable<std::optional<verdict>> engine_core::wait(payment_work& work, const payment_record& known)
{
    const bool nothing_sent =
        known.state == payment_state::reserved || known.state == payment_state::verified;
    work.late = nothing_sent ? unavailable_cause::busy : unavailable_cause::settlement_unknown;
    const unavailable_cause late = work.late;
    if (work.alone)
        co_return verdict_unavailable(late, limits.retry_busy, "its buyer left");
    // That its owner died changes nothing in the record.
    const timekeeper::time_point until = std::min(work.deadline, on.timers.now() + longest_wait);
    const result<record_wait> came = co_await on.store.changed(known.key, known.revision, until);
    if (!came.has_value())
        co_return without_store(came.error().message(), late);
    if (*came == record_wait::changed || (*came == record_wait::expired && on.timers.now() < work.deadline))
        co_return std::nullopt;
    co_return verdict_unavailable(
        late,
        limits.retry_busy,
        *came == record_wait::expired ? "an earlier copy of the payment is still at work"
                                      : "too many copies of the payment wait"
    );
}

// Whoever reserved it is dead, and nothing was sent.
asio::awaitable<std::optional<verdict>> engine_core::restart(const payment_record& known)
{
    payment_change change(known.state);
    change.forget = true;
    const record_write done = co_await write(on.store, known, std::move(change));
    if (done.came == write_result::away)
        co_return without_store(done.why);
    co_return std::nullopt;
}

// It is settled, and nobody has its answer.
asio::awaitable<std::optional<verdict>> engine_core::hand_out(payment_work& work, payment_record known)
{
    work.late = unavailable_cause::settlement_unknown;
    work.record = std::move(known);
    work.place.emplace(working, work.record.key);
    const bool died = died_delivering(work.record);
    payment_change change(payment_state::delivering);
    change.own = true;
    if (died)
        change.interrupted = true;
    record_write done = co_await write(on.store, work.record, std::move(change));
    if (done.came != write_result::done)
        co_return not_written(std::move(done), work.late);
    work.record = std::move(done.record);
    if (died)
        tell_interrupted(work.record);
    work.again = true;
    co_return paid(work);
}

// Nobody knows what became of it.
asio::awaitable<std::optional<verdict>> engine_core::take_up(payment_work& work, payment_record known)
{
    work.late = unavailable_cause::settlement_unknown;
    if (on.chain == nullptr && left(work) < limits.settle_least)
        co_return verdict_unavailable(work.late, limits.retry_busy, "no time was left to settle again");
    if (!may_try(known.key))
        co_return verdict_unavailable(work.late, limits.retry_facilitator, "it was asked for a moment ago");
    work.record = std::move(known);
    work.place.emplace(working, work.record.key);
    payment_change change(payment_state::unknown);
    change.own = true;
    change.history = work.record.history;
    // Of the one that its owner sent, nobody saw an outcome.
    if (work.record.state == payment_state::settling)
        change.history->add(settle_unknown());
    record_write done = co_await write(on.store, work.record, std::move(change));
    if (done.came != write_result::done)
        co_return not_written(std::move(done), work.late);
    work.record = std::move(done.record);
    std::optional<verdict> made = co_await resolve(work);
    co_return made;
}

// Its time is over, and nobody could tell: the chain may by now.
asio::awaitable<std::optional<verdict>> engine_core::look_again(payment_work& work, payment_record known)
{
    verdict over = verdict_already_used(known.receipt, used_cause::expired);
    if (on.chain == nullptr || !known.offered || !is_due(known.key))
        co_return over;
    work.late = unavailable_cause::settlement_unknown;
    work.record = std::move(known);
    work.place.emplace(working, work.record.key);
    settle_news news;
    news.found = co_await ask_chain(work.record);
    const ruling ruled =
        rule_of_chain(word_of(news.found, work.record.history, work.record.began)).value_or(ruling::expired);
    if (next_step(work.record.state, event_of(ruled)).action != payment_action::grant)
        co_return over;
    const bool kept = co_await keep_knowledge(work.record, change_of(ruled, work.record, news));
    if (!kept)
        co_return without_store("what the chain says cannot be written", work.late);
    co_return std::nullopt;
}

}  // namespace portitor::x402
