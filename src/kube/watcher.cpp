#include "kube/status.hpp"

#include <portitor/kube/object_reader.hpp>
#include <portitor/kube/watcher.hpp>

#include <algorithm>

namespace portitor::kube {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::chrono::milliseconds first_delay(800);
constexpr std::chrono::milliseconds longest_delay(30000);
// A watch that breaks so often at one place is left: a list leads past it.
constexpr int most_breaks = 2;
// A server that is just starting may not know all of its kinds yet.
constexpr int absences_that_count = 3;

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
    item_handler each = [this](json::object&& item, std::string_view cut) {
        return target_.on_item(std::move(item), cut);
    };
    const auto page = co_await server_.list(kind_, which_, from, std::move(each));
    if (!page)
    {
        list_failed(page.error());
        co_return;
    }
    if (!fsm_.on_page(*page))
        co_return;
    target_.on_listed();
    stuck_since_.reset();
    breaks_ = 0;
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
    {
        fsm_.on_watch_end(nullptr, time_.now());
        breaks_ = 0;
        stuck_since_.reset();
        co_return;
    }
    ended(end.error());
    note_break(from.resource_version);
}

// Not of the connection: that one says nothing about what comes next.
void watcher::note_break(const std::string& opened_at)
{
    if (fsm_.resource_version() != opened_at)
    {
        breaks_ = 0;
        stuck_since_.reset();
    }
    if (broken_text_ || (in_stream_ && !in_stream_->is_expired()))
    {
        ++breaks_;
        if (!stuck_since_)
            stuck_since_ = time_.now();
    }
    if (missed_ || breaks_ >= most_breaks)
        fsm_.list_anew();
}

asio::awaitable<api_result<void>> watcher::follow(http::body_stream& stream, std::chrono::milliseconds idle)
{
    const auto each = [this](std::string_view type, json::object&& object, std::string_view cut) {
        return take(type, std::move(object), cut);
    };
    event_reader events(each, which_.filter);
    in_stream_.reset();
    missed_ = false;
    broken_text_ = false;
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
        broken_text_ = !fed && !missed_;
        if (!fed)
            co_return api_error(fed.error());
    }
}

result<void> watcher::take(std::string_view type, json::object&& object, std::string_view cut)
{
    if (type == "ERROR")
    {
        in_stream_ = read_status(object, 500, std::chrono::seconds(0));
        return in_stream_->to_error();
    }
    const auto what = fsm_.on_event(type, string_at(object, "metadata.resourceVersion"));
    stuck_since_.reset();
    switch (what)
    {
    case watch_event::upsert: {
        auto taken = target_.on_upsert(std::move(object), cut);
        missed_ = !taken;
        return taken;
    }
    case watch_event::removal: {
        const object_key key{string_at(object, "metadata.namespace"), string_at(object, "metadata.name")};
        missed_ = key.name.empty();
        if (missed_)
            return fail(errc::protocol, "something was deleted, and what cannot be read");
        target_.on_removal(key);
        return {};
    }
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
    using absence = watch_options::absence;
    fsm_.on_list_error(failure);
    const bool empty = counts_as_empty(failure);
    if (!empty || options_.when_absent != absence::fine)
        failed(failure);
    if (!empty)
        return;
    // Known to be none, also where a first page had come.
    target_.on_list_begin();
    target_.on_listed();
    lost_at_ = time_.now();
    if (options_.when_absent != absence::fine)
        return;
    missing_.reset();
    if (failure.message() != last_complaint_)
        log_.info("the server does not know this kind, looking again now and then");
    last_complaint_ = failure.message();
}

bool watcher::counts_as_empty(const api_error& failure)
{
    using absence = watch_options::absence;
    absences_ = failure.is_not_found() ? absences_ + 1 : 0;
    if (options_.when_absent == absence::emptied)
        return absences_ >= absences_that_count;
    return options_.when_absent == absence::fine && absences_ > 0;
}

// What is missing until somebody installs it or allows it: no server in trouble says so.
void watcher::note_missing(const api_error& failure)
{
    const std::string name =
        kind_.group.empty() ? std::string(kind_.plural) : fmt::format("{}.{}", kind_.plural, kind_.group);
    if (failure.is_not_found())
        missing_ = fmt::format(
            "{} ({}): the API server does not know this kind; see that its CRD is installed",
            name,
            kind_.api_version()
        );
    else if (failure.http_status() == 403)
        missing_ = fmt::format(
            "{}: this account may not list or watch them; see its ClusterRole and its binding", name
        );
}

void watcher::failed(const api_error& failure)
{
    failures_.add();
    if (!lost_at_)
        lost_at_ = time_.now();
    // A version that has grown too old is in the nature of things.
    if (failure.is_expired())
        return;
    note_missing(failure);
    // A server that is away for an hour is one line, not one per attempt.
    if (failure.message() != last_complaint_ && missing_)
        log_.warn(
            "waiting for what is missing, going on with what is known",
            {{"missing", *missing_}, {"err", failure.message()}}
        );
    else if (failure.message() != last_complaint_)
        log_.warn("the watch is interrupted, going on with what is known", {{"err", failure.message()}});
    last_complaint_ = failure.message();
    if (missing_)
        target_.on_missing();
}

void watcher::recovered()
{
    lost_at_.reset();
    absences_ = 0;
    if (missing_)
    {
        missing_.reset();
        target_.on_found_again();
    }
    if (!last_complaint_.empty())
        log_.info("the watch is back");
    last_complaint_.clear();
}

std::optional<std::chrono::seconds> watcher::disconnected_for() const
{
    if (!lost_at_ && !stuck_since_)
        return std::nullopt;
    const auto never = timekeeper::time_point::max();
    const auto since = std::min(lost_at_.value_or(never), stuck_since_.value_or(never));
    return std::chrono::duration_cast<std::chrono::seconds>(time_.now() - since);
}

}  // namespace portitor::kube
