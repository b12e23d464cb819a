#include <portitor/core/task_group.hpp>
#include <portitor/kube/informer.hpp>
#include <portitor/kube/line_splitter.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace portitor::kube {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds first_delay(800);
constexpr std::chrono::milliseconds longest_delay(30000);

}  // namespace

informer::informer(
    asio::any_io_executor executor, api& server, resource kind, selection which, logger log, metrics& numbers
)
    : server_(server), kind_(kind), which_(std::move(which)), log_(log.with({{"kind", kind.kind}})),
      restarts_(numbers.counter(
          "portitor_watch_restarts_total",
          "Watches that ended by a failure",
          {{"kind", std::string(kind.kind)}}
      )),
      fsm_(backoff(first_delay, longest_delay)),
      sync_signal_(executor, asio::steady_timer::time_point::max()), random_(std::random_device{}())
{}

asio::awaitable<void> informer::run()
{
    lost_at_ = std::chrono::steady_clock::now();
    for (;;)
    {
        const watch_step step = fsm_.next();
        if (step.delay.count() > 0)
            co_await sleep_for(step.delay);
        if (step.what == watch_step::action::list)
            co_await list(step);
        else
            co_await watch(step);
    }
}

asio::awaitable<void> informer::list(watch_step step)
{
    auto page = co_await server_.list(kind_, which_, step.resource_version, step.continue_token);
    if (!page)
    {
        fsm_.on_list_error(page.error());
        failed(page.error());
        co_return;
    }
    auto snapshot = fsm_.on_page(std::move(*page));
    if (!snapshot)
        co_return;
    tell(objects_.replace(*snapshot));
    recovered();
    if (!synced_)
    {
        synced_ = true;
        log_.debug("synced", {{"objects", objects_.size()}});
        sync_signal_.cancel();
    }
}

asio::awaitable<void> informer::watch(watch_step step)
{
    // The spread keeps many watches from ending at once; the range stays below the idle limits of load
    // balancers.
    std::uniform_int_distribution<int> draw(180, 230);
    const std::chrono::seconds timeout(draw(random_));
    auto stream = co_await server_.watch(kind_, which_, step.resource_version, timeout);
    if (!stream)
    {
        const api_error failure = stream.error();
        fsm_.on_watch_end(&failure, std::chrono::steady_clock::now());
        failed(failure);
        co_return;
    }
    fsm_.on_watch_opened(std::chrono::steady_clock::now());
    recovered();
    auto ended = co_await follow(**stream, timeout + std::chrono::seconds(5));
    if (ended)
    {
        fsm_.on_watch_end(nullptr, std::chrono::steady_clock::now());
        co_return;
    }
    const api_error failure = ended.error();
    fsm_.on_watch_end(&failure, std::chrono::steady_clock::now());
    failed(failure);
}

asio::awaitable<api_result<void>> informer::follow(http::body_stream& stream, std::chrono::milliseconds idle)
{
    line_splitter lines;
    for (;;)
    {
        auto piece = co_await stream.read_some(idle);
        if (!piece)
            co_return api_error(piece.error());
        if (piece->empty())
            co_return api_result<void>();
        lines.feed(*piece);
        for (std::string_view line;;)
        {
            auto more = lines.next(line);
            if (!more)
                co_return api_error(more.error());
            if (!*more)
                break;
            auto taken = take_line(line);
            if (!taken)
                co_return taken;
        }
    }
}

api_result<void> informer::take_line(std::string_view line)
{
    auto event = fsm_.on_line(line);
    if (!event)
        return event.error();
    if (!*event || (*event)->what == watch_event::type::bookmark)
        return {};
    if ((*event)->what == watch_event::type::removal)
        tell(objects_.remove((*event)->object->meta.key()));
    else
        tell(objects_.upsert((*event)->object));
    return {};
}

void informer::tell(const std::vector<change>& changes)
{
    for (const change& each : changes)
    {
        for (const handler& of : handlers_)
            of(each);
    }
}

void informer::failed(const api_error& failure)
{
    if (failure.is_expired())
        return;
    restarts_.add();
    if (!lost_at_)
        lost_at_ = std::chrono::steady_clock::now();
    // A server that is away for an hour is one line, not one per attempt.
    if (failure.message() != last_complaint_)
        log_.warn("the watch is interrupted, going on with what is known", {{"err", failure.message()}});
    last_complaint_ = failure.message();
}

void informer::recovered()
{
    lost_at_.reset();
    if (!last_complaint_.empty())
        log_.info("the watch is back");
    last_complaint_.clear();
}

asio::awaitable<void> informer::wait_synced()
{
    while (!synced_)
    {
        boost::system::error_code ec;
        co_await sync_signal_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    }
}

std::optional<std::chrono::seconds> informer::disconnected_for() const
{
    if (!lost_at_)
        return std::nullopt;
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - *lost_at_);
}

}  // namespace portitor::kube
