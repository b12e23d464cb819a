#pragma once

#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/object.hpp>

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace portitor::kube {

/// Which objects of one kind could not be read, and why. Each one is told once in the log, however often it
/// is listed, and all together some times a minute; their number is the metric
/// portitor_watch_unreadable_objects. One strand.
class unreadable_objects
{
public:
    unreadable_objects(std::string_view kind, timekeeper& time, logger log, metrics& numbers);

    /// A list begins: at its end those are forgotten that were not among its items, or could be read.
    void begin_list() { listed_.clear(); }
    void end_list();

    void note(const object_identity& which, const std::string& why);
    /// It is gone, or could be read.
    void forget(const object_key& key);

    std::size_t size() const { return reasons_.size(); }

private:
    void tell(const object_identity& which, const std::string& why);

    timekeeper& time_;
    logger log_;
    gauge& count_;
    std::map<object_key, std::string> reasons_;
    std::set<object_key> listed_;  ///< unreadable items of the list that is under way
    timekeeper::time_point minute_{};
    int told_ = 0;      ///< in this minute
    int left_out_ = 0;  ///< since the last line
};

}  // namespace portitor::kube
