#include <portitor/evm/log_span.hpp>

#include <algorithm>
#include <array>

namespace portitor::evm {

namespace {

constexpr int patience = 16;
constexpr std::uint64_t decade = 10;
constexpr std::array<std::uint64_t, 3> steps{1, 2, 5};

/// The least round number that is more.
std::uint64_t step_up(std::uint64_t from)
{
    for (std::uint64_t unit = 1;; unit *= decade)
    {
        for (const std::uint64_t each : steps)
        {
            if (each * unit > from)
                return each * unit;
        }
    }
}

/// The greatest round number that is less; 1 where there is none.
std::uint64_t step_down(std::uint64_t from)
{
    std::uint64_t below = 1;
    while (step_up(below) < from)
        below = step_up(below);
    return below;
}

}  // namespace

void log_span::took(std::uint64_t blocks)
{
    if (blocks < most_ || most_ >= no_limit)
        return;
    const std::uint64_t next = step_up(most_);
    if (next >= refused_ && ++in_a_row_ < patience)
        return;
    if (next >= refused_)
        refused_ = no_limit;
    most_ = next;
    in_a_row_ = 0;
}

void log_span::refused(std::uint64_t blocks)
{
    most_ = std::min(most_, step_down(blocks));
    refused_ = std::min(refused_, blocks);
    in_a_row_ = 0;
}

}  // namespace portitor::evm
