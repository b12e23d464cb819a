#pragma once

#include <portitor/core/metrics.hpp>
#include <portitor/kube/object.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>

namespace portitor::kube {

/// Keys that need work (client-go's workqueue): a key is never worked on twice at once, and any number of
/// adds while it is being worked on means one more run. One strand.
class work_queue
{
public:
    work_queue(boost::asio::any_io_executor executor, std::string name, metrics& numbers);

    void add(const object_key& key);
    /// A second call for the same key keeps the earlier time.
    void add_after(const object_key& key, std::chrono::milliseconds delay);
    /// After a failure: 50 ms, doubling per failure of this key up to a minute, with jitter.
    void add_failed(const object_key& key);
    /// The key's work succeeded: its next failure starts from the shortest delay.
    void forget(const object_key& key) { failures_.erase(key); }

    /// The next key; waits for one. Nothing once the queue is closed. done() must follow.
    boost::asio::awaitable<std::optional<object_key>> get();
    void done(const object_key& key);

    /// Wakes all who wait; what is queued is dropped.
    void close();

    std::size_t depth() const { return queue_.size(); }

private:
    using steady = std::chrono::steady_clock;

    void enqueue(const object_key& key);
    void move_due();
    steady::time_point wake_at() const;
    void wake();

    boost::asio::steady_timer signal_;
    std::deque<object_key> queue_;
    std::set<object_key> dirty_;
    std::set<object_key> processing_;
    std::map<object_key, steady::time_point> delayed_;
    std::set<std::pair<steady::time_point, object_key>> due_;
    std::map<object_key, unsigned> failures_;
    std::mt19937 random_;
    bool closed_ = false;
    gauge& depth_;
    counter& adds_;
    counter& retries_;
};

}  // namespace portitor::kube
