#pragma once

#include "ledger/database.hpp"

#include <cstdint>
#include <string>

namespace portitor::ledger {

/// What the file looks like that this program writes. An older one's file is read as it is, and turned into
/// this form by who writes it; a newer one's is refused.
inline constexpr std::int64_t schema_version = 3;

/// Opens the file to write: with what makes each transaction outlast kill -9 and a loss of power, in the
/// schema of this program, and looked through for damage where that takes no time (64 MB).
result<database> open_to_write(const std::string& file, const char* vfs);

/// The payments of a file of that version, for FROM: `id` and what the book tells of each. Texts may be
/// packed (packed_text.hpp).
std::string sales_of(std::int64_t version);

/// Opens it to read, beside a writer or without one. errc::not_found where there is no such file.
result<database> open_to_read(const std::string& file);

}  // namespace portitor::ledger
