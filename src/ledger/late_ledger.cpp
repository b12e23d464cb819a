#include <portitor/ledger/late_ledger.hpp>

#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

namespace portitor::ledger {

namespace asio = boost::asio;

using namespace x402;

namespace {

constexpr std::chrono::seconds first_pause{1};
constexpr std::chrono::seconds longest_pause{10};
constexpr std::chrono::minutes between_lines{1};

// Of no record: there is none yet.
constexpr std::uint64_t no_owner = std::numeric_limits<std::uint64_t>::max();

bool holds_something(const std::string& file)
{
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file, ignored);
    return !ignored && size > 0;
}

template <typename T>
asio::awaitable<result<T>> refuse(error why)
{
    co_return why;
}

}  // namespace

result<late_ledger::store> late_ledger::open(opener open, const timekeeper& time, logger log)
{
    result<store> opened = open();
    if (opened || opened.error().code() != errc::unavailable)
        return opened;
    std::unique_ptr<late_ledger> out(new late_ledger(std::move(open), time, std::move(log)));
    out->failed(opened.error());
    return store(std::move(out));
}

result<late_ledger::store> late_ledger::open_file(
    file_settings settings,
    asio::any_io_executor executor,
    const clock& wall_clock,
    timekeeper& time,
    logger log,
    limits bounds
)
{
    logger of_file = log.with({{"ledger", settings.file}});
    auto once =
        [settings, executor, &wall_clock, &time, log, bounds, kept = false]() mutable -> result<store> {
        if (kept && !holds_something(settings.file))
            return fail(
                errc::unavailable,
                "{}: it is not there any more; put it back, or restart to begin a new one",
                settings.file
            );
        auto opened = sqlite_ledger::open(settings, executor, wall_clock, time, log, bounds);
        kept = kept || holds_something(settings.file);
        if (!opened)
            return opened.error();
        return store(std::move(*opened));
    };
    return open(std::move(once), time, std::move(of_file));
}

late_ledger::late_ledger(opener open, const timekeeper& time, logger log)
    : open_(std::move(open)), time_(time), log_(std::move(log)), pause_(first_pause, longest_pause)
{}

void late_ledger::failed(const error& why)
{
    const auto now = time_.now();
    const bool first = why_.message().empty();
    why_ = fail(errc::unavailable, "{}", why.message());
    refused_ = why.code() != errc::unavailable;
    due_ = now + pause_.next();
    if (!first && now < told_ + between_lines)
        return;
    told_ = now;
    log_.error(
        "the record of payments is away: nothing is sold until it is back", {{"error", why_.message()}}
    );
}

void late_ledger::take(result<store> opened)
{
    if (!opened)
    {
        failed(opened.error());
        return;
    }
    opened_ = std::move(*opened);
    log_.info("the record of payments is back");
}

// What comes of it is seen at the next sweep: nobody needs it sooner.
void late_ledger::try_again()
{
    if (attempt_.valid())
    {
        if (attempt_.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
            take(attempt_.get());
    }
    else if (time_.now() >= due_)
    {
        attempt_ = std::async(std::launch::async, [this] { return open_(); });
    }
}

asio::awaitable<result<void>> late_ledger::sweep()
{
    if (!opened_ && !refused_)
        try_again();
    if (opened_)
        return opened_->sweep();
    if (refused_)
        return refuse<void>(fail(errc::canceled, "{}", why_.message()));
    return refuse<void>(why_);
}

std::uint64_t late_ledger::owner() const
{
    return opened_ ? opened_->owner() : no_owner;
}

asio::awaitable<result<begin_outcome>> late_ledger::begin(new_payment what)
{
    return opened_ ? opened_->begin(std::move(what)) : refuse<begin_outcome>(why_);
}

asio::awaitable<result<find_outcome>> late_ledger::find(std::vector<payment_key> keys)
{
    return opened_ ? opened_->find(std::move(keys)) : refuse<find_outcome>(why_);
}

asio::awaitable<result<change_outcome>>
late_ledger::advance(payment_key key, std::uint64_t revision, payment_change change)
{
    return opened_ ? opened_->advance(std::move(key), revision, std::move(change))
                   : refuse<change_outcome>(why_);
}

asio::awaitable<result<record_wait>>
late_ledger::changed(payment_key key, std::uint64_t revision, timekeeper::time_point deadline)
{
    return opened_ ? opened_->changed(std::move(key), revision, deadline) : refuse<record_wait>(why_);
}

asio::awaitable<result<std::vector<payment_record>>> late_ledger::settled_before(std::size_t most)
{
    return opened_ ? opened_->settled_before(most) : refuse<std::vector<payment_record>>(why_);
}

asio::awaitable<result<std::vector<payment_record>>> late_ledger::neglected(std::size_t most)
{
    return opened_ ? opened_->neglected(most) : refuse<std::vector<payment_record>>(why_);
}

asio::awaitable<result<std::vector<payment_record>>> late_ledger::open(std::size_t most)
{
    return opened_ ? opened_->open(most) : refuse<std::vector<payment_record>>(why_);
}

asio::awaitable<void> late_ledger::leave()
{
    if (opened_)
        co_await opened_->leave();
}

store_numbers late_ledger::numbers() const
{
    return opened_ ? opened_->numbers() : store_numbers();
}

std::optional<std::string> late_ledger::away() const
{
    return opened_ ? opened_->away() : why_.message();
}

}  // namespace portitor::ledger
