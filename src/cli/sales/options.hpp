#pragma once

#include "cli/sales/moment.hpp"

#include <portitor/config/networks.hpp>
#include <portitor/ledger/book.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace portitor::cli::sales {

/// What `portitor sales` reads.
struct options
{
    config::network_list networks;  ///< for symbols and decimals
    std::string what;               ///< "list" or "sum"
    std::string ledger;             ///< a file, or "memory"
    std::string output;             ///< "text", "json" or "csv"
    std::string offer;
    std::string payer;
    std::string transaction;
    std::string since;
    std::string until;
    std::vector<std::string> states;
    std::uint32_t limit = 0;
    bool full = false;
    std::string by;

    void declare(config::loader& into);
    /// errc::invalid for what does not fit together, and texts that are none of what they have to be.
    result<void> resolve();

    bool is_sum() const { return what == "sum"; }
    const ledger::sale_grouping& grouping() const { return grouping_; }
    result<ledger::sale_filter> filter(clock::time_point now) const;

private:
    result<void> resolve_grouping();

    ledger::sale_grouping grouping_;
};

}  // namespace portitor::cli::sales
