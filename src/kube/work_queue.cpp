#include <portitor/core/saturating_time.hpp>
#include <portitor/kube/work_queue.hpp>

#include <algorithm>

namespace portitor::kube {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds first_retry(50);
constexpr std::chrono::milliseconds longest_retry(60000);
constexpr unsigned most_doublings = 20;
// One in so many runs goes to what is not urgent, if there is any: it comes to its turn in the end.
constexpr std::uint64_t runs_for_one_of_low = 8;

std::size_t index_of(queue_priority urgency)
{
    return static_cast<std::size_t>(urgency);
}

double seconds_between(timekeeper::time_point from, timekeeper::time_point to)
{
    return std::chrono::duration<double>(to - from).count();
}

}  // namespace

work_queue::work_queue(asio::any_io_executor executor, std::string name, timekeeper& time, metrics& numbers)
    : time_(time), signal_(time.make_timer(executor)), random_(std::random_device{}()),
      depth_(numbers.gauge("workqueue_depth", "Keys that wait", {{"name", name}})),
      adds_(numbers.counter("workqueue_adds_total", "Keys that were queued", {{"name", name}})),
      retries_(numbers.counter(
          "workqueue_retries_total", "Keys that were queued again after a failure", {{"name", name}}
      )),
      wait_seconds_(numbers.histogram(
          "workqueue_queue_duration_seconds", "Time that keys waited for a worker", {{"name", name}}
      )),
      work_seconds_(numbers.histogram(
          "workqueue_work_duration_seconds", "Time that the work on a key took", {{"name", name}}
      )),
      longest_(numbers.gauge(
          "workqueue_longest_running_processor_seconds",
          "For how long the oldest work that is not done has been going on",
          {{"name", name}}
      )),
      unfinished_(numbers.gauge(
          "workqueue_unfinished_work_seconds", "The same, of all work that is not done", {{"name", name}}
      )),
      collector_(numbers.collect([this] { measure(); }))
{}

void work_queue::measure()
{
    std::chrono::seconds longest{};
    std::chrono::seconds all{};
    for (const auto& [key, since] : in_work_)
    {
        const auto age = std::chrono::duration_cast<std::chrono::seconds>(time_.now() - since);
        longest = std::max(longest, age);
        all += age;
    }
    longest_.set(longest.count());
    unfinished_.set(all.count());
}

void work_queue::enqueue(const object_key& key, item& what)
{
    what.place = ++last_place_;
    const auto [at, is_new] = lines_.try_emplace(key.ns);
    if (is_new)
        at->second.turn = ++last_turn_;
    at->second.keys.emplace(std::pair(what.urgency, what.place), key);
    ++waiting_;
    stand(key.ns);
    depth_.set(static_cast<std::int64_t>(depth()));
    signal_->cancel();
}

void work_queue::leave_line(const std::string& ns, line& of)
{
    if (of.stands)
        ready_[index_of(*of.stands)].erase({of.in_work, of.turn, ns});
    of.stands.reset();
}

// Puts a namespace where it belongs now; nothing is kept of one that has neither keys nor work.
void work_queue::stand(const std::string& ns)
{
    const auto at = lines_.find(ns);
    line& of = at->second;
    leave_line(ns, of);
    if (of.keys.empty() && of.in_work == 0)
    {
        lines_.erase(at);
        return;
    }
    if (of.keys.empty() || of.in_work >= most_of_namespace_)
        return;
    of.stands = of.keys.begin()->first.first;
    ready_[index_of(*of.stands)].insert({of.in_work, of.turn, ns});
}

/// The next key, which is in work from now on.
std::optional<object_key> work_queue::take_first()
{
    auto& urgent = ready_[index_of(queue_priority::normal)];
    auto& other = ready_[index_of(queue_priority::low)];
    const bool turn_of_low = (runs_ + 1) % runs_for_one_of_low == 0;
    const auto& from = urgent.empty() || (turn_of_low && !other.empty()) ? other : urgent;
    if (from.empty())
        return std::nullopt;
    ++runs_;
    const std::string ns = std::get<std::string>(*from.begin());
    line& of = lines_.at(ns);
    leave_line(ns, of);
    const object_key key = of.keys.begin()->second;
    ++of.in_work;
    of.turn = ++last_turn_;
    take_out(key, items_[key]);
    return key;
}

void work_queue::take_out(const object_key& key, item& what)
{
    lines_.at(key.ns).keys.erase({what.urgency, what.place});
    --waiting_;
    what.place = 0;
    stand(key.ns);
    depth_.set(static_cast<std::int64_t>(depth()));
}

void work_queue::add(const object_key& key, queue_priority urgency)
{
    if (closed_)
        return;
    item& what = items_[key];
    if (!what.dirty)
    {
        adds_.add();
        what.dirty = true;
        what.urgency = urgency;
        what.added_at = time_.now();
        if (!what.processing)
            enqueue(key, what);
    }
    else if (urgency < what.urgency)
    {
        const bool queued = what.place != 0;
        if (queued)
            take_out(key, what);
        what.urgency = urgency;
        if (queued)
            enqueue(key, what);
    }
}

void work_queue::add_at(const object_key& key, item& what, time_point when)
{
    if (what.due && *what.due <= when)
        return;
    if (what.due)
        due_.erase({*what.due, key});
    what.due = when;
    due_.emplace(when, key);
    signal_->cancel();
}

void work_queue::add_after(const object_key& key, std::chrono::milliseconds delay)
{
    if (delay.count() <= 0)
        add(key);
    else if (!closed_)
        add_at(key, items_[key], saturating_add(time_.now(), delay));
}

void work_queue::add_failed(const object_key& key)
{
    if (closed_)
        return;
    retries_.add();
    item& what = items_[key];
    const auto now = time_.now();
    if (now >= what.retry_at)
    {
        const auto step = std::min(
            longest_retry, first_retry * (std::int64_t{1} << std::min(what.failures, most_doublings))
        );
        ++what.failures;
        std::uniform_int_distribution<std::int64_t> draw(step.count() / 2, step.count());
        what.retry_at = now + std::chrono::milliseconds(draw(random_));
    }
    add_at(key, what, what.retry_at);
}

void work_queue::forget(const object_key& key)
{
    const auto at = items_.find(key);
    if (at == items_.end())
        return;
    at->second.failures = 0;
    at->second.retry_at = {};
    drop_if_unused(key);
}

void work_queue::drop_if_unused(const object_key& key)
{
    const auto at = items_.find(key);
    const item& what = at->second;
    if (!what.dirty && !what.processing && !what.due && what.failures == 0)
        items_.erase(at);
}

void work_queue::move_due()
{
    const auto now = time_.now();
    while (!due_.empty() && due_.begin()->first <= now)
    {
        const object_key key = due_.begin()->second;
        due_.erase(due_.begin());
        items_[key].due.reset();
        add(key);
    }
}

asio::awaitable<std::optional<object_key>> work_queue::get()
{
    for (;;)
    {
        if (closed_)
            co_return std::nullopt;
        move_due();
        if (const auto first = take_first())
        {
            const object_key& key = *first;
            item& what = items_[key];
            what.dirty = false;
            what.processing = true;
            const auto now = time_.now();
            wait_seconds_.observe(seconds_between(what.added_at, now));
            in_work_[key] = now;
            co_return key;
        }
        // One timer for all: each waiter sets it to the same head of the delays.
        const auto next = due_.empty() ? time_point::max() : due_.begin()->first;
        if (signal_->expiry() != next)
            signal_->expires_at(next);
        co_await signal_->wait();
    }
}

void work_queue::done(const object_key& key)
{
    const auto started = in_work_.find(key);
    if (started == in_work_.end())
        return;
    work_seconds_.observe(seconds_between(started->second, time_.now()));
    in_work_.erase(started);
    line& of = lines_.at(key.ns);
    leave_line(key.ns, of);
    --of.in_work;
    if (!of.keys.empty())
        signal_->cancel();
    stand(key.ns);
    item& what = items_[key];
    what.processing = false;
    if (what.dirty)
        enqueue(key, what);
    drop_if_unused(key);
    if (closed_)
        signal_->cancel();
}

void work_queue::close()
{
    closed_ = true;
    for (auto& each : ready_)
        each.clear();
    std::erase_if(lines_, [](const auto& each) { return each.second.in_work == 0; });
    for (auto& [ns, of] : lines_)
    {
        of.keys.clear();
        of.stands.reset();
    }
    waiting_ = 0;
    due_.clear();
    for (auto& [key, what] : items_)
    {
        what.dirty = false;
        what.due.reset();
        what.place = 0;
    }
    depth_.set(0);
    signal_->expires_at(time_point::max());
}

asio::awaitable<void> work_queue::wait_idle()
{
    while (!in_work_.empty())
        co_await signal_->wait();
}

}  // namespace portitor::kube
