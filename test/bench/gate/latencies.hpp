#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace bench {

/// Times in nanoseconds, counted in steps of less than 2 %.
class latencies
{
public:
    void add(std::uint64_t nanoseconds)
    {
        ++counts_[bucket_of(nanoseconds)];
        ++total_;
    }

    /// The time that this share of all does not exceed, in microseconds; 0 when there are none.
    double quantile(double share) const
    {
        const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i)
        {
            seen += counts_[i];
            if (seen > wanted)
                return static_cast<double>(start_of(i)) / 1000;
        }
        return 0;
    }

private:
    static constexpr unsigned bits = 6;
    static constexpr std::uint64_t steps = std::uint64_t{1} << bits;  // of each power of two

    static std::size_t bucket_of(std::uint64_t value)
    {
        if (value < steps)
            return value;
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
        return (shift + 1) * steps + ((value >> shift) - steps);
    }

    static std::uint64_t start_of(std::size_t bucket)
    {
        if (bucket < steps)
            return bucket;
        return (bucket % steps + steps) << (bucket / steps - 1);
    }

    std::array<std::uint32_t, (64 - bits + 1) * steps> counts_{};
    std::uint64_t total_ = 0;
};

}  // namespace bench
