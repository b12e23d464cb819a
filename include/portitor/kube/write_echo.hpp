#pragma once

#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/object.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace portitor::kube {

/// What a reconciler has written and the watch has not brought back yet: until then it would judge what it
/// has replaced itself, and take its own deletion for somebody else's. One strand.
class write_echo
{
public:
    /// `limit`: how long the echo of a write is waited for before the object is judged as it is known.
    explicit write_echo(const timekeeper& time, std::chrono::milliseconds limit = std::chrono::seconds(2))
        : time_(time), limit_(limit)
    {}

    /// This object has been written, and this is its version since.
    void note_write(const object_key& key, std::string resource_version);

    /// How long to wait at most, where what is seen is older than our own last write; its arrival is an
    /// event.
    std::optional<std::chrono::milliseconds> wait_for(const object_meta& seen) const;

    void forget(const object_key& key) { writes_.erase(key); }

    /// An object of this uid is about to be deleted by us.
    void note_deletion(const std::string& uid) { deletions_.insert(uid); }

    /// Whether the object that has gone was deleted by us; asked once.
    bool take_deletion(const std::string& uid) { return deletions_.erase(uid) != 0; }

private:
    struct write
    {
        std::string version;
        timekeeper::time_point at{};
    };

    const timekeeper& time_;
    std::chrono::milliseconds limit_;
    std::map<object_key, write> writes_;
    std::set<std::string> deletions_;  ///< uids
};

}  // namespace portitor::kube
