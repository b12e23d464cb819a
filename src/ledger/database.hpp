#pragma once

#include <portitor/core/error.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace portitor::ledger {

/// A connection to a file of SQLite. One thread at a time; all calls block. Failures are errc::unavailable
/// with an operator's words: which file, what is wrong with it, and what to do.
class database
{
public:
    enum class access
    {
        write,      ///< made where it is not there
        read,       ///< beside a writer
        read_still  ///< as a file that nobody writes: also from read-only media
    };

    /// @param vfs  SQLite's name of another file system, for tests; null: the system's
    static result<database> open(const std::string& file, access how, const char* vfs = nullptr);

    database() = default;

    /// Runs statements that give no rows.
    result<void> run(const char* sql);
    /// The first column of the first row; 0 where there is none.
    result<std::int64_t> number(const char* sql);

    const std::string& file() const noexcept { return file_; }
    sqlite3* handle() const noexcept { return handle_.get(); }
    bool is_open() const noexcept { return handle_ != nullptr; }
    void close() noexcept { handle_.reset(); }

    /// The failure that this code of SQLite stands for.
    error failure(int code) const;

private:
    struct closer
    {
        void operator()(sqlite3* which) const noexcept;
    };

    std::string file_;
    std::unique_ptr<sqlite3, closer> handle_;
};

/// A prepared statement of a database, which must outlive it.
class statement
{
public:
    static result<statement> prepare(const database& on, const char* sql);

    statement() = default;

    /// Values of the parameters, from the first on. Texts must live until the next reset().
    statement& bind(std::int64_t value);
    statement& bind(std::string_view text);
    statement& bind_null();
    statement& bind_bytes(std::span<const std::uint8_t> bytes);

    /// @returns whether there is a row
    result<bool> step();
    /// Runs it to its end, and resets it.
    result<void> run();
    void reset() noexcept;

    std::int64_t integer(int column) const;
    /// Until the next step() or reset().
    std::string_view text(int column) const;
    std::span<const std::uint8_t> bytes(int column) const;
    bool is_bytes(int column) const;  ///< and no text

private:
    struct finalizer
    {
        void operator()(sqlite3_stmt* which) const noexcept;
    };

    const database* on_ = nullptr;
    std::unique_ptr<sqlite3_stmt, finalizer> handle_;
    int bound_ = 0;
};

}  // namespace portitor::ledger
