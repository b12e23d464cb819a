#include "catch.hpp"
#include "stores.hpp"

#include <portitor/ledger/book.hpp>

#include <sqlite3.h>
#include <sys/stat.h>

using namespace portitor;
using namespace portitor::ledger::test;
using namespace portitor::x402;

namespace {

using state = payment_state;

// Eight sales of four payers and two offers, the second half a day later; and one that is open.
void sell(sqlite_world& world, hand& mine)
{
    for (std::uint64_t i = 0; i < 8; ++i)
    {
        if (i == 4)
            world.wall.time += std::chrono::hours(24);
        new_payment what =
            offer_of(i, world.wall.seconds() + 300, i % 4, i % 2 == 0 ? "demo/hello" : "shop/tea");
        auto terms = std::make_shared<payment_terms>(*what.terms);
        // More than a double or 64 bits hold.
        terms->wanted.amount = parse_u256("100000000000000000000000000000000000001").value();
        what.terms = terms;
        payment_record now = std::get<record_made>(mine.begin(std::move(what)).value()).record;
        now = mine.change(now, ours(state::settling));
        payment_change settled = paid();
        settled.proof = payment_proof{hex_word(0xabc0 + i), i != 3};
        now = mine.change(now, settled);
        payment_change last = i == 5 ? rest(state::settled) : known(state::delivered);
        last.reorganised = i == 6;
        last.interrupted = i == 2;
        mine.change(now, last);
    }
    mine.reach(100, state::unknown, world.wall.seconds() + 300);
    mine.leave();
}

std::vector<std::string> nonces(ledger::book& from, const ledger::sale_filter& which)
{
    std::vector<std::string> out;
    REQUIRE(from.list(
                    which,
                    [&](const ledger::sale& each) {
                        out.push_back(each.nonce);
                        return true;
                    }
    ).has_value());
    return out;
}

}  // namespace

TEST_CASE("the book is read while the verifier writes it: the newest first, and filtered", "[ledger][book]")
{
    sqlite_world world;
    hand mine = world.open();
    sell(world, mine);
    auto book = ledger::book::open(world.settings.file);
    REQUIRE(book.has_value());
    CHECK(nonces(*book, {}).size() == 9);
    CHECK(nonces(*book, {}).front() == hex_word(100));
    ledger::sale_filter which;
    which.transaction = "0x" + std::string(60, '0') + "ABC3";
    CHECK(nonces(*book, which) == std::vector{hex_word(3)});
    which = {};
    which.payer = hex_address(2);
    CHECK(nonces(*book, which) == std::vector{hex_word(6), hex_word(2)});
    which = {};
    which.offer = "shop/tea";
    CHECK(nonces(*book, which).size() == 4);
    which.offer = "shop/";
    CHECK(nonces(*book, which).size() == 4);
    which.offer = "sho";
    CHECK(nonces(*book, which).empty());
    which = {};
    which.also = [](const ledger::sale& each) {
        return each.state == state::settled || each.state == state::unknown;
    };
    CHECK(nonces(*book, which) == std::vector{hex_word(100), hex_word(5)});
    which = {};
    which.since = start_seconds + 86'400;
    CHECK(nonces(*book, which).size() == 5);
    which = {};
    which.until = start_seconds + 86'400;
    CHECK(nonces(*book, which).size() == 4);

    std::vector<ledger::sale> told;
    REQUIRE(book->list(
                    {},
                    [&](const ledger::sale& each) {
                        told.push_back(each);
                        return told.size() < 2;
                    }
    ).has_value());
    REQUIRE(told.size() == 2);
    const ledger::sale& last = told.back();
    CHECK(last.state == state::delivered);
    CHECK(last.offer == "shop/tea");
    CHECK(last.method == "GET");
    CHECK(last.uri == "/services/hello?page=2");
    CHECK(last.request_id == "r-1");
    CHECK(last.network == "eip155:84532");
    CHECK(last.asset == hex_address(7));
    CHECK(last.pay_to == hex_address(9));
    CHECK(last.facilitator == "https://facilitator.test");
    CHECK(last.began == start_seconds + 86'400);
    CHECK(last.ended_at == start_seconds + 86'400);
    CHECK(last.time() == last.settled_at);
    // The verifier is not held up.
    CHECK(nonces(*book, {}).size() == 9);
}

TEST_CASE("a book of many pages is told whole, and each payment once", "[ledger][book]")
{
    sqlite_world world;
    hand mine = world.open();
    std::vector<std::string> written;
    for (std::uint64_t i = 0; i < 1'203; ++i)
    {
        mine.change(mine.made(i), known(state::delivered));
        written.insert(written.begin(), hex_word(i));
    }
    mine.leave();
    auto book = ledger::book::open(world.settings.file);
    REQUIRE(book.has_value());
    CHECK(nonces(*book, {}) == written);
}

TEST_CASE("whatever the last change of a payment says, and that alone, is in the book", "[ledger][book]")
{
    sqlite_world world;
    hand mine = world.open();
    struct
    {
        const char* what;
        state from;
        payment_change last;
    } all[] = {
        {"nothing", state::delivering, known(state::delivered)},
        {"settled_at", state::settling, known(state::delivered)},
        {"receipt", state::delivering, known(state::delivered)},
        {"transaction", state::delivering, known(state::delivered)},
        {"proven", state::delivering, known(state::delivered)},
        {"cause", state::settling, known(state::closed)},
        {"reorganised", state::delivering, known(state::delivered)},
        {"interrupted", state::delivering, known(state::delivered)},
    };
    all[2].last.receipt = "another";
    all[3].last.proof = payment_proof{hex_word(0x78), true};
    all[4].last.proof = payment_proof{hex_word(0x77), false};
    all[5].last.cause = used_cause::withdrawn;
    all[6].last.reorganised = true;
    all[7].last.interrupted = true;
    for (std::uint64_t i = 0; i < std::size(all); ++i)
    {
        const payment_record before = mine.reach(i, all[i].from);
        world.wall.time += std::chrono::seconds(1);
        const payment_record after = mine.change(before, all[i].last);
        INFO(all[i].what);
        CHECK(mine.spent(i)->receipt == after.receipt);
        auto book = ledger::book::open(world.settings.file);
        REQUIRE(book.has_value());
        std::vector<ledger::sale> told;
        const auto last = [&](const ledger::sale& each) {
            told.push_back(each);
            return false;
        };
        REQUIRE(book->list({}, last).has_value());
        REQUIRE(told.size() == 1);
        CHECK(told[0].nonce == hex_word(i));
        CHECK(told[0].state == after.state);
        CHECK(told[0].ended_at == world.wall.seconds());
        CHECK(told[0].settled_at == after.settled_at);
        CHECK(told[0].transaction == after.proof.transaction);
        CHECK(told[0].proven == after.proof.proven);
        CHECK(told[0].cause == after.cause);
        CHECK(told[0].reorganised == after.reorganised);
        CHECK(told[0].interrupted == after.interrupted);
    }
}

TEST_CASE("sums are exact, of what was settled and not taken back", "[ledger][book]")
{
    sqlite_world world;
    hand mine = world.open();
    sell(world, mine);
    auto book = ledger::book::open(world.settings.file);
    REQUIRE(book.has_value());
    const auto all = book->sum({}, {});
    REQUIRE(all.value().size() == 1);
    CHECK(to_string(all->front().amount) == "700000000000000000000000000000000000007");
    CHECK(all->front().settled == 7);
    CHECK(all->front().delivered == 6);
    CHECK(all->front().interrupted == 1);
    CHECK(all->front().unproven == 1);
    CHECK(all->front().reorganised == 1);

    ledger::sale_grouping by;
    by.offer = by.day = true;
    const auto grouped = book->sum({}, by);
    REQUIRE(grouped.value().size() == 4);
    CHECK(grouped->front().offer == "demo/hello");
    CHECK(grouped->front().day == "2026-11-24");
    CHECK(grouped->front().settled == 2);
    CHECK(grouped->back().offer == "shop/tea");
    CHECK(grouped->back().day == "2026-11-25");
    by = {};
    by.payer = true;
    CHECK(book->sum({}, by).value().size() == 4);
    CHECK(book->sum({}, by, 3).error().code() == errc::refused);
}

TEST_CASE("the book is read at rest too, and says where there is none", "[ledger][book]")
{
    sqlite_world world;
    {
        hand mine = world.open();
        sell(world, mine);
    }
    auto book = ledger::book::open(world.settings.file);
    REQUIRE(book.has_value());
    CHECK(nonces(*book, {}).size() == 9);
    const auto none = ledger::book::open(world.folder.path("other.db"));
    REQUIRE(!none.has_value());
    CHECK(none.error().code() == errc::not_found);
    const auto foreign = ledger::book::open(world.folder.write("text.db", "not a database at all"));
    CHECK(!foreign.has_value());
    // SQLite's, but somebody else's, of a version that could be a newer one's.
    const std::string theirs = world.folder.path("theirs.db");
    sqlite3* other = nullptr;
    sqlite3_open(theirs.c_str(), &other);
    sqlite3_exec(other, "CREATE TABLE other (x); PRAGMA user_version = 9", nullptr, nullptr, nullptr);
    sqlite3_close(other);
    CHECK(ledger::book::open(theirs).error().message() == theirs + " is no record of payments");
}
