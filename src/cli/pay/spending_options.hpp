#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/x402/buyer.hpp>

#include <string>

namespace portitor::cli::pay {

/// What every command that pays is told of the key and of the limits.
struct spending_options
{
    std::string key_file;  ///< "-" is standard input; empty where it is not given
    std::string max_amount;
    std::string max_atomic_amount;
    bool allow_mainnet = false;
    bool allow_http = false;

    /// @param key_help what --key-file is to the command
    void declare(const config::headed& into, const char* key_help);

    /// Files are not read. errc::invalid names the flag.
    result<x402::spending_rules> rules() const;
};

/// --ca-file.
config::option ca_file_option(std::string& into);

}  // namespace portitor::cli::pay
