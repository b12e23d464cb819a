#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/object.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace portitor::kube {

inline constexpr resource leases{"coordination.k8s.io", "v1", "leases", "Lease"};

/// The spec of a Lease, as far as an election needs it (coordination.k8s.io/v1 LeaseSpec). All of its fields
/// are optional.
struct lease_record
{
    std::string holder;               ///< empty where nobody holds it
    std::chrono::seconds duration{};  ///< zero where there is none, or none that is positive
    std::int64_t transitions = 0;
    std::string acquired;  ///< MicroTime as it is written; never compared with a clock
    std::string renewed;   ///< the same
    bool readable = true;  ///< false where who holds it cannot be told, as something has a wrong type
};

/// Never fails: what is missing or wrong has its default.
lease_record read_lease(const object& lease);

/// RFC 3339 in UTC with exactly six decimals (metav1.MicroTime, whose parser takes nothing else).
std::string to_micro_time(clock::time_point time);

/// A Lease that nobody has created yet, held by `holder`.
boost::json::object first_lease(
    const object_key& key, const std::string& holder, std::chrono::seconds duration, clock::time_point now
);

/// `live` held or renewed by `holder`: with everything that it has besides, and its resourceVersion. Its
/// renewTime always moves, since a write that changes nothing would look to the others like none.
boost::json::object claimed_lease(
    const object& live, const std::string& holder, std::chrono::seconds duration, clock::time_point now
);

/// `live` free for whoever comes first.
boost::json::object released_lease(const object& live, clock::time_point now);

/// What one candidate has seen of a lease and what follows from that; no I/O. Expiry is measured on the
/// candidate's own monotonic clock, from when it saw the record change: the times in the record are another
/// machine's.
class lease_view
{
public:
    using time_point = timekeeper::time_point;

    enum class verdict
    {
        absent,   ///< nobody has created it: create it
        vacant,   ///< nobody holds it: take it at once
        ours,     ///< renew it, or go on holding it after a restart of the container
        expired,  ///< its holder has not renewed it for a full duration: take it
        held,     ///< somebody else's: wait
    };

    /// `fallback` is the duration of a record that names none.
    lease_view(std::string self, std::chrono::seconds fallback) : self_(std::move(self)), fallback_(fallback)
    {}

    /// The answer of a read or a write that came at `now`.
    void saw(object_ptr lease, time_point now);
    /// There is no such Lease (any more).
    void saw_none();

    verdict judge(time_point now) const;

    /// When a lease that is `held` expires unless its record changes.
    time_point expiry() const;

    const object_ptr& live() const { return live_; }  ///< nullptr where there is none
    const lease_record& record() const { return record_; }

private:
    std::string self_;
    std::chrono::seconds fallback_;
    object_ptr live_;
    lease_record record_;  ///< the last one that there was
    std::string seen_uid_;
    boost::json::object seen_spec_;
    time_point changed_at_ = time_point::min();
};

}  // namespace portitor::kube
