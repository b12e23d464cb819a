#pragma once

#include "cli/pay/spending_options.hpp"
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
    spending_options spending;  ///< without a key file: a prompt, where there is a terminal
    std::vector<std::string> networks;
    std::string version;
    std::string payment_file;  ///< a payment of an earlier run, to be sent in place of a new one
    bool dry_run = false;
    std::string ca_file;
    std::string output;  ///< text, json or yaml
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
    result<void> check_again() const;
};

}  // namespace portitor::cli::pay
