#include "ledger/database.hpp"
#include "ledger/packed_text.hpp"
#include "ledger/schema.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/ledger/book.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <stdexcept>
#include <string_view>
#include <tuple>

namespace portitor::ledger {

using namespace x402;

struct book::reader
{
    database file;
};

namespace {

constexpr std::int64_t page_size = 500;

std::string lower(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::int64_t bound(std::uint64_t value)
{
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max())
    );
}

bool passes(const sale& what, const sale_filter& which)
{
    const bool of_namespace = !which.offer.empty() && which.offer.back() == '/';
    if (!which.offer.empty() &&
        (of_namespace ? !what.offer.starts_with(which.offer) : what.offer != which.offer))
        return false;
    return !which.also || which.also(what);
}

// What was paid, and is not taken back.
bool is_sold(const sale& what)
{
    return what.settled_at != 0 && !what.reorganised &&
           (what.state == payment_state::settled || what.state == payment_state::delivering ||
            what.state == payment_state::delivered);
}

result<sale> read(const statement& row, const std::string& file)
{
    const auto text = [&row](int column) { return std::string(row.text(column)); };
    const auto time = [&row](int column) { return static_cast<std::uint64_t>(row.integer(column)); };
    sale out;
    const auto state = parse_payment_state(row.text(4));
    const auto cause = parse_used_cause(row.text(5));
    const auto amount = parse_u256(row.text(13));
    if (!state || !cause || !amount)
        return fail(errc::invalid, "{}: a row of its payments cannot be read", file);
    out.began = time(0);
    out.settled_at = time(1);
    out.ended_at = time(2);
    out.valid_before = time(3);
    out.state = *state;
    out.cause = *cause;
    out.offer = text(6);
    out.offer_uid = text(7);
    out.method = text(8);
    out.uri = text(9);
    out.request_id = text(10);
    out.network = text(11);
    out.asset = text(12);
    out.amount = *amount;
    out.payer = unpacked(row, 14);
    out.pay_to = text(15);
    out.nonce = unpacked(row, 16);
    out.facilitator = text(17);
    out.transaction = unpacked(row, 18);
    out.proven = row.integer(19) != 0;
    out.reorganised = row.integer(20) != 0;
    out.interrupted = row.integer(21) != 0;
    return out;
}

// One view of the file for as long as it lives. It holds up the writer's checkpoints.
struct view
{
    explicit view(database& of) : file(of), begun(of.run("BEGIN")) {}
    view(const view&) = delete;
    view& operator=(const view&) = delete;
    ~view() { (void)file.run("ROLLBACK"); }
    database& file;
    result<void> begun;
};

// The next ones, from `before` on. Its form is asked for each time: a verifier may have turned it into
// another.
result<void>
read_page(database& from, const sale_filter& which, std::int64_t& before, std::vector<sale>& page)
{
    const std::string payer = lower(which.payer);
    const packed_text packed_payer(payer);
    const std::string transaction = lower(which.transaction);
    const packed_text packed_transaction(transaction);
    const view here(from);
    if (!here.begun)
        return here.begun;
    const auto version = from.number("PRAGMA user_version");
    if (!version)
        return version.error();
    const std::string sql = fmt::format(
        "SELECT began, settled_at, ended_at, valid_before, state, cause, offer, offer_uid, method, uri,"
        " request_id, network, asset, amount, payer, pay_to, nonce, facilitator, tx, proven, reorganised,"
        " interrupted, id"
        " FROM {} WHERE id < ?1 AND iif(settled_at > 0, settled_at, began) >= ?2"
        " AND iif(settled_at > 0, settled_at, began) < ?3 AND (?4 = '' OR payer IN (?4, ?5))"
        " AND (?6 = '' OR tx = ?7 OR lower(tx) = ?6) ORDER BY id DESC LIMIT ?8",
        sales_of(*version)
    );
    auto rows = statement::prepare(from, sql.c_str());
    if (!rows)
        return rows.error();
    rows->bind(before).bind(bound(which.since.value_or(0)));
    rows->bind(bound(which.until.value_or(std::numeric_limits<std::uint64_t>::max())));
    packed_payer.bind(rows->bind(payer));
    packed_transaction.bind(rows->bind(transaction));
    rows->bind(page_size);
    result<bool> row = rows->step();
    for (; row && *row; row = rows->step())
    {
        auto what = read(*rows, from.file());
        if (!what)
            return what.error();
        page.push_back(std::move(*what));
        before = rows->integer(22);
    }
    if (!row)
        return row.error();
    return {};
}

}  // namespace

book::book(std::unique_ptr<reader> from) : reader_(std::move(from)) {}
book::~book() = default;
book::book(book&&) noexcept = default;
book& book::operator=(book&&) noexcept = default;

result<book> book::open(const std::string& file)
{
    auto opened = open_to_read(file);
    if (!opened)
        return opened.error();
    return book(std::make_unique<reader>(reader{std::move(*opened)}));
}

result<void> book::list(const sale_filter& which, const std::function<bool(const sale&)>& tell)
{
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
    std::vector<sale> page;
    do
    {
        page.clear();
        if (auto done = read_page(reader_->file, which, before, page); !done)
            return done;
        for (const sale& each : page)
        {
            if (passes(each, which) && !tell(each))
                return {};
        }
    } while (std::ssize(page) == page_size);
    return {};
}

result<std::vector<sale_sum>> book::sum(const sale_filter& which, const sale_grouping& by, std::size_t most)
try
{
    using name = std::tuple<std::string, std::string, std::string, std::string, std::string>;
    std::map<name, sale_sum> sums;
    auto told = list(which, [&](const sale& each) {
        if (!is_sold(each) && !each.reorganised)
            return true;
        sale_sum of;
        if (by.offer)
            of.offer = each.offer;
        if (by.day)
            of.day = to_rfc3339(clock::time_point(std::chrono::seconds(each.time()))).substr(0, 10);
        if (by.payer)
            of.payer = each.payer;
        of.network = each.network;
        of.asset = lower(each.asset);
        const name key{of.offer, of.day, of.payer, of.network, of.asset};
        // Written as people know it.
        of.asset = each.asset;
        sale_sum& sum = sums.try_emplace(key, std::move(of)).first->second;
        if (sums.size() > most)
            return false;
        if (each.reorganised)
        {
            ++sum.reorganised;
            return true;
        }
        ++sum.settled;
        sum.delivered += each.state == payment_state::delivered ? 1 : 0;
        sum.interrupted += each.interrupted ? 1 : 0;
        sum.unproven += each.proven ? 0 : 1;
        sum.amount += each.amount;
        return true;
    });
    if (!told)
        return told.error();
    if (sums.size() > most)
        return fail(
            errc::refused, "these are more than {} sums: name an offer or a payer, or a shorter time", most
        );
    std::vector<sale_sum> out;
    out.reserve(sums.size());
    for (auto& [key, each] : sums)
        out.push_back(std::move(each));
    return out;
}
catch (const std::overflow_error&)
{
    return fail(errc::invalid, "a sum is more than 2^256-1 atomic units");
}

}  // namespace portitor::ledger
