#include "ledger/book_rows.hpp"

#include "ledger/takeover.hpp"

#include <algorithm>
#include <array>

namespace portitor::ledger {

using namespace x402;

namespace {

constexpr const char* put_sql =
    "INSERT OR REPLACE INTO payments (id, network, token, payer, nonce, state, revision, owner, digest,"
    " began, settled_at, ended_at, valid_before, receipt, tx, proven, cause, reorganised, offer, offer_uid,"
    " method, uri, request_id, amount, asset, pay_to, facilitator, takeover)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr const char* step_sql =
    "UPDATE payments SET state = ?, revision = ?, owner = ?, settled_at = ?, ended_at = ?, receipt = ?,"
    " tx = ?, proven = ?, cause = ?, reorganised = ? WHERE id = ?";
constexpr const char* end_sql =
    "UPDATE payments SET state = ?, revision = ?, owner = ?, settled_at = ?, ended_at = ?, receipt = ?,"
    " tx = ?, proven = ?, cause = ?, reorganised = ?, takeover = NULL WHERE id = ?";

std::int64_t whole(std::uint64_t value)
{
    return static_cast<std::int64_t>(value);
}

// network|token|payer|nonce
std::array<std::string_view, 4> parts_of(const payment_key& key)
{
    std::array<std::string_view, 4> out;
    std::string_view rest = key.text();
    for (std::size_t i = 0; i + 1 < out.size(); ++i)
    {
        const auto end = std::min(rest.find('|'), rest.size());
        out.at(i) = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    out.back() = rest;
    return out;
}

payment_key key_of(const statement& row, int first)
{
    return {row.text(first), row.text(first + 1), row.text(first + 2), row.text(first + 3)};
}

std::string text_of(const statement& row, int column)
{
    return std::string(row.text(column));
}

}  // namespace

result<book_rows> book_rows::prepare(const database& on)
{
    book_rows out;
    struct
    {
        statement* to;
        const char* sql;
    } const all[] = {
        {&out.begin_, "BEGIN IMMEDIATE"},
        {&out.commit_, "COMMIT"},
        {&out.put_, put_sql},
        {&out.step_, step_sql},
        {&out.end_, end_sql},
        {&out.erase_, "DELETE FROM payments WHERE id = ?"},
        {&out.mark_, "UPDATE payments SET reorganised = ? WHERE id = ?"},
        {&out.receipt_, "SELECT receipt FROM payments WHERE id = ?"},
    };
    for (const auto& each : all)
    {
        auto made = statement::prepare(on, each.sql);
        if (!made)
            return made.error();
        *each.to = std::move(*made);
    }
    return out;
}

result<void> book_rows::write(const row_write& what)
{
    const payment_record& now = what.record;
    switch (what.change)
    {
    case row_change::put:
        return put(what);
    case row_change::erase:
        return erase_.bind(what.row).run();
    case row_change::mark:
        return mark_.bind(now.reorganised ? 1 : 0).bind(what.row).run();
    case row_change::step:
    case row_change::end:
        break;
    }
    statement& update = what.change == row_change::end ? end_ : step_;
    return update.bind(to_string(now.state))
        .bind(whole(now.revision))
        .bind(whole(now.owner))
        .bind(whole(now.settled_at))
        .bind(whole(now.ended_at))
        .bind(now.receipt)
        .bind(now.proof.transaction)
        .bind(now.proof.proven ? 1 : 0)
        .bind(to_string(now.cause))
        .bind(now.reorganised ? 1 : 0)
        .bind(what.row)
        .run();
}

result<void> book_rows::put(const row_write& what)
{
    static const payment_terms none;
    const payment_record& now = what.record;
    const payment_terms& terms = what.terms ? *what.terms : none;
    const std::string amount = to_string(terms.wanted.amount);
    put_.bind(what.row);
    for (const std::string_view each : parts_of(now.key))
        put_.bind(each);
    put_.bind(to_string(now.state)).bind(whole(now.revision)).bind(whole(now.owner)).bind_bytes(now.digest);
    put_.bind(whole(now.began)).bind(whole(now.settled_at)).bind(whole(now.ended_at));
    put_.bind(whole(now.valid_before)).bind(now.receipt).bind(now.proof.transaction);
    put_.bind(now.proof.proven ? 1 : 0).bind(to_string(now.cause)).bind(now.reorganised ? 1 : 0);
    put_.bind(terms.offer).bind(terms.offer_uid).bind(terms.method).bind(terms.uri).bind(terms.request_id);
    put_.bind(amount).bind(terms.wanted.asset).bind(terms.wanted.pay_to).bind(terms.facilitator_url);
    std::string takeover;
    if (is_over(now.state))
        put_.bind_null();
    else
    {
        takeover = write_takeover(now);
        put_.bind(takeover);
    }
    return put_.run();
}

result<std::string> book_rows::receipt_of(std::int64_t row)
{
    auto found = receipt_.bind(row).step();
    std::string out = found && *found ? text_of(receipt_, 0) : std::string();
    receipt_.reset();
    if (!found)
        return found.error();
    return out;
}

result<void> read_open(const database& from, std::uint64_t since, const std::function<void(kept_row)>& take)
{
    const std::string columns =
        "SELECT id, network, token, payer, nonce, state, revision, owner, digest, began, settled_at,"
        " ended_at, valid_before, receipt, tx, proven, cause, reorganised, offer, offer_uid, method, uri,"
        " request_id, amount, asset, pay_to, facilitator, takeover FROM payments WHERE ";
    for (const bool expired : {true, false})
    {
        const std::string sql = columns + (expired ? "valid_before > ? AND state = 'expired' ORDER BY id"
                                                   : "ended_at = 0 AND ? >= 0 ORDER BY id");
        auto rows = statement::prepare(from, sql.c_str());
        if (!rows)
            return rows.error();
        rows->bind(whole(since));
        result<bool> row = rows->step();
        for (; row && *row; row = rows->step())
        {
            kept_row out;
            out.row = rows->integer(0);
            payment_record& now = out.record;
            now.key = key_of(*rows, 1);
            const auto state = parse_payment_state(rows->text(5));
            const auto cause = parse_used_cause(rows->text(16));
            const auto amount = parse_u256(rows->text(23));
            if (!state || !cause || !amount || is_over(*state))
                return fail(errc::invalid, "{}: row {} of its payments cannot be read", from.file(), out.row);
            now.state = *state;
            now.revision = static_cast<std::uint64_t>(rows->integer(6));
            now.owner = static_cast<std::uint64_t>(rows->integer(7));
            const auto digest = rows->bytes(8);
            std::copy_n(digest.begin(), std::min(digest.size(), now.digest.size()), now.digest.begin());
            now.began = static_cast<std::uint64_t>(rows->integer(9));
            now.settled_at = static_cast<std::uint64_t>(rows->integer(10));
            now.ended_at = static_cast<std::uint64_t>(rows->integer(11));
            now.valid_before = static_cast<std::uint64_t>(rows->integer(12));
            now.receipt = text_of(*rows, 13);
            now.proof = {text_of(*rows, 14), rows->integer(15) != 0};
            now.cause = *cause;
            now.reorganised = rows->integer(17) != 0;
            auto terms = std::make_shared<payment_terms>();
            terms->offer = text_of(*rows, 18);
            terms->offer_uid = text_of(*rows, 19);
            terms->method = text_of(*rows, 20);
            terms->uri = text_of(*rows, 21);
            terms->request_id = text_of(*rows, 22);
            terms->wanted.amount = *amount;
            terms->wanted.asset = text_of(*rows, 24);
            terms->wanted.pay_to = text_of(*rows, 25);
            terms->facilitator_url = text_of(*rows, 26);
            if (auto read = read_takeover(rows->text(27), *terms, now); !read)
                return read.error().within(fmt::format("{}: row {}", from.file(), out.row));
            now.terms = std::move(terms);
            take(std::move(out));
        }
        if (!row)
            return row.error();
    }
    return {};
}

result<void>
read_spent(const database& from, std::uint64_t since, const std::function<void(const spent_row&)>& take)
{
    auto rows = statement::prepare(
        from,
        "SELECT id, network, token, payer, nonce, valid_before, state FROM payments"
        " WHERE valid_before > ? AND state IN ('delivered', 'closed') ORDER BY valid_before"
    );
    if (!rows)
        return rows.error();
    rows->bind(whole(since));
    result<bool> row = rows->step();
    for (; row && *row; row = rows->step())
    {
        spent_row out;
        out.row = rows->integer(0);
        out.key = key_of(*rows, 1);
        out.valid_before = static_cast<std::uint64_t>(rows->integer(5));
        out.delivered = rows->text(6) == "delivered";
        take(out);
    }
    if (!row)
        return row.error();
    return {};
}

}  // namespace portitor::ledger
