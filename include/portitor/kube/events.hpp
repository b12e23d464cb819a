#pragma once

#include <portitor/core/task_group.hpp>
#include <portitor/kube/api.hpp>

#include <string>

namespace portitor::kube {

/// Writes core/v1 Events for people to read in `kubectl describe`. An Event that cannot be written is
/// dropped: it is news, not state. One strand.
class event_recorder
{
public:
    /// `component` names the reporter. Writes run in `tasks`.
    event_recorder(api& server, task_group& tasks, std::string component, logger log)
        : server_(server), tasks_(tasks), component_(std::move(component)), log_(std::move(log))
    {}

    /// `type` is "Normal" or "Warning".
    void record(const object& about, std::string type, std::string reason, std::string message);

private:
    boost::asio::awaitable<void> write(boost::json::object event);

    api& server_;
    task_group& tasks_;
    std::string component_;
    logger log_;
    std::size_t in_flight_ = 0;
};

}  // namespace portitor::kube
