#pragma once

#include "catch.hpp"
#include "roles/registrar/ledger.hpp"

#include <string>

/// Days and limits to spend within.
namespace portitor::registrar::samples {

inline const auto noon = from_rfc3339("2026-11-24T12:00:00Z");
inline const auto next_day = from_rfc3339("2026-11-25T00:00:00Z");

inline u256 ether(const std::string& amount)
{
    return atomic_units(amount, 18).value();
}

inline spending_limits limits_of(std::uint32_t transactions, const std::string& spend)
{
    return {transactions, ether(spend)};
}

/// How many of them go until one is refused.
inline int book_all(
    ledger& into, const spending_limits& limits, const std::string& ns, purpose why, const u256& most = 1
)
{
    int out = 0;
    while (out < 10'000 && into.may_spend(limits, ns, why, most, noon))
    {
        into.book(ns, why, most, noon);
        ++out;
    }
    return out;
}

inline std::string refusal(
    const ledger& of, const spending_limits& limits, const std::string& ns, purpose why, const u256& most = 1
)
{
    const auto said = of.may_spend(limits, ns, why, most, noon);
    if (said)
        return "may go";
    CHECK(said.error().code() == errc::refused);
    return said.error().message();
}

}  // namespace portitor::registrar::samples
