#pragma once

#include "ledger/database.hpp"

#include <portitor/x402/payment_record.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace portitor::ledger {

/// What becomes of one row of the book.
enum class row_change : std::uint8_t
{
    add,     ///< all of it, which was not there
    put,     ///< all of it, whether it was there or not
    step,    ///< what changes while a payment goes on: all but terms, takeover, history and when it ended
    end,     ///< it is over, and nobody will take it over
    finish,  ///< likewise, and nothing else of it changes: the end of most payments
    erase,
    mark,  ///< `reorganised` alone
};

struct row_write
{
    row_change change = row_change::put;
    std::int64_t row = 0;
    x402::payment_record record;                       ///< as it is to be
    std::shared_ptr<const x402::payment_terms> terms;  ///< of the record, also where it is over
};

/// The prepared statements that write rows, of an open database, which must outlive them. One thread at a
/// time.
class book_rows
{
public:
    static result<book_rows> prepare(const database& on);

    book_rows() = default;

    /// Around all that is to be written at once.
    result<void> begin() { return begin_.run(); }
    result<void> commit() { return commit_.run(); }
    result<void> write(const row_write& what);
    /// To be called once rows of `terms` were deleted.
    void forget_terms() { terms_.clear(); }
    /// The receipt of a row; empty where there is none.
    result<std::string> receipt_of(std::int64_t row);

private:
    struct terms_row
    {
        std::int64_t id = 0;
        std::int64_t valid_until = 0;
    };

    result<void> put(statement& into, const row_write& what);
    result<std::int64_t> terms_of(const row_write& what);
    result<terms_row> find_terms(const row_write& what, std::string_view wanted);

    std::unordered_map<std::string, terms_row> terms_;  // of late, by all that is in the row
    std::string text_;                                  // kept for its room

    statement begin_;
    statement commit_;
    statement find_terms_;
    statement add_terms_;
    statement keep_terms_;
    statement add_;
    statement put_;
    statement step_;
    statement end_;
    statement finish_;
    statement erase_;
    statement mark_;
    statement receipt_;
};

/// A row as a process that starts reads it.
struct kept_row
{
    std::int64_t row = 0;
    x402::payment_record record;
};

/// Tells the rows that are not over, the oldest first, and those expired ones whose validity ended after
/// `since`.
result<void> read_open(const database& from, std::uint64_t since, const std::function<void(kept_row)>& take);

/// The last ones that were proven to be settled since then (Unix seconds), over or not, and not taken back;
/// the oldest first.
result<std::vector<x402::payment_record>> read_settled(const database& from, std::uint64_t since);

struct spent_row
{
    std::int64_t row = 0;
    x402::payment_key key;
    std::uint64_t valid_before = 0;
    bool delivered = false;
};

/// Tells the rows that are over and whose validity ends after `since`.
result<void>
read_spent(const database& from, std::uint64_t since, const std::function<void(const spent_row&)>& take);

}  // namespace portitor::ledger
