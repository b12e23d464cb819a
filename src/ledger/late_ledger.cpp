#include <portitor/ledger/late_ledger.hpp>

#include <utility>

namespace portitor::ledger {

namespace asio = boost::asio;

using namespace x402;

late_ledger::late_ledger(opener open, const error& why, const timekeeper& time, logger log)
    : open_(std::move(open)), why_(why.message()), time_(time), log_(std::move(log)),
      pause_(std::chrono::seconds(1), std::chrono::seconds(30)), next_(time.now() + pause_.next())
{
    log_.error("the record of payments is away: nothing is sold until it is back", {{"error", why_}});
}

void late_ledger::try_again()
{
    if (time_.now() < next_)
        return;
    auto opened = open_();
    if (!opened)
    {
        why_ = opened.error().message();
        next_ = time_.now() + pause_.next();
        return;
    }
    real_ = std::move(*opened);
    log_.info("the record of payments is back");
}

// Never 0, and nobody's: nothing is on record under it.
std::uint64_t late_ledger::owner() const
{
    return real_ ? real_->owner() : 1;
}

asio::awaitable<result<begin_outcome>> late_ledger::begin(new_payment what)
{
    if (!real_)
        co_return unavailable();
    result<begin_outcome> out = co_await real_->begin(std::move(what));
    co_return out;
}

asio::awaitable<result<find_outcome>> late_ledger::find(std::vector<payment_key> keys)
{
    if (!real_)
        co_return unavailable();
    result<find_outcome> out = co_await real_->find(std::move(keys));
    co_return out;
}

asio::awaitable<result<change_outcome>>
late_ledger::advance(payment_key key, std::uint64_t revision, payment_change change)
{
    if (!real_)
        co_return unavailable();
    result<change_outcome> out = co_await real_->advance(std::move(key), revision, std::move(change));
    co_return out;
}

asio::awaitable<result<record_wait>>
late_ledger::changed(payment_key key, std::uint64_t revision, timekeeper::time_point deadline)
{
    if (!real_)
        co_return unavailable();
    const result<record_wait> out = co_await real_->changed(std::move(key), revision, deadline);
    co_return out;
}

asio::awaitable<result<std::vector<payment_record>>> late_ledger::neglected(std::size_t most)
{
    if (!real_)
        co_return unavailable();
    result<std::vector<payment_record>> out = co_await real_->neglected(most);
    co_return out;
}

asio::awaitable<result<std::vector<payment_record>>> late_ledger::open(std::size_t most)
{
    if (!real_)
        co_return unavailable();
    result<std::vector<payment_record>> out = co_await real_->open(most);
    co_return out;
}

asio::awaitable<result<void>> late_ledger::sweep()
{
    if (!real_)
        try_again();
    if (!real_)
        co_return unavailable();
    result<void> out = co_await real_->sweep();
    co_return out;
}

asio::awaitable<void> late_ledger::leave()
{
    if (real_)
        co_await real_->leave();
}

store_numbers late_ledger::numbers() const
{
    return real_ ? real_->numbers() : store_numbers();
}

std::optional<std::string> late_ledger::away() const
{
    return real_ ? real_->away() : why_;
}

}  // namespace portitor::ledger
