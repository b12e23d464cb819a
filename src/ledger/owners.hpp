#pragma once

#include <portitor/core/clock.hpp>

#include <chrono>
#include <cstdint>
#include <unordered_map>

namespace portitor::ledger {

/// Who works on payments: each owner has a token that no other had before, and a lease that it renews. One
/// strand.
class owners
{
public:
    explicit owners(std::chrono::seconds lease) : lease_(lease) {}

    /// A new owner, greater than all before.
    std::uint64_t join(clock::time_point now);
    /// No token up to this one is given out any more.
    void skip_to(std::uint64_t token) noexcept;

    void renew(std::uint64_t token, clock::time_point now);
    void leave(std::uint64_t token) { all_.erase(token); }
    /// It will never renew its lease again.
    void abandon(std::uint64_t token);
    /// Forgets the abandoned ones whose lease is over.
    void sweep(clock::time_point now);

    /// Its work was taken over: it is dead from now on, whatever it thinks.
    void fence(std::uint64_t token);
    /// Whether it may still begin something: it has neither left nor been fenced.
    bool may_act(std::uint64_t token) const;
    bool alive(std::uint64_t token, clock::time_point now) const;

private:
    struct owner
    {
        clock::time_point lease_end;
        bool fenced = false;
        bool abandoned = false;
    };

    std::chrono::seconds lease_;
    std::uint64_t last_ = 0;
    std::unordered_map<std::uint64_t, owner> all_;
};

}  // namespace portitor::ledger
