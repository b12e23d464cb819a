#include "ledger/spent_set.hpp"

#include "ledger/sip_hash.hpp"

#include <algorithm>
#include <random>

namespace portitor::ledger {

namespace {

constexpr std::size_t most_slots = 65'536;
constexpr std::size_t first_slots = 64;

std::uint64_t round_up(std::uint64_t time, std::uint64_t step)
{
    return (time + step - 1) / step * step;
}

// The end of the time slice: a minute's within the hour that payments live by default, else a day's, and one
// for all that lies beyond two months.
std::uint64_t slice_of(std::uint64_t until, std::uint64_t now)
{
    const std::uint64_t ahead = until > now ? until - now : 0;
    if (ahead <= 2 * 3'600)
        return round_up(until, 64);
    if (ahead <= 60ULL * 86'400)
        return round_up(until, 86'400);
    return std::uint64_t{1} << 63U;
}

}  // namespace

bool spent_set::segment::full() const noexcept
{
    return slots_.size() == most_slots && size_ >= most_slots / 5 * 4;
}

std::size_t spent_set::segment::place_of(const digest& key) const noexcept
{
    return ((key[0] >> 32U) * slots_.size()) >> 32U;
}

const spent_set::slot* spent_set::segment::find(const digest& key) const noexcept
{
    if (slots_.empty())
        return nullptr;
    for (std::size_t at = place_of(key);; at = at + 1 == slots_.size() ? 0 : at + 1)
    {
        const slot& here = slots_[at];
        if (here.key == key)
            return &here;
        if (here.key == digest{})
            return nullptr;
    }
}

void spent_set::segment::insert(const slot& what)
{
    if (size_ >= slots_.size() / 5 * 4)
        grow();
    std::size_t at = place_of(what.key);
    while (slots_[at].key != digest{})
        at = at + 1 == slots_.size() ? 0 : at + 1;
    slots_[at] = what;
    ++size_;
}

void spent_set::segment::grow()
{
    const std::size_t next = slots_.empty() ? first_slots : slots_.size() / 4 * 5;
    std::vector<slot> old(std::min(next, most_slots));
    old.swap(slots_);
    size_ = 0;
    for (const slot& each : old)
    {
        if (each.key != digest{})
            insert(each);
    }
}

spent_set::spent_set(std::size_t most) : most_(std::max<std::size_t>(most, 1)), secret_()
{
    std::random_device random;
    for (std::uint64_t& each : secret_)
        each = std::uint64_t{random()} << 32U | random();
}

spent_set::digest spent_set::digest_of(std::string_view key) const
{
    digest out = sip_hash(secret_, key);
    out[0] |= 1U;  // so that none is an empty slot
    return out;
}

std::optional<std::uint64_t>
spent_set::insert(std::string_view key, std::uint64_t until, std::uint64_t now, spent_fate fate)
{
    const slot what{digest_of(key), fate.row << 1U | (fate.delivered ? 1U : 0U)};
    std::optional<std::uint64_t> dropped;
    while (size_ >= most_)
        dropped = drop_first();
    std::vector<segment>& slice = by_time_[slice_of(until, now)];
    if (slice.empty() || slice.back().full())
        slice.emplace_back();
    slice.back().insert(what);
    ++size_;
    return dropped;
}

std::optional<spent_fate> spent_set::find(std::string_view key) const
{
    const digest what = digest_of(key);
    for (const auto& [time, slice] : by_time_)
    {
        for (const segment& each : slice)
        {
            if (const slot* found = each.find(what))
                return spent_fate{(found->fate & 1U) != 0, found->fate >> 1U};
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> spent_set::expire(std::uint64_t now)
{
    std::optional<std::uint64_t> latest;
    while (!by_time_.empty() && by_time_.begin()->first < now)
        latest = drop_first();
    return latest;
}

// The time of the slice, and so of the latest in it.
std::uint64_t spent_set::drop_first()
{
    const auto first = by_time_.begin();
    const std::uint64_t time = first->first;
    // One segment at a time, unless it is the last one: what is dropped early should be little.
    size_ -= first->second.front().size();
    first->second.erase(first->second.begin());
    if (first->second.empty())
        by_time_.erase(first);
    return time;
}

std::size_t spent_set::bytes() const noexcept
{
    std::size_t out = 0;
    for (const auto& [time, slice] : by_time_)
    {
        out += 64 + slice.capacity() * sizeof(segment);
        for (const segment& each : slice)
            out += each.bytes();
    }
    return out;
}

}  // namespace portitor::ledger
