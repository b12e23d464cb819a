#pragma once

#include <portitor/core/task_group.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/environment.hpp>

#include <list>
#include <map>
#include <string>
#include <tuple>

namespace portitor::kube {

/// Writes core/v1 Events for people to read in `kubectl describe`. What repeats is folded into one Event with
/// a count, and an object that is never at rest gets one Event in five minutes after its first 25
/// (client-go's EventCorrelator). One that cannot be written is dropped: it is news, not state. One strand.
class event_recorder
{
public:
    /// `component` names the reporter. Writes run in `tasks`, which must outlive this.
    event_recorder(const environment& around, task_group& tasks, std::string component);

    /// `type` is "Normal" or "Warning".
    void record(
        const resource& kind,
        const object_identity& about,
        std::string type,
        std::string reason,
        std::string message
    );

private:
    /// What makes two Events the same: the object's UID, type, reason and message.
    using identity = std::tuple<std::string, std::string, std::string, std::string>;

    struct entry
    {
        identity id;
        boost::json::object manifest;
        int count = 0;
        int written = 0;  ///< the count that the API server knows
        bool writing = false;
    };

    /// How many more Events an object may have for now.
    struct allowance
    {
        double tokens = 0;
        timekeeper::time_point refilled_at;
    };

    bool may_record(const std::string& uid);
    entry& find(const resource& kind, const object_identity& about, identity id);
    boost::json::object make_manifest(const resource& kind, const object_identity& about, const identity& id);
    void forget_oldest();
    boost::asio::awaitable<void> write(std::list<entry>::iterator which);
    boost::asio::awaitable<api_result<object_ptr>> send(std::list<entry>::iterator which);

    environment around_;
    task_group& tasks_;
    std::string component_;
    std::list<entry> entries_;  ///< the last used one first
    std::map<identity, std::list<entry>::iterator> by_identity_;
    std::map<std::string, allowance> allowances_;
    std::size_t in_flight_ = 0;
    counter& dropped_;
};

}  // namespace portitor::kube
