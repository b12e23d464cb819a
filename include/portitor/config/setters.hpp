#pragma once

#include <portitor/config/service_port.hpp>
#include <portitor/core/error.hpp>
#include <portitor/core/log.hpp>
#include <portitor/kube/object.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace portitor::config {

/// Takes the text that was given for an option; errc::invalid says what is wrong with it.
using setter = std::function<result<void>(const std::string&)>;

// Each of these makes a setter that writes into its argument, which must outlive it, and leaves it alone
// where the text is refused.

setter set_text(std::string& into);
/// "true" or "false".
setter set_bool(bool& into);
/// Decimal digits.
setter set_number(std::uint32_t& into);
/// As Kubernetes writes them: "15s", "2m"; at most a day's number of either.
setter set_seconds(std::chrono::seconds& into);
/// Bytes as Kubernetes writes them: "512Mi", "4Gi"; also Ki, Ti, or a plain number.
setter set_bytes(std::uint64_t& into);
/// Keeps a URL without its last slash; empty stays empty.
setter set_url(std::string& into);
/// "NAMESPACE/NAME", or empty.
setter set_key(kube::object_key& into);
/// The same, with ":PORT" where it is another one than the usual.
setter set_service_port(service_port& into);
/// "*", or origins such as "https://shop.example:8443" (RFC 6454 6.2), separated by spaces; or empty.
setter set_origins(std::vector<std::string>& into);
/// A label selector as kubectl takes it; empty for all.
setter set_selector(std::string& into);
/// One of a few words.
setter set_one_of(std::string& into, std::vector<std::string> known);
/// Of a list: each value goes to the end. See list_option().
setter append_text(std::vector<std::string>& into);
setter set_level(log_level& into);
setter set_format(log_format& into);

}  // namespace portitor::config
