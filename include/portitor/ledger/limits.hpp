#pragma once

#include <chrono>
#include <cstddef>

namespace portitor::ledger {

/// How much a store of payments holds. Of the places for open payments one payer, one offer and one namespace
/// have a share each, so that none of them alone can keep the others from buying.
struct limits
{
    std::size_t max_open = 100'000;
    std::size_t payer_part = 10;      ///< one payer has a tenth of the places,
    std::size_t offer_part = 4;       ///< one offer a quarter,
    std::size_t tenant_part = 2;      ///< and one namespace a half;
    std::size_t least_of_payer = 64;  ///< but so many at least
    std::size_t least_of_offer = 256;
    std::size_t least_of_tenant = 256;
    /// Payments that are over, until their validity is: 30 to 38 bytes each.
    std::size_t max_spent = 4'000'000;
    /// Open ones whose time is over and that nobody works on: paid and never fetched, or never resolved. They
    /// take no place of others. Beyond, the oldest is forgotten.
    std::size_t max_late = 25'000;
    std::size_t max_waiters = 64;  ///< for one payment
    /// How long after its validBefore a payment is remembered: clocks differ, chains reorganise.
    std::chrono::seconds margin{60};
    std::chrono::seconds lease{10};  ///< an owner that does not sweep() for so long is dead
    std::chrono::seconds rest{5};    ///< for so long no neglected payment is told again
};

}  // namespace portitor::ledger
