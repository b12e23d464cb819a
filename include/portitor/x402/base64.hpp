#pragma once

#include <portitor/core/error.hpp>

#include <string>
#include <string_view>

namespace portitor::x402 {

/// Standard base64 (RFC 4648 section 4) with padding: the encoding of every x402 header.
std::string encode_base64(std::string_view bytes);

/// The same, appended to a text.
void append_base64(std::string& out, std::string_view bytes);

/// Strict: the standard alphabet only, no white space, correct padding or none at all, unused bits zero. The
/// official clients pad, but their SDK also lets unpadded text pass. errc::invalid otherwise; nothing is
/// decoded in part.
result<std::string> decode_base64(std::string_view text);

}  // namespace portitor::x402
