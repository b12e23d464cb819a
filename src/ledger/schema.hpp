#pragma once

#include "ledger/database.hpp"

#include <cstdint>

namespace portitor::ledger {

/// What the file looks like that this program writes. Migrations only add, so that an older one's file is
/// read; a newer one's is refused.
inline constexpr std::int64_t schema_version = 1;

/// Opens the file to write: with what makes each transaction outlast kill -9 and a loss of power, in the
/// schema of this program, and looked through for damage where that takes no time (64 MB).
result<database> open_to_write(const std::string& file, const char* vfs);

/// Opens it to read, beside a writer or without one. errc::not_found where there is no such file.
result<database> open_to_read(const std::string& file);

}  // namespace portitor::ledger
