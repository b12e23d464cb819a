#pragma once

#include <cstdint>

namespace portitor::evm {

/// Over how many blocks a node answers eth_getLogs. Providers allow from 10 to 10,000 blocks and more, or
/// results of some length, and say so only by refusing. Known are round numbers (1, 2, 5, 10, 20 and so on):
/// - a refusal leads to the next lower one;
/// - each full span that is answered leads to the next higher one, but not to what was refused;
/// - 16 in a row lead there, too, since it may have been a part of the chain that is full of events.
class log_span
{
public:
    /// Blocks to ask for at a time, at least 1.
    std::uint64_t most() const { return most_; }

    void took(std::uint64_t blocks);
    void refused(std::uint64_t blocks);

private:
    static constexpr std::uint64_t no_limit = 1'000'000'000'000;

    std::uint64_t most_ = no_limit;
    std::uint64_t refused_ = no_limit;
    int in_a_row_ = 0;
};

}  // namespace portitor::evm
