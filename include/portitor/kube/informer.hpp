#pragma once

#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/store.hpp>
#include <portitor/kube/watch_fsm.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace portitor::kube {

/// Keeps a store true to one kind on the API server, and tells of every change. One strand.
class informer
{
public:
    using handler = std::function<void(const change&)>;

    informer(
        boost::asio::any_io_executor executor,
        api& server,
        resource kind,
        selection which,
        logger log,
        metrics& numbers
    );

    /// Called for each change, after the store has it. Set before run().
    void on_change(handler of) { handlers_.push_back(std::move(of)); }

    /// Lists and watches until canceled; survives every failure of the server.
    boost::asio::awaitable<void> run();

    /// Whether a first full list has been taken and handed to the handlers.
    bool synced() const { return synced_; }

    /// Returns when synced.
    boost::asio::awaitable<void> wait_synced();

    /// Why the store may be old: the time since the watch was last connected, where it is not now.
    std::optional<std::chrono::seconds> disconnected_for() const;

    const store& objects() const { return objects_; }
    const resource& kind() const { return kind_; }

private:
    boost::asio::awaitable<void> list(watch_step step);
    boost::asio::awaitable<void> watch(watch_step step);
    boost::asio::awaitable<api_result<void>>
    follow(http::body_stream& stream, std::chrono::milliseconds idle);
    api_result<void> take_line(std::string_view line);
    void tell(const std::vector<change>& changes);
    void failed(const api_error& failure);
    void recovered();

    api& server_;
    resource kind_;
    selection which_;
    logger log_;
    counter& restarts_;
    watch_fsm fsm_;
    store objects_;
    std::vector<handler> handlers_;
    boost::asio::steady_timer sync_signal_;
    bool synced_ = false;
    std::optional<std::chrono::steady_clock::time_point> lost_at_;
    std::string last_complaint_;
    std::mt19937 random_;
};

}  // namespace portitor::kube
