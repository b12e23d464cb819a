#include "catch.hpp"
#include "stores.hpp"

#include <portitor/ledger/book.hpp>

#include <sqlite3.h>

using namespace portitor;
using namespace portitor::ledger::test;
using namespace portitor::x402;

namespace {

using state = payment_state;

// As version 1 wrote it: delivered, settling, in doubt (Permit2), expired, delivered with a transaction in a
// spelling of its own, closed.
constexpr const char* version_1 = R"(
PRAGMA journal_mode = WAL;
CREATE TABLE payments (
    id INTEGER PRIMARY KEY,
    network TEXT NOT NULL, token TEXT NOT NULL, payer TEXT NOT NULL, nonce TEXT NOT NULL,
    state TEXT NOT NULL, revision INTEGER NOT NULL, owner INTEGER NOT NULL, digest BLOB NOT NULL,
    began INTEGER NOT NULL, settled_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
    valid_before INTEGER NOT NULL,
    receipt TEXT NOT NULL, tx TEXT NOT NULL, proven INTEGER NOT NULL, cause TEXT NOT NULL,
    reorganised INTEGER NOT NULL,
    offer TEXT NOT NULL, offer_uid TEXT NOT NULL, method TEXT NOT NULL, uri TEXT NOT NULL,
    request_id TEXT NOT NULL, amount TEXT NOT NULL, asset TEXT NOT NULL, pay_to TEXT NOT NULL,
    facilitator TEXT NOT NULL, takeover TEXT);
CREATE INDEX payments_open ON payments (id) WHERE ended_at = 0;
CREATE INDEX payments_valid ON payments (valid_before);
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('owner', 4);
INSERT INTO payments VALUES
(1,'eip155:84532','0x0000000000000000000000000000000000000007','0x0000000000000000000000000000000000000001',
'0x0000000000000000000000000000000000000000000000000000000000000001','delivered',4,0,x'01ab',
1795511500,1795511501,1795511502,1795511810,'receipt',
'0x0000000000000000000000000000000000000000000000000000000000000077',1,'sold',0,'demo/hello','uid-1','GET',
'/services/hello?page=2','r-1','10000','0x0000000000000000000000000000000000000007',
'0x000000000000000000000000000000000000000A','https://facilitator.test',NULL),
(2,'eip155:84532','0x0000000000000000000000000000000000000007','0x0000000000000000000000000000000000000001',
'0x0000000000000000000000000000000000000000000000000000000000000002','settling',5,4,x'02ab',
1795511503,0,0,1795511810,'','',1,'sold',0,'demo/hello','uid-1','GET','/services/hello','r-2','10000',
'0x0000000000000000000000000000000000000007','0x000000000000000000000000000000000000000A',
'https://facilitator.test',
'{"terms":{"network":"eip155:84532","v1Network":"base-sepolia","maxTimeoutSeconds":300,"resource":"https://example.test/services/hello","description":"a \"paid\" thing","mimeType":"application/json","assetName":"USDC","assetVersion":"2","permit2":false},"payment":{"version":1,"scheme":"exact","network":"base-sepolia","kind":0,"payTo":"0x000000000000000000000000000000000000000a","value":"10000","spender":"0x0000000000000000000000000000000000000000","validAfter":"3","validBefore":"1795511810"},"history":{"doubt":false,"failed":false,"doubtBeforeFailure":false,"unnamed":false,"open":[],"told":[]}}'),
(3,'eip155:84532','0x000000000022d473030f116ddee9f6b43ac78ba3','0x0000000000000000000000000000000000000002',
'123456789012345678901234567890123456789012345678901234567890','unknown',9,0,x'03ab',
1795511503,0,0,1795511810,'','',1,'sold',0,'shop/tea','uid-2','POST','/tea','','20000',
'0x0000000000000000000000000000000000000008','0x0000000000000000000000000000000000000009',
'https://facilitator.test',
'{"terms":{"network":"eip155:84532","v1Network":"","maxTimeoutSeconds":60,"resource":"https://example.test/tea","description":"","mimeType":"","assetName":"EURC","assetVersion":"2","permit2":true},"payment":{"version":2,"scheme":"exact","network":"eip155:84532","kind":1,"payTo":"0x0000000000000000000000000000000000000009","value":"20000","asset":"0x0000000000000000000000000000000000000008","spender":"0x402085c248eea27d92e8b30b2c58ed07f9e20001","validAfter":"0","validBefore":"1795511811"},"history":{"doubt":true,"failed":false,"doubtBeforeFailure":false,"unnamed":true,"open":["0x01"],"told":["0x01","0x02"]}}'),
(4,'eip155:84532','0x0000000000000000000000000000000000000007','0x0000000000000000000000000000000000000003',
'0x0000000000000000000000000000000000000000000000000000000000000004','expired',12,0,x'04ab',
1795511100,0,1795511500,1795511400,'','',1,'sold',0,'demo/hello','uid-1','GET','/services/hello','r-4','10000',
'0x0000000000000000000000000000000000000007','0x000000000000000000000000000000000000000A',
'https://facilitator.test',
'{"history":{"doubt":true,"failed":false,"doubtBeforeFailure":false,"unnamed":true,"open":[],"told":[]}}'),
(5,'eip155:84532','0x0000000000000000000000000000000000000007','0x0000000000000000000000000000000000000001',
'0x0000000000000000000000000000000000000000000000000000000000000005','delivered',14,0,x'05ab',
1795511504,1795511505,1795511505,1795511810,'other','0xABCdef',0,'sold',1,'demo/hello','uid-1','GET',
'/services/hello','r-5','115792089237316195423570985008687907853269984665640564039457584007913129639935',
'0x0000000000000000000000000000000000000007','0x000000000000000000000000000000000000000A',
'https://facilitator.test',NULL),
(6,'eip155:84532','0x0000000000000000000000000000000000000007','0x0000000000000000000000000000000000000001',
'0x0000000000000000000000000000000000000000000000000000000000000006','closed',15,0,x'06ab',
1795511504,0,1795511505,1795511810,'','',1,'withdrawn',0,'','','','','','0','','','',NULL);
PRAGMA user_version = 1;
)";

std::vector<std::string> told(ledger::book& from, const ledger::sale_filter& which = {})
{
    std::vector<std::string> out;
    const auto listed = from.list(which, [&](const ledger::sale& each) {
        out.push_back(fmt::format(
            "{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}",
            each.began,
            each.settled_at,
            each.ended_at,
            each.valid_before,
            to_string(each.state),
            to_string(each.cause),
            each.offer,
            each.offer_uid,
            each.method,
            each.uri,
            each.request_id,
            each.network,
            each.asset,
            to_string(each.amount),
            each.payer,
            each.pay_to,
            each.nonce,
            each.facilitator,
            each.transaction,
            each.proven,
            each.reorganised,
            each.interrupted
        ));
        return true;
    });
    REQUIRE(listed.has_value());
    return out;
}

}  // namespace

TEST_CASE(
    "a file of version 1 is read as it is, and loses nothing by being turned into this one",
    "[ledger][schema]"
)
{
    sqlite_world world;
    {
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(world.settings.file.c_str(), &db) == SQLITE_OK);
        REQUIRE(sqlite3_exec(db, version_1, nullptr, nullptr, nullptr) == SQLITE_OK);
        sqlite3_close(db);
    }
    auto book = ledger::book::open(world.settings.file);
    REQUIRE(book.has_value());
    const std::vector<std::string> before = told(*book);
    REQUIRE(before.size() == 6);
    CHECK(
        before[5].find("r-1 eip155:84532 0x0000000000000000000000000000000000000007 10000 ") !=
        std::string::npos
    );
    CHECK(
        before[3].find(" 123456789012345678901234567890123456789012345678901234567890 ") != std::string::npos
    );
    ledger::sale_filter of_one;
    of_one.payer = hex_address(2);
    ledger::sale_filter of_transaction;
    of_transaction.transaction = hex_word(0x77);
    ledger::sale_filter of_another;
    of_another.transaction = "0xabcDEF";
    const auto finds_all = [&] {
        CHECK(told(*book, of_one) == std::vector{before[3]});
        CHECK(told(*book, of_transaction) == std::vector{before[5]});
        CHECK(told(*book, of_another) == std::vector{before[1]});
    };
    finds_all();

    hand mine = world.open();
    CHECK(told(*book) == before);
    finds_all();
    CHECK(mine.store().owner() == 5);
    CHECK(mine.spent(1)->receipt == "receipt");
    CHECK(mine.spent(5)->receipt == "other");
    CHECK(mine.spent(6)->state == state::closed);

    const payment_record settling = mine.found(2)->record;
    CHECK(settling.owner == 4);
    CHECK(settling.digest[0] == 2);
    CHECK(settling.terms->wanted.resource_url == "https://example.test/services/hello");
    CHECK(settling.terms->wanted.description == "a \"paid\" thing");
    CHECK(settling.terms->wanted.max_timeout_seconds == 300);
    CHECK(settling.offered->network == "base-sepolia");
    CHECK(settling.offered->version == 1);
    CHECK(settling.offered->valid_after == 3);
    CHECK(settling.offered->nonce == hex_word(2));
    const auto by_permit2 = mine.find(
        {"eip155:84532",
         permit2_contract,
         hex_address(2),
         "123456789012345678901234567890123456789012345678901234567890"}
    );
    const payment_record doubted = std::get<record_found>(by_permit2.value()).record;
    CHECK(doubted.offered->kind == payment_kind::permit2);
    CHECK(doubted.offered->valid_before == 1'795'511'811);
    CHECK(doubted.terms->wanted.method == transfer_method::permit2);
    CHECK(doubted.history.unnamed);
    CHECK(doubted.history.told.size() == 2);
    const auto expired = mine.find(key_of(4, 3));
    CHECK(std::get<record_found>(expired.value()).record.state == state::expired);

    // They go on as others do, and are there again.
    const payment_record done = mine.change(settling, paid());
    mine.change(doubted, known(state::settled));
    const std::vector<std::string> after = told(*book);
    REQUIRE(after.size() == 6);
    CHECK(after[4].find("settled") != std::string::npos);
    hand next = world.follow(mine);
    CHECK(told(*book) == after);
    const payment_record again = next.found(2)->record;
    CHECK(again.revision == done.revision);
    CHECK(again.terms->wanted.description == "a \"paid\" thing");
    CHECK(again.offered->network == "base-sepolia");
    CHECK(again.offered->pay_to == settling.offered->pay_to);
}

TEST_CASE("a file that is turned into this one while it is read is read to its end", "[ledger][schema]")
{
    sqlite_world world;
    {
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(world.settings.file.c_str(), &db) == SQLITE_OK);
        REQUIRE(sqlite3_exec(db, version_1, nullptr, nullptr, nullptr) == SQLITE_OK);
        // More than are read at once.
        const char* more =
            "WITH RECURSIVE each(n) AS (SELECT 7 UNION ALL SELECT n + 1 FROM each WHERE n < 1200)"
            " INSERT INTO payments SELECT n, network, token, payer, printf('0x%064x', n), state,"
            " revision, owner, digest, began, settled_at, ended_at, valid_before, receipt, tx,"
            " proven, cause, reorganised, offer, offer_uid, method, uri, request_id, amount,"
            " asset, pay_to, facilitator, takeover FROM payments JOIN each WHERE id = 1";
        REQUIRE(sqlite3_exec(db, more, nullptr, nullptr, nullptr) == SQLITE_OK);
        sqlite3_close(db);
    }
    auto book = ledger::book::open(world.settings.file);
    REQUIRE(book.has_value());
    std::optional<hand> mine;
    std::size_t seen = 0;
    const auto listed = book->list({}, [&](const ledger::sale&) {
        if (++seen == 1)
            mine.emplace(world.open());
        return true;
    });
    CHECK(listed.has_value());
    CHECK(seen == 1'200);
}

TEST_CASE(
    "a file of version 2 is read as it is, and gets a mark for what was interrupted", "[ledger][schema]"
)
{
    sqlite_world world;
    payment_record left;
    {
        hand mine = world.open();
        mine.reach(1, state::delivered, world.wall.seconds() + 300);
        left = mine.reach(2, state::settled, world.wall.seconds() + 300);
        mine.leave();
    }
    auto book = ledger::book::open(world.settings.file);
    REQUIRE(book.has_value());
    const std::vector<std::string> before = told(*book);
    {
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(world.settings.file.c_str(), &db) == SQLITE_OK);
        const char* back = "ALTER TABLE payments DROP COLUMN interrupted; PRAGMA user_version = 2";
        REQUIRE(sqlite3_exec(db, back, nullptr, nullptr, nullptr) == SQLITE_OK);
        sqlite3_close(db);
    }
    CHECK(told(*book) == before);
    hand mine = world.open();
    CHECK(told(*book) == before);
    payment_change interrupted = ours(state::delivering);
    interrupted.interrupted = true;
    mine.change(mine.found(2)->record, interrupted);
    std::size_t marked = 0;
    REQUIRE(book->list(
                    {},
                    [&](const ledger::sale& each) {
                        marked += each.interrupted ? 1 : 0;
                        return true;
                    }
    ).has_value());
    CHECK(marked == 1);
}

TEST_CASE("what payments share is kept once, and for as long as one of them has it", "[ledger][schema]")
{
    sqlite_world world;
    world.settings.retention = std::chrono::hours(1);
    const auto count = [&] {
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(world.settings.file.c_str(), &db) == SQLITE_OK);
        sqlite3_stmt* asked = nullptr;
        REQUIRE(sqlite3_prepare_v2(db, "SELECT count(*) FROM terms", -1, &asked, nullptr) == SQLITE_OK);
        REQUIRE(sqlite3_step(asked) == SQLITE_ROW);
        const int out = sqlite3_column_int(asked, 0);
        sqlite3_finalize(asked);
        sqlite3_close(db);
        return out;
    };
    hand first = world.open();
    const auto sell = [&](hand& mine, std::uint64_t number, const std::string& offer) {
        auto made = mine.begin(offer_of(number, world.wall.seconds() + 300, 1, offer));
        payment_record now = std::get<record_made>(made.value()).record;
        now = mine.change(now, ours(state::settling));
        now = mine.change(now, paid());
        now = mine.change(now, ours(state::delivering));
        mine.change(now, known(state::delivered));
    };
    sell(first, 1, "demo/hello");
    sell(first, 2, "demo/hello");
    sell(first, 3, "shop/tea");
    CHECK(count() == 2);
    hand second = world.follow(first);
    sell(second, 4, "demo/hello");
    CHECK(count() == 2);

    // They are kept for up to a day longer than they are needed.
    world.wall.time += std::chrono::hours(25);
    (void)second.sweep();
    sell(second, 5, "demo/hello");
    world.wall.time += std::chrono::hours(2);
    // What is being written is not to look late.
    world.context.restart();
    world.context.run_for(std::chrono::milliseconds(50));
    world.time.ahead += std::chrono::seconds(11);
    REQUIRE(second.sweep().has_value());
    sell(second, 6, "demo/hello");
    CHECK(count() == 1);
    sell(second, 7, "shop/tea");
    CHECK(count() == 2);
    auto book = ledger::book::open(world.settings.file);
    REQUIRE(book.has_value());
    CHECK(told(*book).size() == 2);
}
