#include "kube/status.hpp"

#include <portitor/kube/object_reader.hpp>
#include <portitor/kube/watcher.hpp>

namespace portitor::kube {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::chrono::milliseconds first_delay(800);
constexpr std::chrono::milliseconds longest_delay(30000);

metric_labels about(const resource& kind)
{
    return {{"kind", std::string(kind.kind)}};
}

}  // namespace

watcher::watcher(
    api& server,
    resource kind,
    selection which,
    watch_target& target,
    watch_options options,
    timekeeper& time,
    logger log,
    metrics& numbers
)
    : server_(server), kind_(kind), which_(std::move(which)), target_(target), options_(options), time_(time),
      log_(log.with({{"kind", kind.kind}})), fsm_(backoff(first_delay, longest_delay)),
      random_(std::random_device{}()),
      lists_(numbers.counter("portitor_watch_lists_total", "Full lists that were begun", about(kind))),
      failures_(numbers.counter("portitor_watch_failures_total", "Lists and watches that failed", about(kind))
      ),
      connected_(numbers.gauge("portitor_watch_connected", "1 while the watch is connected", about(kind)))
{}

asio::awaitable<void> watcher::run()
{
    lost_at_ = time_.now();
    for (;;)
    {
        const watch_step step = fsm_.next();
        if (step.delay.count() > 0)
            co_await time_.sleep_for(step.delay);
        if (step.what == watch_step::action::list)
            co_await list(step.from);
        else
            co_await watch(step.from);
    }
}

asio::awaitable<void> watcher::list(list_position from)
{
    if (from.continue_token.empty())
    {
        target_.on_list_begin();
        lists_.add();
    }
    item_handler each = [this](json::object&& item) { return target_.on_item(std::move(item)); };
    const auto page = co_await server_.list(kind_, which_, from, std::move(each));
    if (!page)
    {
        list_failed(page.error());
        co_return;
    }
    if (!fsm_.on_page(*page))
        co_return;
    target_.on_listed();
    recovered();
    // Fresh as of now: the watch that follows keeps it so.
    lost_at_ = time_.now();
}

asio::awaitable<void> watcher::watch(list_position from)
{
    std::uniform_int_distribution<std::int64_t> draw(options_.shortest.count(), options_.longest.count());
    const std::chrono::seconds timeout(draw(random_));
    auto stream = co_await server_.watch(kind_, which_, from.resource_version, timeout);
    if (!stream)
    {
        ended(stream.error());
        co_return;
    }
    fsm_.on_watch_opened(time_.now());
    recovered();
    connected_.set(1);
    const auto end = co_await follow(**stream, timeout + options_.grace);
    connected_.set(0);
    lost_at_ = time_.now();
    if (end)
        fsm_.on_watch_end(nullptr, time_.now());
    else
        ended(end.error());
}

asio::awaitable<api_result<void>> watcher::follow(http::body_stream& stream, std::chrono::milliseconds idle)
{
    event_reader events([this](std::string_view type, json::object&& object) {
        return take(type, std::move(object));
    });
    in_stream_.reset();
    for (;;)
    {
        auto piece = co_await stream.read_some(idle);
        if (!piece)
            co_return api_error(piece.error());
        if (piece->empty())
            co_return api_result<void>();
        const auto fed = events.feed(*piece);
        if (in_stream_)
            co_return *in_stream_;
        if (!fed)
            co_return api_error(fed.error());
    }
}

result<void> watcher::take(std::string_view type, json::object&& object)
{
    if (type == "ERROR")
    {
        in_stream_ = read_status(object, 500, std::chrono::seconds(0));
        return in_stream_->to_error();
    }
    switch (fsm_.on_event(type, string_at(object, "metadata.resourceVersion")))
    {
    case watch_event::upsert:
        return target_.on_upsert(std::move(object));
    case watch_event::removal:
        target_.on_removal({string_at(object, "metadata.namespace"), string_at(object, "metadata.name")});
        return {};
    case watch_event::unknown:
        log_.debug("ignoring an event of an unknown type", {{"type", type}});
        return {};
    case watch_event::bookmark:
        break;
    }
    return {};
}

void watcher::ended(const api_error& failure)
{
    fsm_.on_watch_end(&failure, time_.now());
    failed(failure);
}

void watcher::list_failed(const api_error& failure)
{
    fsm_.on_list_error(failure);
    if (!options_.may_be_absent || !failure.is_not_found())
    {
        failed(failure);
        return;
    }
    // Known to be none, also where a first page had come.
    target_.on_list_begin();
    target_.on_listed();
    lost_at_ = time_.now();
    if (failure.message() != last_complaint_)
        log_.info("the server does not know this kind, looking again now and then");
    last_complaint_ = failure.message();
}

void watcher::failed(const api_error& failure)
{
    failures_.add();
    if (!lost_at_)
        lost_at_ = time_.now();
    // A version that has grown too old is in the nature of things.
    if (failure.is_expired())
        return;
    // A server that is away for an hour is one line, not one per attempt.
    if (failure.message() != last_complaint_)
        log_.warn("the watch is interrupted, going on with what is known", {{"err", failure.message()}});
    last_complaint_ = failure.message();
}

void watcher::recovered()
{
    lost_at_.reset();
    if (!last_complaint_.empty())
        log_.info("the watch is back");
    last_complaint_.clear();
}

std::optional<std::chrono::seconds> watcher::disconnected_for() const
{
    if (!lost_at_)
        return std::nullopt;
    return std::chrono::duration_cast<std::chrono::seconds>(time_.now() - *lost_at_);
}

}  // namespace portitor::kube
