#pragma once

#include <portitor/core/stop_signal.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/kube/environment.hpp>
#include <portitor/kube/informer.hpp>
#include <portitor/kube/leader_election.hpp>
#include <portitor/kube/work_queue.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace portitor::kube {

/// What becomes of a process whose kinds cannot be listed in time.
enum class when_unsynced
{
    give_up,  ///< it ends, with the reason
    wait,
};

struct controller_options
{
    std::string name;  ///< in logs, and the metrics' label
    int workers = 1;
    std::chrono::milliseconds sync_limit = std::chrono::minutes(2);
    kube::when_unsynced when_unsynced = when_unsynced::wait;
    /// At the end, reconciles under way have so long to finish before they are canceled.
    std::chrono::milliseconds drain_limit = std::chrono::seconds(20);
    /// Once its stores are filled, a kind that goes missing is a warning, and no reason not to be ready: what
    /// is known serves on. For a process that nobody does without.
    bool serves_on = false;
    /// A watch that is away for longer is a warning. Never a reason to be killed: no restart brings the API
    /// server back.
    std::chrono::seconds stale_limit = std::chrono::minutes(10);
    /// Where set, only the holder of this Lease reconciles. All keep their stores.
    std::optional<lease_settings> lease = {};
    /// Awaited once, when all stores are filled and before the Lease is asked for: what else the reconciler
    /// has to know first. Canceled with the rest.
    std::function<boost::asio::awaitable<void>()> prepare = {};
    /// Hears of each reconcile that ended by an exception, before its key is tried again: to say so where
    /// somebody looks for it. Its own failures are only logged.
    std::function<boost::asio::awaitable<void>(object_key key, std::string what)> on_exception = {};
};

/// When to look at the key again without an event; nothing: not before one.
using reconcile_result = result<std::optional<std::chrono::milliseconds>>;

/// Brings one key closer to what is wanted, from what the informers' stores hold. Must be repeatable: it may
/// be cut off anywhere and run again. An error is tried again with growing delays; errc::conflict, the news
/// of which are on their way, without a word in the log. So is an exception: it is the failure of that key.
using reconciler = std::function<boost::asio::awaitable<reconcile_result>(object_key key)>;

/// The keys that a change concerns.
template <typename T>
using mapper = std::function<std::vector<object_key>(const change<T>&)>;

/// The object's own key.
template <typename T>
std::vector<object_key> own_key(const change<T>& of)
{
    return {of.key()};
}

/// The object's controlling owner of this kind, before and after the change.
mapper<object> controller_key(std::string kind);

/// Ties watches, queue and workers together: from run() on, each change of what is watched has its keys
/// reconciled, one at a time for each key, once every store has been filled but for optional kinds that
/// cannot be read. A kind that is missing makes the process not ready, unless it serves_on, and is waited
/// for. One strand.
class controller
{
public:
    controller(const environment& around, controller_options options, reconciler work);
    ~controller();
    controller(const controller&) = delete;
    controller& operator=(const controller&) = delete;

    /// Watches a kind, kept as `decode` makes it. What it says is mapped to keys; without a mapper it only
    /// fills its store. Before run(); lives as long as the controller.
    template <typename T>
    informer<T>& watch(
        const resource& kind,
        const selection& which,
        decoder<T> decode,
        mapper<T> to_keys,
        watch_options options = {},
        stand_in_maker<T> stand_in = {}
    )
    {
        return keep(
            std::make_unique<informer<T>>(
                around_, kind, which, std::move(decode), options, std::move(stand_in)
            ),
            std::move(to_keys)
        );
    }

    /// The same for whole objects.
    object_informer&
    watch(const resource& kind, const selection& which, mapper<object> to_keys, watch_options options = {})
    {
        return keep(std::make_unique<object_informer>(around_, kind, which, options), std::move(to_keys));
    }

    /// Keys may be added from anywhere on the strand.
    work_queue& queue() { return queue_; }

    /// Called once, when all stores are filled and this process leads, before the first reconcile.
    void on_start(std::function<void()> of) { on_start_ = std::move(of); }

    /// Called when a kind that was missing is there again, after on_start(): what was left alone for want of
    /// it, or failed, may be looked at anew.
    void on_found(std::function<void()> of) { on_found_ = std::move(of); }

    /// Whether every store has been filled: those of optional kinds may not be.
    bool all_synced() const;

    /// Works until `end` is requested, and returns when all that it started has ended and the lease has been
    /// released. A lost lease or a kind that cannot be listed requests the end itself, with exit code 1.
    boost::asio::awaitable<void> run(stop_signal& end);

private:
    class in_work;

    template <typename Informer, typename Mapper>
    Informer& keep(std::unique_ptr<Informer> made, Mapper to_keys)
    {
        Informer& out = *made;
        if (to_keys)
            out.on_change([this, &out, map = std::move(to_keys)](const auto& of) {
                // The first list is work for quiet moments.
                const auto urgency = out.synced() ? queue_priority::normal : queue_priority::low;
                for (const object_key& key : map(of))
                    queue_.add(key, urgency);
            });
        out.on_found([this] {
            if (started_ && on_found_)
                on_found_();
        });
        informers_.push_back(std::move(made));
        return out;
    }

    boost::asio::awaitable<void> lead(stop_signal& end);
    boost::asio::awaitable<void> limit_sync(stop_signal& end);
    std::optional<std::string> find_missing(bool only_unfilled) const;
    std::optional<std::string> find_unsynced() const;
    std::optional<std::string> find_stale() const;
    boost::asio::awaitable<void> work();
    boost::asio::awaitable<void> reconcile(object_key key);
    boost::asio::awaitable<reconcile_result> attempt(object_key key);
    boost::asio::awaitable<void> tell_exception(object_key key, std::string what);
    boost::asio::awaitable<void> drain();
    /// A task other than a reconcile has thrown: nothing is certain any more.
    void give_up();
    void add_checks();
    std::string synced_check() const;
    std::string connected_check() const;

    environment around_;
    controller_options options_;
    reconciler reconcile_;
    work_queue queue_;
    std::vector<std::unique_ptr<informer_base>> informers_;
    std::optional<leader_elector> elector_;
    std::function<void()> on_start_;
    std::function<void()> on_found_;
    bool started_ = false;
    stop_signal* end_ = nullptr;
    task_group tasks_;  ///< watches, the sync limit, leadership
    task_group workers_;
    bool lost_ = false;  ///< the lease is somebody else's: stop at once
    counter& succeeded_;
    counter& failed_;
    counter& requeued_;
    counter& errors_;
    counter& panics_;
    histogram& seconds_;
    gauge& active_;
};

}  // namespace portitor::kube
