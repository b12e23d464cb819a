#pragma once

#include <portitor/core/metrics.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/object.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace portitor::kube {

/// What is taken first: a first list of thousands of objects must not hold up a change that somebody just
/// made.
enum class queue_priority
{
    normal,
    low,
};

/// Keys that need work (client-go's workqueue): a key is never worked on twice at once, and any number of
/// adds while it is being worked on means one more run. Namespaces take turns, those with the least in work
/// first: tens of thousands of keys of one hold up another's by one run each. One strand.
class work_queue
{
public:
    work_queue(boost::asio::any_io_executor executor, std::string name, timekeeper& time, metrics& numbers);

    /// At most so many keys of one namespace are worked on at once: whose work takes long holds up no others.
    void share_out(std::size_t most_of_namespace) { most_of_namespace_ = most_of_namespace; }

    /// A key that waits already keeps its place, or moves up where this is more urgent.
    void add(const object_key& key, queue_priority urgency = queue_priority::normal);
    /// A second call for the same key keeps the earlier time.
    void add_after(const object_key& key, std::chrono::milliseconds delay);
    /// After a failure: 50 ms, doubling per failure of this key up to a minute, with jitter. A run that an
    /// event brought about before that time is no further failure: it waits for the rest of it.
    void add_failed(const object_key& key);
    /// The key's work succeeded: its next failure starts from the shortest delay.
    void forget(const object_key& key);

    /// The next key; waits for one. Nothing once the queue is closed. done() must follow.
    boost::asio::awaitable<std::optional<object_key>> get();
    void done(const object_key& key);

    /// Takes no more keys, drops those that wait, and wakes all who wait in get().
    void close();
    /// Returns when nobody works on a key any more. For use after close().
    boost::asio::awaitable<void> wait_idle();

    std::size_t depth() const { return waiting_; }
    std::size_t in_work() const { return in_work_.size(); }

private:
    using time_point = timekeeper::time_point;

    /// What is known of a key that is anywhere in here.
    struct item
    {
        bool dirty = false;       ///< needs a run
        bool processing = false;  ///< has one now
        queue_priority urgency = queue_priority::low;
        std::uint64_t place = 0;        ///< in the queue; 0: not there
        time_point added_at{};          ///< became dirty
        std::optional<time_point> due;  ///< a delayed add
        unsigned failures = 0;
        time_point retry_at{};  ///< when the wait after the last failure is over
    };

    using waiting_keys = std::map<std::pair<queue_priority, std::uint64_t>, object_key>;
    using standing = std::tuple<std::size_t, std::uint64_t, std::string>;

    /// The keys of one namespace.
    struct line
    {
        waiting_keys keys;
        std::size_t in_work = 0;
        std::uint64_t turn = 0;                ///< grows with each run that it is given
        std::optional<queue_priority> stands;  ///< in which line of namespaces; none while it has its share
    };

    void add_at(const object_key& key, item& what, time_point when);
    void enqueue(const object_key& key, item& what);
    std::optional<object_key> take_first();
    void take_out(const object_key& key, item& what);
    void leave_line(const std::string& ns, line& of);
    void stand(const std::string& ns);
    void move_due();
    void drop_if_unused(const object_key& key);
    void measure();

    timekeeper& time_;
    std::unique_ptr<timer> signal_;
    std::map<object_key, item> items_;
    std::map<std::string, line> lines_;
    /// Namespaces that may be given a run, by their most urgent key: by what they have in work, then by turn.
    std::array<std::set<standing>, 2> ready_;
    std::size_t waiting_ = 0;
    std::uint64_t last_turn_ = 0;
    std::uint64_t runs_ = 0;
    std::size_t most_of_namespace_ = std::numeric_limits<std::size_t>::max();
    std::set<std::pair<time_point, object_key>> due_;
    std::map<object_key, time_point> in_work_;  ///< since when
    std::uint64_t last_place_ = 0;
    std::mt19937 random_;
    bool closed_ = false;
    gauge& depth_;
    counter& adds_;
    counter& retries_;
    histogram& wait_seconds_;
    histogram& work_seconds_;
    gauge& longest_;
    gauge& unfinished_;
    metrics::collector collector_;
};

}  // namespace portitor::kube
