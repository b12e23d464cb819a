#pragma once

#include <portitor/core/concurrency_limit.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/object.hpp>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

namespace portitor::controller {

/// Asks one question about every offer, over and over, some of them at a time, and keeps the latest answers.
/// One strand.
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
    /// Hears of each result that differs from the one before.
    using listener = std::function<void(const kube::object_key& offer)>;

    /// Runs in `tasks`, which with `time` must outlive this. `name` is for logs.
    poller(
        std::string name,
        task_group& tasks,
        timekeeper& time,
        std::size_t at_a_time,
        question ask,
        listener on_change,
        std::uint64_t seed = std::random_device{}()
    )
        : name_(std::move(name)), tasks_(tasks), time_(time), limit_(at_a_time), ask_(std::move(ask)),
          on_change_(std::move(on_change)), random_(seed)
    {}

    /// Asks about `about` from now on, after `first_wait`, instead of what was asked before for this offer.
    /// An equal target changes nothing.
    void watch(const kube::object_key& offer, const Target& about, std::chrono::milliseconds first_wait = {})
    {
        const auto known = entries_.find(offer);
        if (known != entries_.end() && known->second->about == about)
            return;
        forget(offer);
        auto made = std::make_shared<entry>(about, time_.make_timer(tasks_.executor()));
        entries_[offer] = made;
        tasks_.spawn(name_ + " " + offer.to_string(), ask_on(offer, std::move(made), first_wait));
    }

    /// Asks no more about this offer.
    void forget(const kube::object_key& offer)
    {
        const auto known = entries_.find(offer);
        if (known == entries_.end())
            return;
        known->second->wanted = false;
        known->second->wake->cancel();
        entries_.erase(known);
    }

    /// The latest result for what is watched now; a default one before the first answer.
    Result latest(const kube::object_key& offer) const
    {
        const auto known = entries_.find(offer);
        return known == entries_.end() ? Result() : known->second->latest;
    }

private:
    struct entry
    {
        entry(Target target, std::unique_ptr<timer> timer) : about(std::move(target)), wake(std::move(timer))
        {}
        const Target about;
        std::unique_ptr<timer> wake;
        Result latest{};
        bool wanted = true;
    };

    boost::asio::awaitable<void>
    ask_on(kube::object_key offer, std::shared_ptr<entry> held, std::chrono::milliseconds wait)
    {
        for (;;)
        {
            held->wake->expires_at(time_.now() + jittered(wait));
            co_await held->wake->wait();
            if (!held->wanted)
                co_return;
            wait = co_await ask_once(offer, *held);
            if (!held->wanted)
                co_return;
        }
    }

    boost::asio::awaitable<std::chrono::milliseconds> ask_once(const kube::object_key& offer, entry& held)
    {
        const concurrency_limit::place place = co_await limit_.enter();
        if (!held.wanted)
            co_return std::chrono::milliseconds(0);
        finding found = co_await ask_(held.about, held.latest);
        if (!held.wanted)
            co_return std::chrono::milliseconds(0);
        const bool news = !(found.result == held.latest);
        held.latest = std::move(found.result);
        if (news)
            on_change_(offer);
        co_return found.again;
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
    concurrency_limit limit_;
    question ask_;
    listener on_change_;
    std::map<kube::object_key, std::shared_ptr<entry>> entries_;
    std::mt19937_64 random_;
};

}  // namespace portitor::controller
