#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/evm/address.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace portitor::x402 {

/// How many payments of one payer are granted in a day on a used nonce alone, where nobody can tell a
/// settlement from a cancellation: who makes doubt and cancels gets no more than that for nothing. One
/// strand.
class unproven_budget
{
public:
    explicit unproven_budget(std::uint32_t most) : most_(most) {}

    /// Whether one more may be granted; it is counted then.
    bool take(const evm::address& payer, clock::time_point now);

private:
    struct spent
    {
        clock::time_point since;
        std::uint32_t grants = 0;
    };

    std::uint32_t most_;
    std::unordered_map<std::string, spent> by_payer_;
};

}  // namespace portitor::x402
