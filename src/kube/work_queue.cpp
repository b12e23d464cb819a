#include <portitor/kube/work_queue.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace portitor::kube {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds first_retry(50);
constexpr std::chrono::milliseconds longest_retry(60000);

}  // namespace

work_queue::work_queue(asio::any_io_executor executor, std::string name, metrics& numbers)
    : signal_(executor, asio::steady_timer::time_point::max()), random_(std::random_device{}()),
      depth_(numbers.gauge("workqueue_depth", "Keys that wait", {{"name", name}})),
      adds_(numbers.counter("workqueue_adds_total", "Keys that were queued", {{"name", name}})),
      retries_(numbers.counter(
          "workqueue_retries_total", "Keys that were queued again after a failure", {{"name", name}}
      ))
{}

void work_queue::enqueue(const object_key& key)
{
    queue_.push_back(key);
    depth_.set(static_cast<std::int64_t>(queue_.size()));
    wake();
}

void work_queue::wake()
{
    signal_.cancel();
}

void work_queue::add(const object_key& key)
{
    if (closed_ || !dirty_.insert(key).second)
        return;
    adds_.add();
    if (!processing_.contains(key))
        enqueue(key);
}

void work_queue::add_after(const object_key& key, std::chrono::milliseconds delay)
{
    if (closed_)
        return;
    if (delay.count() <= 0)
        return add(key);
    const auto when = steady::now() + delay;
    const auto [at, fresh] = delayed_.emplace(key, when);
    if (!fresh)
    {
        if (at->second <= when)
            return;
        due_.erase({at->second, key});
        at->second = when;
    }
    due_.emplace(when, key);
    wake();
}

void work_queue::add_failed(const object_key& key)
{
    retries_.add();
    const unsigned failures = std::min(failures_[key]++, 20U);
    const auto step = std::min(longest_retry, first_retry * (std::int64_t{1} << failures));
    std::uniform_int_distribution<std::int64_t> draw(step.count() / 2, step.count());
    add_after(key, std::chrono::milliseconds(draw(random_)));
}

void work_queue::move_due()
{
    const auto now = steady::now();
    while (!due_.empty() && due_.begin()->first <= now)
    {
        const object_key key = due_.begin()->second;
        due_.erase(due_.begin());
        delayed_.erase(key);
        add(key);
    }
}

work_queue::steady::time_point work_queue::wake_at() const
{
    return due_.empty() ? steady::time_point::max() : due_.begin()->first;
}

asio::awaitable<std::optional<object_key>> work_queue::get()
{
    for (;;)
    {
        move_due();
        if (closed_)
            co_return std::nullopt;
        if (!queue_.empty())
        {
            const object_key key = queue_.front();
            queue_.pop_front();
            depth_.set(static_cast<std::int64_t>(queue_.size()));
            dirty_.erase(key);
            processing_.insert(key);
            co_return key;
        }
        // One timer for all: each waiter sets it to the same head of the delays.
        if (signal_.expiry() != wake_at())
            signal_.expires_at(wake_at());
        boost::system::error_code ec;
        co_await signal_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    }
}

void work_queue::done(const object_key& key)
{
    processing_.erase(key);
    if (!closed_ && dirty_.contains(key))
        enqueue(key);
}

void work_queue::close()
{
    closed_ = true;
    queue_.clear();
    dirty_.clear();
    delayed_.clear();
    due_.clear();
    depth_.set(0);
    wake();
}

}  // namespace portitor::kube
