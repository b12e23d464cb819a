#include "x402/record_writer.hpp"

#include <utility>

namespace portitor::x402 {

namespace asio = boost::asio;

namespace {

// How often a write whose answer is lost is read back and tried again.
constexpr int most_attempts = 3;

// Whether what is there is what we wrote: nobody else writes as this owner while it works on the record.
bool is_written(
    const find_outcome& now, const payment_record& before, const payment_change& change, std::uint64_t us
)
{
    if (change.forget)
        return std::holds_alternative<std::monostate>(now);
    if (const auto* spent = std::get_if<record_spent>(&now))
        return is_over(change.next) && spent->state == change.next;
    const auto* found = std::get_if<record_found>(&now);
    return found != nullptr && found->record.revision > before.revision &&
           found->record.state == change.next && found->record.owner == (change.own ? us : 0);
}

payment_record record_of(find_outcome now, const payment_record& before)
{
    if (auto* found = std::get_if<record_found>(&now))
        return std::move(found->record);
    return before;
}

}  // namespace

asio::awaitable<record_write> write(payment_store& store, const payment_record& before, payment_change change)
{
    record_write out;
    for (int attempt = 0; attempt < most_attempts; ++attempt)
    {
        result<change_outcome> done = co_await store.advance(before.key, before.revision, change);
        if (done.has_value())
        {
            if (auto* made = std::get_if<change_made>(&*done))
            {
                out.came = write_result::done;
                out.record = std::move(made->record);
                co_return out;
            }
            out.now = std::move(std::get<change_lost>(*done).now);
            const bool late = attempt > 0 && is_written(out.now, before, change, store.owner());
            out.came = late ? write_result::done : write_result::lost;
            if (late)
                out.record = record_of(std::move(out.now), before);
            co_return out;
        }
        out.why = done.error().message();
        if (done.error().code() != errc::timed_out)
            co_return out;

        result<find_outcome> now = co_await store.find({before.key});
        if (!now.has_value())
        {
            out.why = now.error().message();
            if (now.error().code() == errc::timed_out)
                continue;
            co_return out;
        }
        if (is_written(*now, before, change, store.owner()))
        {
            out.came = write_result::done;
            out.record = record_of(std::move(*now), before);
            co_return out;
        }
        const auto* found = std::get_if<record_found>(&*now);
        if (found == nullptr || found->record.revision != before.revision)
        {
            out.came = write_result::lost;
            out.now = std::move(*now);
            co_return out;
        }
    }
    co_return out;
}

asio::awaitable<result<begin_outcome>> put_on_record(payment_store& store, new_payment what)
{
    for (int attempt = 1;; ++attempt)
    {
        result<begin_outcome> begun = co_await store.begin(what);
        if (begun.has_value() || begun.error().code() != errc::timed_out)
            co_return std::move(begun);
        result<find_outcome> now = co_await store.find({what.key});
        if (!now.has_value() && (now.error().code() != errc::timed_out || attempt == most_attempts))
            co_return now.error();
        if (!now.has_value())
            continue;
        if (auto* found = std::get_if<record_found>(&*now))
        {
            const payment_record& record = found->record;
            if (record.owner == store.owner() && record.state == payment_state::reserved &&
                record.digest == what.digest)
                co_return begin_outcome(record_made{std::move(found->record)});
            co_return begin_outcome(std::move(*found));
        }
        if (auto* spent = std::get_if<record_spent>(&*now))
            co_return begin_outcome(std::move(*spent));
        if (attempt == most_attempts)
            co_return std::move(begun);
    }
}

}  // namespace portitor::x402
