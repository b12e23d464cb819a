#pragma once

#include "cli/cluster/operator_settings.hpp"
#include "cli/command.hpp"
#include "cli/options/shared.hpp"

#include <portitor/api/resources.hpp>

#include <memory>
#include <string>
#include <vector>

namespace portitor::cli::sell {

/// What all subcommands of `sell` read: which offers, how they are shown, and what the operator has set.
struct common_options
{
    std::string ns;      ///< of the offer; empty until connect() where it was not given
    std::string output;  ///< one of `outputs`
    bool verbose = false;
    operator_settings settings;

    /// `outputs` are what -o may say, the first one its default.
    void declare(config::loader& into, std::vector<std::string> outputs);
    result<void> resolve();

    bool is_json() const { return output == "json"; }
    bool is_yaml() const { return output == "yaml"; }
    bool is_data() const { return is_json() || is_yaml(); }

    kube::object_key key(const std::string& name) const { return {ns, name}; }

    /// Connects; from then on it is known which namespace is meant. With `all`, reads the operator's settings
    /// too, and says where they come from where nobody knows them, or where --verbose asks for it.
    boost::asio::awaitable<result<std::unique_ptr<kube::api>>>
    connect(roles::process around, console terminal);
    boost::asio::awaitable<result<std::unique_ptr<kube::api>>>
    connect_with_settings(roles::process around, console terminal);

private:
    void settle(const console& terminal);
};

/// NAME of an offer.
config::word offer_word(std::string& into, bool is_required = true);

/// Writes a value as -o json or -o yaml asks for it.
void print_data(const common_options& how, const console& terminal, const boost::json::value& what);

}  // namespace portitor::cli::sell
