#pragma once

#include <portitor/config/loader.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace portitor::cli {

// Options that several commands have, so that they are called and behave alike in each.

/// -o, --output: one of these, the first one where it is not given. errc::invalid for others.
config::option
output_option(std::string& into, std::vector<std::string> values, std::string help = "how it is printed");

/// -n, --namespace: where the offers are that are named without one; empty where it is not given, which is
/// the context's. In the environment and in the file it is offer-namespace: namespace is where Portitor runs.
config::option offer_namespace_option(std::string& into, std::string help = "namespace of the offer");

/// -A, --all-namespaces.
config::option all_namespaces_option(bool& into, std::string help = "of all namespaces");

/// -l, --selector: a label selector.
config::option selector_option(std::string& into, std::string help = "only those with these labels");

/// --timeout.
config::option timeout_option(
    std::chrono::seconds& into, const char* fallback, std::string help = "how long is waited at most"
);

/// A switch that is off until it is given.
config::option switch_option(std::string name, std::string help, bool& into, char letter = 0);

}  // namespace portitor::cli
