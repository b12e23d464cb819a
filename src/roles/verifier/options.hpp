#pragma once

#include <portitor/config/operator_lists.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace portitor::verifier {

/// As --ledger: payments are remembered in memory only.
inline constexpr std::string_view in_memory = "memory";

/// What --role=verifier reads. The names of the flags are those of the members, with dashes.
struct options
{
    config::operator_lists lists;
    std::string listen;         ///< where the gateway asks
    std::uint32_t threads = 0;  ///< 0: one for each core
    std::string tls_cert_file;
    std::string tls_key_file;
    std::string gate_key_file;
    /// "*", or origins separated by spaces, whose pages may read refusals; empty: CORS is the upstream's
    /// affair.
    std::string cors_origins;
    std::string ledger{in_memory};  ///< where payments are on record: "memory", or a file
    std::chrono::seconds ledger_retention = std::chrono::hours(24 * 90);
    std::uint64_t ledger_max_size = std::uint64_t{1} << 30U;  ///< bytes
    std::uint32_t max_claims = 100'000;
    std::uint32_t max_unproven = 10;
    std::chrono::seconds max_validity{3600};
    std::chrono::seconds shutdown_delay{0};

    void declare(config::loader& into);
    result<void> resolve();
};

}  // namespace portitor::verifier
