#pragma once

#include <portitor/core/exception_text.hpp>
#include <portitor/kube/environment.hpp>
#include <portitor/kube/store.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace portitor::kube {

/// Tells handlers of changes. A handler that throws costs the others nothing, and hears of its object again,
/// later each time, with all that has become of it since: so it must be able to hear of one change twice.
/// One strand.
template <typename T>
class change_delivery
{
public:
    using handler = std::function<void(const change<T>&)>;

    change_delivery(const environment& around, const resource& kind)
        : time_(around.timers), log_(around.log.with({{"kind", kind.kind}})),
          wake_(around.timers.make_timer(around.executor)),
          failures_(around.metrics.counter(
              "portitor_watch_handler_failures_total",
              "Exceptions while a change was taken in; it is told again, later each time",
              {{"kind", std::string(kind.kind)}}
          ))
    {}

    void add(handler of) { handlers_.push_back(std::move(of)); }

    void tell(const change<T>& of)
    {
        for (std::size_t i = 0; i < handlers_.size(); ++i)
        {
            if (unheard_.empty())
                tell(i, of, 0);
            else
                tell_joined(i, of);
        }
    }

    /// An exception outside of handlers.
    void note_fault(const object_key& key, const std::string& what)
    {
        failures_.add();
        log_.error("an exception while a change was taken in", {{"key", key.to_string()}, {"err", what}});
    }

    /// Tells again what was not taken, until canceled.
    boost::asio::awaitable<void> run()
    {
        for (;;)
        {
            wake_->expires_at(first_due());
            co_await wake_->wait();
            tell_due();
        }
    }

private:
    using handler_key = std::pair<object_key, std::size_t>;

    struct missed
    {
        change<T> what;
        unsigned failures = 0;
        timekeeper::time_point due{};
    };

    static constexpr std::chrono::milliseconds first_delay{50};
    static constexpr std::chrono::milliseconds longest_delay{60000};

    void tell(std::size_t which, const change<T>& of, unsigned failures)
    {
        try
        {
            handlers_[which](of);
        }
        catch (...)
        {
            note_fault(of.key(), describe(std::current_exception()));
            const auto delay = std::min(longest_delay, first_delay * (1 << std::min(failures, 11U)));
            unheard_[{of.key(), which}] = {of, failures + 1, time_.now() + delay};
            wake_->cancel();
        }
    }

    /// From what the handler knows to what there is now.
    void tell_joined(std::size_t which, const change<T>& of)
    {
        const auto known = unheard_.find({of.key(), which});
        if (known == unheard_.end())
            return tell(which, of, 0);
        const missed past = std::move(known->second);
        unheard_.erase(known);
        const change<T> joined{past.what.before, of.after};
        if (joined.before || joined.after)
            tell(which, joined, past.failures);
    }

    void tell_due()
    {
        std::vector<handler_key> due;
        for (const auto& [key, what] : unheard_)
        {
            if (what.due <= time_.now())
                due.push_back(key);
        }
        for (const handler_key& each : due)
        {
            const missed past = std::move(unheard_.at(each));
            unheard_.erase(each);
            tell(each.second, past.what, past.failures);
        }
    }

    timekeeper::time_point first_due() const
    {
        auto out = timekeeper::time_point::max();
        for (const auto& [key, what] : unheard_)
            out = std::min(out, what.due);
        return out;
    }

    timekeeper& time_;
    logger log_;
    std::unique_ptr<timer> wake_;
    counter& failures_;
    std::vector<handler> handlers_;
    std::map<handler_key, missed> unheard_;
};

}  // namespace portitor::kube
