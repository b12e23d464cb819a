#include "ledger/database.hpp"

#include <sqlite3.h>
#include <utility>

namespace portitor::ledger {

void database::closer::operator()(sqlite3* which) const noexcept
{
    sqlite3_close_v2(which);
}

void statement::finalizer::operator()(sqlite3_stmt* which) const noexcept
{
    sqlite3_finalize(which);
}

namespace {

// Paths are no URIs: these characters mean something there.
std::string uri_of(const std::string& file, std::string_view query)
{
    std::string out = "file:";
    for (const char each : file)
    {
        if (each == '%' || each == '?' || each == '#')
            out += fmt::format("%{:02x}", static_cast<unsigned char>(each));
        else
            out += each;
    }
    out += query;
    return out;
}

}  // namespace

result<database> database::open(const std::string& file, access how, const char* vfs)
{
    // Nobody reads SQLite's count of its memory, which takes a lock for each piece. It is too late, and does
    // no harm, where SQLite is in use already.
    static const int without_count = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    static_cast<void>(without_count);
    database out;
    out.file_ = file;
    const int flags =
        SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI |
        (how == access::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    const std::string name = uri_of(file, how == access::read_still ? "?immutable=1" : "");
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(name.c_str(), &handle, flags, vfs);
    out.handle_.reset(handle);
    if (code != SQLITE_OK)
        return out.failure(code);
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, 5'000);
    return out;
}

error database::failure(int code) const
{
    const char* said = sqlite3_errstr(code);
    // The -shm beside it could not grow.
    const int kind = code == SQLITE_IOERR_SHMSIZE ? SQLITE_FULL : code & 0xff;
    switch (kind)
    {
    case SQLITE_FULL:
        return fail(errc::unavailable, "{}: the disk is full; make room on it", file_);
    case SQLITE_READONLY:
        return fail(
            errc::unavailable,
            "{}: it cannot be written ({}); its folder has to be writable, too",
            file_,
            said
        );
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return fail(
            errc::unavailable,
            "{}: it is damaged, or no record of payments ({}); it was left as it is: move it and the files "
            "beside it away and restart, and see what `sqlite3 FILE .recover` still reads of it",
            file_,
            said
        );
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return fail(errc::unavailable, "{}: another program holds it locked", file_);
    case SQLITE_CANTOPEN:
        return fail(
            errc::unavailable, "{}: it cannot be opened; are it and its folder there, and readable?", file_
        );
    default:
        return fail(errc::unavailable, "{}: it cannot be read or written ({})", file_, said);
    }
}

result<void> database::run(const char* sql)
{
    const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK)
        return failure(code);
    return {};
}

result<std::int64_t> database::number(const char* sql)
{
    auto asked = statement::prepare(*this, sql);
    if (!asked)
        return asked.error();
    auto row = asked->step();
    if (!row)
        return row.error();
    return *row ? asked->integer(0) : 0;
}

result<statement> statement::prepare(const database& on, const char* sql)
{
    statement out;
    out.on_ = &on;
    sqlite3_stmt* handle = nullptr;
    const int code = sqlite3_prepare_v3(on.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
    out.handle_.reset(handle);
    if (code != SQLITE_OK)
        return on.failure(code);
    return out;
}

statement& statement::bind(std::int64_t value)
{
    sqlite3_bind_int64(handle_.get(), ++bound_, value);
    return *this;
}

statement& statement::bind(std::string_view text)
{
    // A view without bytes may be null, which would be NULL.
    const char* bytes = text.empty() ? "" : text.data();
    sqlite3_bind_text(handle_.get(), ++bound_, bytes, static_cast<int>(text.size()), SQLITE_STATIC);
    return *this;
}

statement& statement::bind_null()
{
    sqlite3_bind_null(handle_.get(), ++bound_);
    return *this;
}

statement& statement::bind_bytes(std::span<const std::uint8_t> bytes)
{
    sqlite3_bind_blob(handle_.get(), ++bound_, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
    return *this;
}

result<bool> statement::step()
{
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW)
        return true;
    if (code == SQLITE_DONE)
        return false;
    return on_->failure(code);
}

result<void> statement::run()
{
    result<bool> row = step();
    while (row && *row)
        row = step();
    reset();
    if (!row)
        return row.error();
    return {};
}

void statement::reset() noexcept
{
    sqlite3_reset(handle_.get());
    bound_ = 0;
}

std::int64_t statement::integer(int column) const
{
    return sqlite3_column_int64(handle_.get(), column);
}

std::string_view statement::text(int column) const
{
    const auto bytes = this->bytes(column);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::uint8_t> statement::bytes(int column) const
{
    const auto* first = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_.get(), column));
    const int size = sqlite3_column_bytes(handle_.get(), column);
    return {first, first == nullptr ? 0 : static_cast<std::size_t>(size)};
}

bool statement::is_bytes(int column) const
{
    return sqlite3_column_type(handle_.get(), column) == SQLITE_BLOB;
}

}  // namespace portitor::ledger
