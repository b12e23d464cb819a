#pragma once

#include <portitor/x402/buyer.hpp>

#include <string_view>

/// One entry of a 402's `accepts`, read by a buyer.
namespace portitor::x402 {

/// A longer maxTimeoutSeconds is refused. Nothing that is signed is valid for as long, see longest_validity;
/// but servers that never want to be late write ten years.
inline constexpr std::chrono::seconds longest_timeout{315'360'000};

/// The text of a member; empty where it is not there.
std::string_view text_of(const boost::json::object& from, std::string_view name);

/// errc::protocol: "NAME must be EXPECTED".
error wrong(std::string_view name, std::string_view expected);

/// Reads an entry; an error says why no payment can be made for it. errc::protocol: it contradicts x402,
/// itself, or what is known of its token. What describes the resource is not read.
result<payment_option> read_option(const boost::json::object& entry, int version, const network_table& known);

}  // namespace portitor::x402
