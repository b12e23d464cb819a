#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace portitor {

/// Delays that double from `first` to `cap`, each drawn at random from the upper half of its step, so that
/// many clients of one server that came back do not return at the same instant.
class backoff
{
public:
    backoff(
        std::chrono::milliseconds first,
        std::chrono::milliseconds cap,
        std::uint64_t seed = std::random_device{}()
    )
        : first_(first), cap_(cap), random_(seed)
    {}

    std::chrono::milliseconds next()
    {
        const auto step = std::min(cap_, first_ * (std::int64_t{1} << std::min(failures_, 20U)));
        ++failures_;
        std::uniform_int_distribution<std::int64_t> draw(
            step.count() / 2, std::max<std::int64_t>(step.count(), 1)
        );
        return std::chrono::milliseconds(draw(random_));
    }

    void reset() { failures_ = 0; }
    unsigned failures() const { return failures_; }

private:
    std::chrono::milliseconds first_;
    std::chrono::milliseconds cap_;
    unsigned failures_ = 0;
    std::mt19937_64 random_;
};

}  // namespace portitor
