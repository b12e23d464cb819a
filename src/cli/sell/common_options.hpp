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
    std::string output;  ///< "text", "json", "yaml", "wide", or what declare() was given
    operator_settings settings;

    /// -o may be text, json, yaml, wide (which is text where there is no more to tell), and `more`: "name".
    void declare(config::loader& into, const std::vector<std::string>& more = {});
    result<void> resolve();

    bool is_json() const { return output == "json"; }
    bool is_yaml() const { return output == "yaml"; }
    bool is_data() const { return is_json() || is_yaml(); }
    bool is_wide() const { return output == "wide"; }
    /// Whether it is for people to read.
    bool is_text() const { return output == "text" || is_wide(); }

    kube::object_key key(const std::string& name) const { return {ns, name}; }

    /// Where the operator's settings come from, in words; empty where they were not read.
    const std::string& settings_source() const { return source_; }

    /// Connects; from then on it is known which namespace is meant. The second one reads the operator's
    /// settings too.
    boost::asio::awaitable<result<std::unique_ptr<kube::api>>>
    connect(roles::process around, console terminal);
    boost::asio::awaitable<result<std::unique_ptr<kube::api>>>
    connect_with_settings(roles::process around, console terminal);

    /// Reads the operator's settings by way of an API server, where that is possible.
    boost::asio::awaitable<result<void>> read_settings(kube::api& server, console terminal);

private:
    void settle(const console& terminal);

    std::string source_;
};

/// NAME of an offer.
config::word offer_word(std::string& into, bool is_required = true);

/// --wait, --no-wait and --timeout of a command that may wait.
struct wait_options
{
    bool wait = false;
    bool no_wait = false;
    std::chrono::seconds timeout{0};

    /// @param until in words: "until it is sold"
    /// @param by_default whether it waits where neither is given
    void declare(const config::headed& into, const char* until, const char* longest, bool by_default = true);
    bool wanted() const { return wait && !no_wait; }
};

/// Text; empty until it is given.
config::option text_option(std::string name, std::string help, std::string& into, std::string placeholder);

/// Several texts.
config::option
list_option(std::string name, std::string help, std::vector<std::string>& into, std::string placeholder);

/// "serviceoffer.obol.org/hello", as kubectl's -o name.
std::string resource_name(const kube::object& offer);

/// Writes a value as -o json or -o yaml asks for it.
void print_data(const common_options& how, const console& terminal, const boost::json::value& what);

}  // namespace portitor::cli::sell
