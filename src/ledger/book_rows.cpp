#include "ledger/book_rows.hpp"

#include "ledger/packed_receipt.hpp"
#include "ledger/packed_text.hpp"
#include "ledger/takeover.hpp"

#include <algorithm>

namespace portitor::ledger {

using namespace x402;

namespace {

constexpr const char* put_sql =
    " INTO payments (id, terms, payer, nonce, digest, method, uri, request_id, began, valid_before, state,"
    " revision, owner, settled_at, ended_at, receipt, tx, proven, cause, reorganised, interrupted,"
    " takeover) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
// Not ended_at, which would mean to touch an index.
constexpr const char* step_sql =
    "UPDATE payments SET state = ?, revision = ?, owner = ?, settled_at = ?, receipt = ?, tx = ?, proven = ?,"
    " cause = ?, reorganised = ?, interrupted = ? WHERE id = ?";
constexpr const char* end_sql =
    "UPDATE payments SET state = ?, revision = ?, owner = ?, settled_at = ?, receipt = ?, tx = ?, proven = ?,"
    " cause = ?, reorganised = ?, interrupted = ?, ended_at = ?, takeover = NULL WHERE id = ?";
constexpr const char* finish_sql =
    "UPDATE payments SET state = ?, revision = ?, owner = ?, ended_at = ?, takeover = NULL WHERE id = ?";
constexpr const char* find_terms_sql =
    "SELECT id, valid_until FROM terms WHERE offer = ? AND offer_uid = ? AND network = ? AND token = ?"
    " AND asset = ? AND amount = ? AND pay_to = ? AND facilitator = ? AND wanted = ?";
constexpr const char* add_terms_sql =
    "INSERT INTO terms (offer, offer_uid, network, token, asset, amount, pay_to, facilitator, wanted,"
    " valid_until) VALUES (?,?,?,?,?,?,?,?,?,?) RETURNING id";

constexpr const char* receipt_sql =
    "SELECT receipt, network, payer, tx FROM payments p CROSS JOIN terms t ON t.id = p.terms WHERE p.id = ?";

constexpr std::size_t most_terms = 4'096;  // that are remembered
// By how much more than one payment needs terms are kept, so that not each has to say so.
constexpr std::int64_t terms_kept = 86'400;

std::int64_t whole(std::uint64_t value)
{
    return static_cast<std::int64_t>(value);
}

const payment_terms no_terms;

payment_key key_of(const statement& row, int first)
{
    return {row.text(first), row.text(first + 1), unpacked(row, first + 2), unpacked(row, first + 3)};
}

receipt_facts facts_of(const payment_record& of)
{
    return {of.key.network(), of.key.payer(), of.proof.transaction};
}

std::string text_of(const statement& row, int column)
{
    return std::string(row.text(column));
}

constexpr const char* select_kept =
    "SELECT p.id, network, token, payer, nonce, state, revision, owner, digest, began, settled_at, ended_at,"
    " valid_before, receipt, tx, proven, cause, reorganised, interrupted, offer, offer_uid, method, uri,"
    " request_id, amount, asset, pay_to, facilitator, wanted, takeover"
    " FROM payments p CROSS JOIN terms t ON t.id = p.terms WHERE";
// Rows, and what is told of them, where the payments settled last are looked for.
constexpr int looked_through = 20'000;
constexpr int most_settled = 10'000;

error unreadable(const std::string& file, std::int64_t row)
{
    return fail(errc::invalid, "{}: row {} of its payments cannot be read", file, row);
}

// What select_kept finds.
result<kept_row> read_kept(const statement& from, const std::string& file)
{
    kept_row out;
    out.row = from.integer(0);
    payment_record& now = out.record;
    now.key = key_of(from, 1);
    const auto state = parse_payment_state(from.text(5));
    const auto cause = parse_used_cause(from.text(16));
    const auto amount = parse_u256(from.text(24));
    if (!state || !cause || !amount)
        return unreadable(file, out.row);
    now.state = *state;
    now.revision = static_cast<std::uint64_t>(from.integer(6));
    now.owner = static_cast<std::uint64_t>(from.integer(7));
    const auto digest = from.bytes(8);
    std::copy_n(digest.begin(), std::min(digest.size(), now.digest.size()), now.digest.begin());
    now.began = static_cast<std::uint64_t>(from.integer(9));
    now.settled_at = static_cast<std::uint64_t>(from.integer(10));
    now.ended_at = static_cast<std::uint64_t>(from.integer(11));
    now.valid_before = static_cast<std::uint64_t>(from.integer(12));
    now.proof = {unpacked(from, 14), from.integer(15) != 0};
    now.receipt = unpacked_receipt(from.text(13), facts_of(now));
    now.cause = *cause;
    now.reorganised = from.integer(17) != 0;
    now.interrupted = from.integer(18) != 0;
    auto terms = std::make_shared<payment_terms>();
    terms->offer = text_of(from, 19);
    terms->offer_uid = text_of(from, 20);
    terms->method = text_of(from, 21);
    terms->uri = text_of(from, 22);
    terms->request_id = text_of(from, 23);
    terms->wanted.amount = *amount;
    terms->wanted.asset = text_of(from, 25);
    terms->wanted.pay_to = text_of(from, 26);
    terms->facilitator_url = text_of(from, 27);
    if (auto read = read_takeover(from.text(28), from.text(29), *terms, now); !read)
        return read.error().within(fmt::format("{}: row {}", file, out.row));
    now.terms = std::move(terms);
    return out;
}

}  // namespace

result<book_rows> book_rows::prepare(const database& on)
{
    book_rows out;
    const std::string add = std::string("INSERT") + put_sql;
    const std::string put = std::string("INSERT OR REPLACE") + put_sql;
    struct
    {
        statement* to;
        const char* sql;
    } const all[] = {
        {&out.begin_, "BEGIN IMMEDIATE"},
        {&out.commit_, "COMMIT"},
        {&out.find_terms_, find_terms_sql},
        {&out.add_terms_, add_terms_sql},
        {&out.keep_terms_, "UPDATE terms SET valid_until = ? WHERE id = ?"},
        {&out.add_, add.c_str()},
        {&out.put_, put.c_str()},
        {&out.step_, step_sql},
        {&out.end_, end_sql},
        {&out.finish_, finish_sql},
        {&out.erase_, "DELETE FROM payments WHERE id = ?"},
        {&out.mark_, "UPDATE payments SET reorganised = ? WHERE id = ?"},
        {&out.receipt_, receipt_sql},
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
    case row_change::add:
        return put(add_, what);
    case row_change::put:
        return put(put_, what);
    case row_change::erase:
        return erase_.bind(what.row).run();
    case row_change::mark:
        return mark_.bind(now.reorganised ? 1 : 0).bind(what.row).run();
    case row_change::finish:
        finish_.bind(to_string(now.state)).bind(whole(now.revision)).bind(whole(now.owner));
        return finish_.bind(whole(now.ended_at)).bind(what.row).run();
    case row_change::step:
    case row_change::end:
        break;
    }
    const bool ends = what.change == row_change::end;
    const packed_text transaction(now.proof.transaction);
    statement& update = ends ? end_ : step_;
    update.bind(to_string(now.state)).bind(whole(now.revision)).bind(whole(now.owner));
    const std::string receipt = packed_receipt(now.receipt, facts_of(now));
    update.bind(whole(now.settled_at)).bind(receipt);
    transaction.bind(update);
    update.bind(now.proof.proven ? 1 : 0).bind(to_string(now.cause));
    update.bind(now.reorganised ? 1 : 0).bind(now.interrupted ? 1 : 0);
    if (ends)
        update.bind(whole(now.ended_at));
    return update.bind(what.row).run();
}

// `INSERT OR REPLACE` keeps a journal of its own for each row, so what is new is not written by it.
result<void> book_rows::put(statement& into, const row_write& what)
{
    const auto terms = terms_of(what);
    if (!terms)
        return terms.error();
    const payment_record& now = what.record;
    const payment_terms& of = what.terms ? *what.terms : no_terms;
    const packed_text payer(now.key.payer());
    const packed_text nonce(now.key.nonce());
    const packed_text transaction(now.proof.transaction);
    into.bind(what.row).bind(*terms);
    payer.bind(into);
    nonce.bind(into);
    into.bind_bytes(now.digest).bind(of.method).bind(of.uri).bind(of.request_id);
    into.bind(whole(now.began)).bind(whole(now.valid_before));
    into.bind(to_string(now.state)).bind(whole(now.revision)).bind(whole(now.owner));
    const std::string receipt = packed_receipt(now.receipt, facts_of(now));
    into.bind(whole(now.settled_at)).bind(whole(now.ended_at)).bind(receipt);
    transaction.bind(into);
    into.bind(now.proof.proven ? 1 : 0).bind(to_string(now.cause));
    into.bind(now.reorganised ? 1 : 0).bind(now.interrupted ? 1 : 0);
    text_.clear();
    if (is_over(now.state))
        into.bind_null();
    else
    {
        append_takeover(text_, now);
        into.bind(text_);
    }
    return into.run();
}

// The row that has them, which is made where there is none.
result<std::int64_t> book_rows::terms_of(const row_write& what)
{
    const payment_terms& of = what.terms ? *what.terms : no_terms;
    const payment_requirement& wanted = of.wanted;
    text_.clear();
    append_wanted(text_, wanted);
    const std::size_t json_size = text_.size();
    // What the fields hold has no zero in it: names, addresses and URLs.
    for (const std::string_view each :
         {std::string_view(of.offer),
          std::string_view(of.offer_uid),
          std::string_view(wanted.asset),
          std::string_view(wanted.pay_to),
          std::string_view(of.facilitator_url),
          what.record.key.network(),
          what.record.key.token()})
        text_.append(each).push_back('\0');
    text_ += to_string(wanted.amount);
    const std::int64_t valid_before = whole(what.record.valid_before);
    auto known = terms_.find(text_);
    if (known == terms_.end())
    {
        auto found = find_terms(what, std::string_view(text_).substr(0, json_size));
        if (!found)
            return found.error();
        if (terms_.size() >= most_terms)
            terms_.clear();
        known = terms_.emplace(text_, *found).first;
    }
    terms_row& row = known->second;
    if (row.valid_until < valid_before)
    {
        row.valid_until = valid_before + terms_kept;
        if (auto kept = keep_terms_.bind(row.valid_until).bind(row.id).run(); !kept)
            return kept.error();
    }
    return row.id;
}

result<book_rows::terms_row> book_rows::find_terms(const row_write& what, std::string_view wanted)
{
    const payment_terms& of = what.terms ? *what.terms : no_terms;
    const std::string amount = to_string(of.wanted.amount);
    terms_row out;
    for (statement* each : {&find_terms_, &add_terms_})
    {
        each->bind(of.offer).bind(of.offer_uid).bind(what.record.key.network()).bind(what.record.key.token());
        each->bind(of.wanted.asset).bind(amount).bind(of.wanted.pay_to).bind(of.facilitator_url).bind(wanted);
        if (each == &add_terms_)
            each->bind(out.valid_until);
        const auto row = each->step();
        if (row && *row)
        {
            out.id = each->integer(0);
            if (each == &find_terms_)
                out.valid_until = each->integer(1);
        }
        each->reset();
        if (!row)
            return row.error();
        if (*row)
            break;
    }
    return out;
}

result<std::string> book_rows::receipt_of(std::int64_t row)
{
    auto found = receipt_.bind(row).step();
    std::string out;
    if (found && *found)
    {
        const std::string payer = unpacked(receipt_, 2);
        const std::string transaction = unpacked(receipt_, 3);
        out = unpacked_receipt(receipt_.text(0), {receipt_.text(1), payer, transaction});
    }
    receipt_.reset();
    if (!found)
        return found.error();
    return out;
}

result<void> read_open(const database& from, std::uint64_t since, const std::function<void(kept_row)>& take)
{
    for (const bool expired : {true, false})
    {
        const std::string sql = fmt::format(
            "{} {} ORDER BY p.id",
            select_kept,
            expired ? "valid_before > ? AND state = 'expired'" : "ended_at = 0 AND ? >= 0"
        );
        auto rows = statement::prepare(from, sql.c_str());
        if (!rows)
            return rows.error();
        rows->bind(whole(since));
        result<bool> row = rows->step();
        for (; row && *row; row = rows->step())
        {
            auto kept = read_kept(*rows, from.file());
            if (!kept)
                return kept.error();
            if (is_over(kept->record.state))
                return unreadable(from.file(), kept->row);
            take(std::move(*kept));
        }
        if (!row)
            return row.error();
    }
    return {};
}

result<std::vector<payment_record>> read_settled(const database& from, std::uint64_t since)
{
    const std::string sql = fmt::format(
        "{} p.id > (SELECT max(id) FROM payments) - {} AND settled_at >= ? AND proven = 1 AND reorganised = 0"
        " ORDER BY p.id DESC LIMIT {}",
        select_kept,
        looked_through,
        most_settled
    );
    auto rows = statement::prepare(from, sql.c_str());
    if (!rows)
        return rows.error();
    std::vector<payment_record> out;
    result<bool> row = rows->bind(whole(since)).step();
    for (; row && *row; row = rows->step())
    {
        auto kept = read_kept(*rows, from.file());
        if (!kept)
            return kept.error();
        out.push_back(std::move(kept->record));
    }
    if (!row)
        return row.error();
    std::reverse(out.begin(), out.end());
    return out;
}

result<void>
read_spent(const database& from, std::uint64_t since, const std::function<void(const spent_row&)>& take)
{
    auto rows = statement::prepare(
        from,
        "SELECT p.id, network, token, payer, nonce, valid_before, state"
        " FROM payments p CROSS JOIN terms t ON t.id = p.terms"
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
