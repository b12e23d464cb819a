#pragma once

#include "cli/pay/wish.hpp"
#include "roles/process.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// One request of a buyer, and what its answer says.
namespace portitor::cli::pay {

/// A longer answer is refused.
inline constexpr std::size_t max_answer = 64 * 1024 * 1024;
/// The same of its header; no base64 of more is worth reading as terms.
inline constexpr std::size_t max_answer_header = 64 * 1024;

/// A client that trusts the authorities of a file, or the system's where it has no name. Blocks.
result<std::unique_ptr<http::client>>
make_buyer_client(const roles::process& around, const std::string& ca_file);

http::request request_for(const wish& what);

http::client_options options_of(const wish& what);

/// A view into the answer; nothing where the header is absent.
std::optional<std::string_view> header_of(const http::response& answer, std::string_view name);

bool is_redirect(unsigned status) noexcept;

/// In a sentence, printable.
std::string told_of_redirect(const http::response& answer);

/// What a refusal says of itself: `error` and `message` of its JSON body, PAYMENT-REQUIRED's `error`, or the
/// reason in its receipt; empty where it says nothing. May hold control characters.
std::string words_of(const http::response& answer);

/// ": <the server's words>" as they may stand on a terminal, or nothing.
std::string and_words(const http::response& answer);

}  // namespace portitor::cli::pay
