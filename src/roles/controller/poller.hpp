#pragma once

#include <portitor/core/task_group.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/object.hpp>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

namespace portitor::controller {

/// Asks questions over and over, some of them at a time, and keeps the latest answers. Offers that want to
/// know the same share one question: an upstream is asked as often, however many offers sell it. One strand.
template <typename Target, typename Result>
class poller
{
public:
    /// An answer, and when to ask again.
    struct finding
    {
        finding() = default;
        finding(Result said, std::chrono::milliseconds wait) : result(std::move(said)), again(wait) {}
        Result result{};
        std::chrono::milliseconds again{0};
    };

    /// Gets the last result for the same target, a default one at first. Must end by itself.
    using question = std::function<boost::asio::awaitable<finding>(const Target& about, Result before)>;
    /// Hears of each result that differs from the one before, for each offer that wants it.
    using listener = std::function<void(const kube::object_key& offer)>;

    /// Runs in `tasks`, until they are cancelled; must be there until they are joined. `name` is for logs.
    poller(
        std::string name,
        task_group& tasks,
        timekeeper& time,
        std::size_t at_a_time,
        question ask,
        listener on_change,
        std::uint64_t seed = std::random_device{}()
    )
        : name_(std::move(name)), tasks_(tasks), time_(time), free_(at_a_time), ask_(std::move(ask)),
          on_change_(std::move(on_change)), random_(seed), wake_(time.make_timer(tasks.executor()))
    {
        tasks_.spawn(name_ + " schedule", run());
    }

    /// Asks about `about` from now on, instead of what was asked before for this offer. An equal target
    /// changes nothing; one that others ask about has its answer at once.
    void watch(const kube::object_key& offer, const Target& about)
    {
        const auto known = watched_.find(offer);
        if (known != watched_.end() && known->second->first == about)
            return;
        forget(offer);
        const auto [at, is_new] = entries_.try_emplace(about);
        entry& of = at->second;
        if (is_new)
        {
            of.number = ++last_number_;
            schedule(*at, time_.now());
        }
        of.offers.insert(offer);
        watched_.emplace(offer, at);
    }

    /// Asks no more about this offer.
    void forget(const kube::object_key& offer)
    {
        const auto known = watched_.find(offer);
        if (known == watched_.end())
            return;
        const auto at = known->second;
        watched_.erase(known);
        at->second.offers.erase(offer);
        if (!at->second.offers.empty())
            return;
        due_.erase({at->second.due, &*at});
        entries_.erase(at);
    }

    /// The latest result for what is watched now; a default one before the first answer.
    Result latest(const kube::object_key& offer) const
    {
        const auto known = watched_.find(offer);
        return known == watched_.end() ? Result() : known->second->second.latest;
    }

private:
    struct entry
    {
        Result latest{};
        std::set<kube::object_key> offers;
        timekeeper::time_point due{};  ///< while it is not being asked
        std::uint64_t number = 0;      ///< tells it from one that was there before, for the same target
    };
    using entries = std::map<Target, entry>;
    using slot = typename entries::value_type;

    void schedule(slot& of, timekeeper::time_point when)
    {
        of.second.due = when;
        due_.insert({when, &of});
        wake_->cancel();
    }

    boost::asio::awaitable<void> run()
    {
        for (;;)
        {
            while (free_ > 0 && !due_.empty() && due_.begin()->first <= time_.now())
            {
                slot& of = *due_.begin()->second;
                due_.erase(due_.begin());
                --free_;
                tasks_.spawn(name_, ask(of.first, of.second.number, of.second.latest));
            }
            const bool waits = free_ > 0 && !due_.empty();
            wake_->expires_at(waits ? due_.begin()->first : timekeeper::time_point::max());
            co_await wake_->wait();
        }
    }

    boost::asio::awaitable<void> ask(Target about, std::uint64_t number, Result before)
    {
        finding found = co_await ask_(about, std::move(before));
        ++free_;
        wake_->cancel();
        const auto at = entries_.find(about);
        if (at == entries_.end() || at->second.number != number)
            co_return;
        const bool news = !(found.result == at->second.latest);
        at->second.latest = std::move(found.result);
        schedule(*at, time_.now() + jittered(found.again));
        if (!news)
            co_return;
        const std::set<kube::object_key> offers = at->second.offers;
        for (const kube::object_key& each : offers)
            on_change_(each);
    }

    // So that what began together does not stay together.
    std::chrono::milliseconds jittered(std::chrono::milliseconds wait)
    {
        std::uniform_int_distribution<std::int64_t> draw(wait.count() * 9 / 10, wait.count() * 11 / 10);
        return std::chrono::milliseconds(draw(random_));
    }

    std::string name_;
    task_group& tasks_;
    timekeeper& time_;
    std::size_t free_;  ///< how many more may be asked at a time
    question ask_;
    listener on_change_;
    std::mt19937_64 random_;
    std::unique_ptr<timer> wake_;
    entries entries_;
    std::map<kube::object_key, typename entries::iterator> watched_;
    std::set<std::pair<timekeeper::time_point, slot*>> due_;  ///< what is not being asked now
    std::uint64_t last_number_ = 0;
};

}  // namespace portitor::controller
