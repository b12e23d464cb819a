#include <portitor/core/saturating_time.hpp>
#include <portitor/kube/lease_record.hpp>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

namespace portitor::kube {

namespace json = boost::json;

namespace {

constexpr std::int64_t int32_max = std::numeric_limits<std::int32_t>::max();

const json::value* field(const json::object& spec, std::string_view name)
{
    const json::value* value = spec.if_contains(name);
    return value && value->is_null() ? nullptr : value;
}

// Reads what to_micro_time() writes; time_point{} where it is something else, or too far off for a
// time_point.
clock::time_point from_micro_time(const std::string& text)
{
    constexpr std::size_t decimals_at = std::char_traits<char>::length("2026-11-24T20:17:00.");
    unsigned micros = 0;
    const char* end = text.data() + text.size();
    if (text.size() < decimals_at ||
        std::from_chars(text.data() + decimals_at, end, micros).ec != std::errc())
        return {};
    const auto time = saturating_add(from_rfc3339(text), std::chrono::microseconds(micros));
    return to_micro_time(time) == text ? time : clock::time_point{};
}

// The renewTime for `now`, moved on where the clock stands still or was put back a little: two renewals with
// the same time look like none, and the API server does not even store an update that changes nothing.
clock::time_point next_renewal(clock::time_point now, const std::string& last)
{
    const auto before = from_micro_time(last);
    const auto next = saturating_add(before, std::chrono::microseconds(1));
    return now < next && saturating_between(now, before) < std::chrono::minutes(1) ? next : now;
}

// The whole object for a PUT, with a spec to change.
json::object editable(const object& live)
{
    json::object whole = live.raw;
    whole["apiVersion"] = leases.api_version();
    whole["kind"] = leases.kind;
    if (json::value& spec = whole["spec"]; !spec.is_object())
        spec = json::object();
    return whole;
}

}  // namespace

lease_record read_lease(const object& lease)
{
    lease_record out;
    const json::value* whole = field(lease.raw, "spec");
    if (!whole)
        return out;
    const json::object* spec = whole->if_object();
    const json::value* holder = spec ? field(*spec, "holderIdentity") : nullptr;
    if (!spec || (holder && !holder->is_string()))
    {
        out.readable = false;
        return out;
    }
    out.holder = string_at(*spec, "holderIdentity");
    // Both are int32 in the schema; the bound keeps sums of times and counts from overflowing.
    out.duration =
        std::chrono::seconds(std::clamp<std::int64_t>(int_at(*spec, "leaseDurationSeconds"), 0, int32_max));
    out.transitions = std::clamp<std::int64_t>(int_at(*spec, "leaseTransitions"), 0, int32_max);
    out.acquired = string_at(*spec, "acquireTime");
    out.renewed = string_at(*spec, "renewTime");
    return out;
}

std::string to_micro_time(clock::time_point time)
{
    // Of the second that it lies in, before 1970 too; no second begins before the clock does.
    constexpr std::chrono::nanoseconds second = std::chrono::seconds(1);
    const auto into = (time.time_since_epoch() % second + second) % second;
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(into);
    std::string text = to_rfc3339(time);
    text.pop_back();
    return fmt::format("{}.{:06}Z", text, micros.count());
}

json::object first_lease(
    const object_key& key, const std::string& holder, std::chrono::seconds duration, clock::time_point now
)
{
    const std::string time = to_micro_time(now);
    json::object meta;
    meta["namespace"] = key.ns;
    meta["name"] = key.name;
    json::object spec;
    spec["holderIdentity"] = holder;
    spec["leaseDurationSeconds"] = duration.count();
    spec["acquireTime"] = time;
    spec["renewTime"] = time;
    spec["leaseTransitions"] = 0;
    json::object out;
    out["apiVersion"] = leases.api_version();
    out["kind"] = leases.kind;
    out["metadata"] = std::move(meta);
    out["spec"] = std::move(spec);
    return out;
}

json::object claimed_lease(
    const object& live, const std::string& holder, std::chrono::seconds duration, clock::time_point now
)
{
    const lease_record last = read_lease(live);
    json::object whole = editable(live);
    json::object& spec = whole["spec"].get_object();
    const bool same_holder = last.holder == holder;
    spec["holderIdentity"] = holder;
    spec["leaseDurationSeconds"] = duration.count();
    spec["renewTime"] = to_micro_time(next_renewal(now, last.renewed));
    spec["leaseTransitions"] = same_holder ? last.transitions : std::min(last.transitions + 1, int32_max);
    if (!same_holder || last.acquired.empty())
        spec["acquireTime"] = to_micro_time(now);
    return whole;
}

json::object released_lease(const object& live, clock::time_point now)
{
    const lease_record last = read_lease(live);
    json::object whole = editable(live);
    json::object& spec = whole["spec"].get_object();
    spec["holderIdentity"] = "";
    spec["leaseDurationSeconds"] = 1;  // the shortest that is valid
    spec["renewTime"] = to_micro_time(next_renewal(now, last.renewed));
    spec["leaseTransitions"] = last.transitions;
    return whole;
}

void lease_view::saw(object_ptr lease, time_point now)
{
    lease_record record = read_lease(*lease);
    // Labels and annotations are not the holder's sign of life, so not just any new resourceVersion counts.
    const bool same = changed_at_ != time_point::min() && lease->meta.uid == seen_uid_ &&
                      record.readable == record_.readable && lease->spec() == seen_spec_;
    if (!same)
        changed_at_ = now;
    seen_uid_ = lease->meta.uid;
    seen_spec_ = lease->spec();
    record_ = std::move(record);
    live_ = std::move(lease);
}

void lease_view::saw_none()
{
    // What was seen stays: the holder of a lease that somebody deletes goes on until it finds out.
    live_.reset();
}

lease_view::verdict lease_view::judge(time_point now) const
{
    const bool ours = record_.readable && record_.holder == self_;
    const bool vacant = record_.readable && record_.holder.empty();
    if (!ours && !vacant && now < expiry())
        return verdict::held;
    if (!live_)
        return verdict::absent;
    if (ours)
        return verdict::ours;
    return vacant ? verdict::vacant : verdict::expired;
}

lease_view::time_point lease_view::expiry() const
{
    return changed_at_ + (record_.duration.count() > 0 ? record_.duration : fallback_);
}

}  // namespace portitor::kube
