#pragma once

#include <span>
#include <string>

namespace portitor::cli {

/// One record of RFC 4180, with its CRLF. Texts of others are made printable, and one that a spreadsheet
/// would take for a formula (it begins with = + - or @) is put behind an apostrophe.
std::string csv_record(std::span<const std::string> cells);

}  // namespace portitor::cli
