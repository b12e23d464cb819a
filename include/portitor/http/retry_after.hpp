#pragma once

#include <portitor/http/message.hpp>

#include <chrono>

namespace portitor::http {

/// How long an answer's Retry-After (RFC 9110 section 10.2.3) asks to wait: seconds, or a date in any of the
/// three spellings of HTTP, which counts from the answer's own Date, so that clocks need not agree. Zero
/// where it asks for nothing that can be read, and never more than a day: bound it further by what you can
/// afford.
std::chrono::seconds retry_after(const boost::beast::http::fields& headers);

}  // namespace portitor::http
