#pragma once

#include "cli/pay/wish.hpp"

#include <portitor/config/loader.hpp>
#include <portitor/x402/buyer.hpp>

#include <optional>
#include <string>
#include <vector>

namespace portitor::cli::pay {

/// What `portitor pay` is told.
struct options
{
    std::string url;
    std::string method;
    std::string data;  ///< "@FILE" is that file's content
    std::vector<std::string> headers;
    std::string key_file;  ///< "-" is standard input; empty: a prompt, where there is a terminal
    std::string max_amount;
    std::string max_atomic_amount;
    std::vector<std::string> networks;
    bool allow_mainnet = false;
    std::string version;
    bool dry_run = false;
    std::string ca_file;
    std::string output;  ///< text or json
    std::string output_file;
    std::chrono::seconds timeout{60};

    // What resolve() makes of it; files are not read yet.
    wish what;
    x402::spending_rules rules;
    std::optional<int> only_version;

    void declare(config::loader& into);
    result<void> resolve();

private:
    result<void> resolve_request();
    result<void> resolve_rules();
};

}  // namespace portitor::cli::pay
