#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace portitor::ledger {

/// What became of a payment that is over.
struct spent_fate
{
    bool delivered = false;  ///< it has bought something
    std::uint64_t row = 0;   ///< of the book; below 2^63, 0: in none

    bool operator==(const spent_fate&) const = default;
};

/// Payments that are over, of which only that is remembered, until their validity is over as well: 16 bytes
/// of a keyed hash each and 8 for what became of it, 30 to 38 with the room between them. One strand.
///
/// They lie in hash sets by when they may be forgotten, so that a whole set goes at once and the time is
/// stored once. A set has at most 50 000, so nothing takes longer than a millisecond, and the times are
/// rounded up, the coarser the later they are, so that there are few sets whatever payers choose.
class spent_set
{
public:
    /// @param most  of all; beyond, what may be forgotten first goes early
    explicit spent_set(std::size_t most);

    /// @param until  Unix seconds: when it may be forgotten
    /// @param fate  what became of it
    /// @returns where others had to go early: the latest time that one of them was to be kept until
    std::optional<std::uint64_t>
    insert(std::string_view key, std::uint64_t until, std::uint64_t now, spent_fate fate);

    /// Empty: not in it.
    std::optional<spent_fate> find(std::string_view key) const;

    /// Forgets what may be.
    /// @returns where there was any: the latest time that one of them was to be kept until
    std::optional<std::uint64_t> expire(std::uint64_t now);

    std::size_t size() const noexcept { return size_; }
    std::size_t bytes() const noexcept;

private:
    using digest = std::array<std::uint64_t, 2>;

    struct slot
    {
        digest key{};            // all zeros: empty
        std::uint64_t fate = 0;  // the row, and in the last bit whether it was delivered
    };

    class segment
    {
    public:
        bool full() const noexcept;
        void insert(const slot& what);
        const slot* find(const digest& key) const noexcept;
        std::size_t size() const noexcept { return size_; }
        std::size_t bytes() const noexcept { return slots_.capacity() * sizeof(slot); }

    private:
        std::size_t place_of(const digest& key) const noexcept;
        void grow();

        std::vector<slot> slots_;
        std::size_t size_ = 0;
    };

    digest digest_of(std::string_view key) const;
    std::uint64_t drop_first();

    std::size_t most_;
    std::size_t size_ = 0;
    std::array<std::uint64_t, 2> secret_;  // so that nobody can choose keys that fall on one place
    std::map<std::uint64_t, std::vector<segment>> by_time_;
};

}  // namespace portitor::ledger
