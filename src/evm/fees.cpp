#include <portitor/evm/fees.hpp>

#include <algorithm>
#include <limits>

namespace portitor::evm {

namespace {

std::optional<fees> below(const u256& ceiling, const fees& made)
{
    return made.most <= ceiling ? std::optional(made) : std::nullopt;
}

/// An eighth more, rounded up; at least one wei.
u256 more_than(const u256& before)
{
    return before + std::max<u256>((before + 7) / 8, 1);
}

/// Of what a node says: more than any chain's ether never fits a wallet, and must not overflow here.
u256 plausible(const u256& said)
{
    return std::min(said, u256(1) << 200U);
}

}  // namespace

std::optional<fees> fees_for(const u256& base_fee, const u256& priority, const u256& ceiling)
{
    const u256 tip = plausible(priority);
    return below(ceiling, {tip, 2 * plausible(base_fee) + tip});
}

std::optional<fees> fees_to_replace(const fees& before, const fees& market, const u256& ceiling)
{
    const u256 most = std::max(more_than(plausible(before.most)), market.most);
    return below(
        ceiling, {std::min(std::max(more_than(plausible(before.priority)), market.priority), most), most}
    );
}

std::uint64_t gas_limit_for(std::uint64_t estimate)
{
    const std::uint64_t margin = estimate / 5;
    return estimate > std::numeric_limits<std::uint64_t>::max() - margin ? estimate : estimate + margin;
}

}  // namespace portitor::evm
