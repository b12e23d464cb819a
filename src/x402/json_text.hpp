#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Writing JSON without building it first: for answers that every request gets.
namespace portitor::x402 {

/// Appends a JSON string with its quotes. The text must be UTF-8.
void append_string(std::string& out, std::string_view text);

void append_number(std::string& out, std::uint64_t number);

/// Appends `begin`, which is the separator, name and colon as they stand in the text, and a string.
inline void append_member(std::string& out, std::string_view begin, std::string_view value)
{
    out += begin;
    append_string(out, value);
}

}  // namespace portitor::x402
