#pragma once

#include "roles/controller/fair_schedule.hpp"

#include <portitor/core/task_group.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/object.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>

namespace portitor::controller {

/// Asks questions over and over, some of them at a time, and keeps the latest answers. Offers that want to
/// know the same share one question: an upstream is asked as often, however many offers sell it. Where more
/// is due than may be asked at a time, the offers' namespaces take turns; see fair_schedule. One strand.
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
    /// What is asked in the same group has a share of its namespace's; empty: in none.
    using grouping = std::function<std::string(const Target& about)>;
    /// Hears how late each question is asked, and whether its namespace's or group's own share was full.
    using gauging = std::function<void(std::chrono::nanoseconds late, bool own_share)>;

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
        : name_(std::move(name)), tasks_(tasks), time_(time), at_a_time_(at_a_time), due_({at_a_time}),
          ask_(std::move(ask)), on_change_(std::move(on_change)), random_(seed),
          wake_(time.make_timer(tasks.executor()))
    {
        tasks_.spawn(name_ + " schedule", run());
    }

    /// Of the questions at a time, those of one namespace, and those of one namespace and group, are at most
    /// so many. Before the first is asked.
    void share_out(std::size_t most_of_namespace, std::size_t most_of_group, grouping group_of)
    {
        due_.share_out({at_a_time_, most_of_namespace, most_of_group});
        group_of_ = std::move(group_of);
    }

    void on_ask(gauging measure) { measure_ = std::move(measure); }

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
        of.offers.insert(offer);
        const bool joins = ++of.namespaces[offer.ns] == 1;
        watched_.emplace(offer, at);
        if (is_new)
        {
            of.number = ++last_number_;
            by_number_.emplace(of.number, &*at);
            schedule(*at, time_.now());
        }
        else if (joins && of.due)
            schedule(*at, *of.due);
    }

    /// Asks no more about this offer.
    void forget(const kube::object_key& offer)
    {
        const auto known = watched_.find(offer);
        if (known == watched_.end())
            return;
        const auto at = known->second;
        watched_.erase(known);
        entry& of = at->second;
        of.offers.erase(offer);
        const auto place = of.namespaces.find(offer.ns);
        const bool leaves = --place->second == 0;
        if (leaves)
            of.namespaces.erase(place);
        if (!of.offers.empty())
        {
            if (leaves && of.due)
                schedule(*at, *of.due);
            return;
        }
        due_.remove(of.number);
        by_number_.erase(of.number);
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
        std::map<std::string, std::size_t> namespaces;  ///< of these, with how many each
        std::optional<timekeeper::time_point> due;      ///< while it is not being asked
        /// Tells it from one that was there before, for the same target.
        std::uint64_t number = 0;
    };
    using entries = std::map<Target, entry>;
    using slot = typename entries::value_type;

    /// On the share of each namespace whose offers want to know.
    void schedule(slot& of, timekeeper::time_point when)
    {
        fair_schedule::item waits;
        waits.due = when;
        if (group_of_)
            waits.group = group_of_(of.first);
        for (const auto& [ns, count] : of.second.namespaces)
            waits.namespaces.push_back(ns);
        of.second.due = when;
        due_.add(of.second.number, std::move(waits));
        wake_->cancel();
    }

    boost::asio::awaitable<void> run()
    {
        for (;;)
        {
            while (auto next = due_.take(time_.now()))
            {
                slot& of = *by_number_.at(next->what);
                of.second.due.reset();
                if (measure_)
                    measure_(next->late, next->own_share);
                tasks_.spawn(name_, ask(of.first, std::move(*next), of.second.latest));
            }
            wake_->expires_at(due_.next(time_.now()));
            co_await wake_->wait();
        }
    }

    boost::asio::awaitable<void> ask(Target about, fair_schedule::taken share, Result before)
    {
        finding found = co_await ask_(about, std::move(before));
        due_.give_back(share, time_.now());
        wake_->cancel();
        const auto at = entries_.find(about);
        if (at == entries_.end() || at->second.number != share.what)
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
    std::size_t at_a_time_;
    fair_schedule due_;  ///< what is not being asked now
    question ask_;
    listener on_change_;
    grouping group_of_;
    gauging measure_;
    std::mt19937_64 random_;
    std::unique_ptr<timer> wake_;
    entries entries_;
    std::map<kube::object_key, typename entries::iterator> watched_;
    std::unordered_map<std::uint64_t, slot*> by_number_;
    std::uint64_t last_number_ = 0;
};

}  // namespace portitor::controller
