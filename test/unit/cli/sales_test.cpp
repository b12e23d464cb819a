#include "cli/sales/moment.hpp"
#include "sales_world.hpp"

#include <boost/json/parse.hpp>

#include <sqlite3.h>

using namespace portitor;
using namespace portitor::cli::samples;
using x402::payment_state;

namespace json = boost::json;

namespace {

/// Of three days: four that are paid for, one of them not delivered, one not proved; and what is no sale.
struct busy_world : sales_world
{
    busy_world()
    {
        buy({.time = "2026-11-22T23:59:59Z"});
        buy({.time = "2026-11-23T10:00:00Z", .payer = bob, .proven = false});
        first = buy({.time = "2026-11-24T09:00:00Z", .offer = "shop/llm", .amount = "50000"});
        buy(
            {.time = "2026-11-24T12:00:00Z",
             .payer = bob,
             .offer = "other/tea",
             .state = payment_state::settled}
        );
        buy({.time = "2026-11-24T13:00:00Z", .state = payment_state::unknown});
        buy({.time = "2026-11-24T14:00:00Z", .state = payment_state::expired});
        buy({.time = "2026-11-24T15:00:00Z", .state = payment_state::closed});
        buy({.time = "2026-11-24T16:00:00Z", .reorganised = true});
        writer.leave();
    }

    json::object asked(std::vector<std::string> words)
    {
        words.insert(words.begin(), "sales");
        words.insert(words.end(), {"-o", "json"});
        const outcome told = run(words);
        INFO(told.err);
        REQUIRE(told.code == 0);
        return json::parse(told.out).as_object();
    }

    std::vector<std::string> times(const std::vector<std::string>& words)
    {
        std::vector<std::string> out;
        const json::object told = asked(words);
        for (const json::value& each : told.at("payments").as_array())
            out.emplace_back(each.at("time").as_string());
        return out;
    }

    std::string first;
};

std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> out;
    std::istringstream from(text);
    for (std::string each; std::getline(from, each);)
        out.push_back(each);
    return out;
}

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("sales are listed in a seller's words, the newest first", "[cli][sales]")
{
    busy_world world;
    const auto told = world.run({"sales"});
    CHECK(told.code == 0);
    CHECK(told.err.empty());
    const auto lines = lines_of(told.out);
    REQUIRE(lines.size() == 9);
    for (const char* each : {"TIME", "OFFER", "PAYER", "AMOUNT", "NETWORK", "STATE", "TRANSACTION"})
        CHECK(has(lines[0], each));
    CHECK(has(lines[1], "taken back by a reorganisation"));
    CHECK(has(lines[2], "not sold: withdrawn by its payer"));
    CHECK(has(lines[3], "expired, nobody can tell"));
    CHECK(has(lines[4], "in doubt"));
    CHECK(has(lines[5], "paid, not delivered yet"));
    CHECK(has(
        lines[6], "2026-11-24T09:00:00Z   shop/llm    " + ann + "   0.05 USDC    base-sepolia   delivered  "
    ));
    CHECK(has(lines[6], world.first));
    CHECK(has(lines[7], "delivered, unproven"));
    // Buyers' queries are nobody's business.
    CHECK_FALSE(has(told.out, "s3cret"));
    CHECK_FALSE(has(world.run({"sales", "-o", "json"}).out, "s3cret"));
    CHECK_FALSE(has(world.run({"sales", "-o", "csv"}).out, "s3cret"));
    CHECK(has(world.run({"sales", "--full"}).out, "GET /services/tea/green?cup=2&token=s3cret"));
    // Keys of facilitators never are.
    CHECK_FALSE(has(world.run({"sales", "--full", "-o", "json"}).out, "apikey=s3cret"));
}

TEST_CASE("sales are found by offer, payer, transaction, time and state", "[cli][sales]")
{
    busy_world world;
    CHECK(world.times({"list", "--offer", "shop/llm"}) == std::vector<std::string>{"2026-11-24T09:00:00Z"});
    CHECK(world.times({"--offer", "shop/"}).size() == 7);
    CHECK(
        world.times({"--payer", "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"}) ==
        std::vector<std::string>{"2026-11-24T12:00:00Z", "2026-11-23T10:00:00Z"}
    );
    CHECK(world.times({"--transaction", world.first}).size() == 1);
    CHECK(world.times({"--since", "2026-11-23", "--until", "2026-11-23"}).size() == 1);
    CHECK(world.times({"--since", "2026-11-24T15:00:00Z"}).size() == 2);
    // It is eight in the evening.
    CHECK(world.times({"--since", "5h"}).size() == 2);
    CHECK(world.times({"--until", "1d"}).size() == 2);
    CHECK(world.times({"--state", "doubt", "--state", "expired"}).size() == 2);
    CHECK(world.times({"--state", "unproven"}) == std::vector<std::string>{"2026-11-23T10:00:00Z"});
    CHECK(world.times({"--state", "delivered"}).size() == 3);
    const auto none = world.run({"sales", "--offer", "no/body"});
    CHECK(none.code == 0);
    CHECK(none.out.empty());
    CHECK(has(none.err, "no such payment"));
}

TEST_CASE("a list that is cut says so", "[cli][sales]")
{
    busy_world world;
    const auto text = world.run({"sales", "--limit", "2"});
    CHECK(lines_of(text.out).size() == 3);
    CHECK(has(text.err, "there are more than the newest 2"));
    const json::object cut = world.asked({"--limit", "2"});
    CHECK(cut.at("payments").as_array().size() == 2);
    CHECK(cut.at("more").as_bool());
    const json::object whole = world.asked({"--limit", "8"});
    CHECK(whole.at("payments").as_array().size() == 8);
    CHECK_FALSE(whole.at("more").as_bool());
}

TEST_CASE("each payment is an object of one shape, its amount exact", "[cli][sales]")
{
    sales_world world;
    const std::string strange = ledger::test::hex_address(7);
    world.buy({.time = "2026-11-24T09:00:00Z", .amount = "100000000000000000000000000000000000001"});
    world.buy({.time = "2026-11-24T10:00:00Z", .state = payment_state::unknown, .asset = strange});
    world.writer.leave();
    const json::value told = json::parse(world.run({"sales", "-o", "json"}).out);
    const json::object& doubt = told.at("payments").at(0).as_object();
    const json::object& sold = told.at("payments").at(1).as_object();
    CHECK(sold.at("amount") == "100000000000000000000000000000000000001");
    CHECK(sold.at("decimal") == "100000000000000000000000000000000.000001");
    CHECK(sold.at("symbol") == "USDC");
    CHECK(sold.at("decimals") == 6);
    CHECK(sold.at("network") == "eip155:84532");
    CHECK(sold.at("asset").as_string() == usdc);
    CHECK(sold.at("state") == "delivered");
    CHECK(sold.at("proven") == true);
    CHECK(sold.at("uri") == "/services/tea/green?***");
    CHECK(sold.at("method") == "GET");
    CHECK(sold.at("facilitator") == "https://facilitator.test/?apikey=***");
    CHECK(sold.at("settledAt") == "2026-11-24T09:00:00Z");
    CHECK(doubt.at("decimal").is_null());
    CHECK(doubt.at("symbol").is_null());
    CHECK(doubt.at("proven").is_null());
    CHECK(doubt.at("settledAt").is_null());
    CHECK(doubt.at("transaction") == "");
    CHECK(sold.size() == doubt.size());
    CHECK(has(world.run({"sales"}).out, "1000 units of " + strange));
}

TEST_CASE("CSV is of RFC 4180, and no cell of it is a formula or hides anything", "[cli][sales]")
{
    sales_world world;
    world.buy({.time = "2026-11-24T09:00:00Z", .uri = "/a,\"b\"", .request_id = "=1+1"});
    world.buy({.time = "2026-11-24T09:00:01Z", .request_id = "@SUM(A1)\r\nx"});
    world.buy({.time = "2026-11-24T09:00:02Z", .request_id = "-1\xe2\x80\xae"});
    world.writer.leave();
    const auto told = world.run({"sales", "-o", "csv"});
    const auto lines = lines_of(told.out);
    REQUIRE(lines.size() == 4);
    for (const std::string& each : lines)
        CHECK(each.ends_with('\r'));
    CHECK(
        lines[0] ==
        "time,offer,payer,amount,decimal,symbol,decimals,network,asset,state,cause,interrupted,proven,"
        "transaction,method,uri,requestId,offerUid,payTo,nonce,facilitator,began,settledAt,endedAt\r"
    );
    CHECK(has(lines[1], ",'-1\\u202e,"));
    CHECK(has(lines[2], ",'@SUM(A1)\\x0d x,"));
    CHECK(has(lines[3], ",\"/a,\"\"b\"\"\",'=1+1,"));
    CHECK(lines[3].starts_with(
        "2026-11-24T09:00:00Z,shop/tea," + ann + ",1000,0.001,USDC,6,eip155:84532," + usdc
    ));
}

TEST_CASE(
    "sums tell what was earned, and apart what is not delivered, not proved and taken back", "[cli][sales]"
)
{
    busy_world world;
    const json::object all = world.asked({"sum"});
    CHECK(all.at("payments") == 4);
    CHECK(all.at("amount") == "53000");
    CHECK(all.at("delivered") == 3);
    CHECK(all.at("unproven") == 1);
    CHECK(all.at("reorganised") == 1);
    REQUIRE(all.at("totals").as_array().size() == 1);
    CHECK(all.at("totals").at(0).at("decimal") == "0.053");

    const json::object days = world.asked({"sum", "--by", "day,payer"});
    CHECK(days.at("payments") == 4);
    CHECK(days.at("amount") == "53000");
    REQUIRE(days.at("totals").as_array().size() == 4);
    const json::object& first = days.at("totals").at(0).as_object();
    CHECK(first.at("day") == "2026-11-22");
    CHECK(first.at("payer").as_string() == ann);
    CHECK(first.at("amount") == "1000");
    CHECK_FALSE(first.contains("offer"));
    CHECK(world.asked({"sum", "--by", "offer"}).at("totals").as_array().size() == 3);
    CHECK(world.asked({"sum", "--since", "2026-11-24"}).at("amount") == "51000");
    CHECK(world.asked({"sum", "--payer", bob, "--state", "undelivered"}).at("payments") == 1);
    const json::object none = world.asked({"sum", "--offer", "no/body"});
    CHECK(none.at("payments") == 0);
    CHECK(none.at("amount") == "0");

    const auto text = world.run({"sales", "sum", "--by", "offer"});
    CHECK(has(text.out, "shop/llm    base-sepolia   1          0.05 USDC"));
    const auto csv = world.run({"sales", "sum", "--by", "payer", "-o", "csv"});
    CHECK(csv.out.starts_with(
        "payer,network,asset,payments,amount,decimal,symbol,decimals,delivered,interrupted,unproven,"
        "reorganised\r\n"
    ));
}

TEST_CASE("where a verifier died while it wrote the answer, the book says so", "[cli][sales]")
{
    sales_world world;
    world.buy({.time = "2026-11-24T09:00:00Z"});
    world.buy({.time = "2026-11-24T10:00:00Z", .interrupted = true});
    world.buy({.time = "2026-11-24T11:00:00Z", .state = payment_state::settled, .interrupted = true});
    world.writer.leave();
    const std::string all = world.run({"sales"}).out;
    CHECK(has(all, "delivered, maybe twice "));
    CHECK(has(all, "paid, maybe delivered "));
    const auto these = json::parse(world.run({"sales", "--state", "interrupted", "-o", "json"}).out);
    REQUIRE(these.at("payments").as_array().size() == 2);
    CHECK(these.at("payments").at(0).at("state") == "undelivered");
    CHECK(these.at("payments").at(1).at("state") == "delivered");
    CHECK(these.at("payments").at(1).at("interrupted") == true);
    const auto sums = json::parse(world.run({"sales", "sum", "-o", "json"}).out);
    CHECK(sums.at("payments") == 3);
    CHECK(sums.at("interrupted") == 2);
    CHECK(sums.at("totals").at(0).at("interrupted") == 2);
    CHECK(has(world.run({"sales", "sum"}).out, "INTERRUPTED"));
}

TEST_CASE("amounts of two assets are no sum", "[cli][sales]")
{
    sales_world world;
    world.buy({.time = "2026-11-24T09:00:00Z"});
    world.buy({.time = "2026-11-24T09:00:01Z", .asset = ledger::test::hex_address(7)});
    world.writer.leave();
    const json::value told = json::parse(world.run({"sales", "sum", "-o", "json"}).out);
    CHECK(told.at("payments") == 2);
    CHECK(told.at("amount").is_null());
    CHECK(told.at("totals").as_array().size() == 2);
}

TEST_CASE("the operator's networks name tokens of his own", "[cli][sales]")
{
    sales_world world;
    const std::string own = ledger::test::hex_address(7);
    world.buy({.time = "2026-11-24T09:00:00Z", .asset = own});
    world.writer.leave();
    const std::string file = world.book.folder.write(
        "portitor.yaml",
        "networks:\n- network: eip155:84532\n  tokens:\n  - {symbol: TEA, address: \"" + own +
            "\", name: Tea, version: \"1\", decimals: 2}\n"
    );
    CHECK(has(world.run({"sales", "--config", file}).out, "10 TEA"));
}

TEST_CASE("where there is no book, it says why, and where to look", "[cli][sales]")
{
    sales_world world;
    const auto complaint = [&](const std::string& file) {
        const auto told = world.run({"sales", "--ledger", file});
        CHECK(told.code == 1);
        CHECK(told.out.empty());
        return told.err;
    };
    CHECK(has(complaint("memory"), "kubectl -n portitor exec deploy/portitor-verifier -- portitor sales"));
    CHECK(has(complaint("memory"), "its log has a line"));
    CHECK(has(complaint("postgresql://db/x"), "name a file, not a URL"));
    CHECK(has(complaint(world.book.folder.path("none.db")), "there is no record of payments at "));
    CHECK(has(complaint(world.book.folder.write("text.db", std::string(5000, 'x'))), "no record of payments")
    );
    world.writer.leave();
    world.writer.destroy();
    sqlite3* newer = nullptr;
    sqlite3_open(world.book.settings.file.c_str(), &newer);
    sqlite3_exec(newer, "PRAGMA user_version = 7", nullptr, nullptr, nullptr);
    sqlite3_close(newer);
    CHECK(has(complaint(world.book.settings.file), "a newer portitor wrote it"));
}

TEST_CASE("what is asked for wrongly is refused before anything is read", "[cli][sales]")
{
    sales_world world;
    const auto refused = [&](std::vector<std::string> words, const std::string& why) {
        words.insert(words.begin(), "sales");
        const auto told = world.run(words);
        CAPTURE(why, told.err);
        CHECK(told.code == 2);
        CHECK(has(told.err, why));
    };
    refused({"sun"}, "\"sun\" is none of list, sum");
    refused({"--by", "day"}, "portitor sales sum --by day");
    refused({"sum", "--by", "week"}, "none of offer, day, payer, asset");
    refused({"--offer", "tea"}, "NAMESPACE/NAME");
    refused({"--offer", "/tea"}, "NAMESPACE/NAME");
    refused({"--offer", "a/b/c"}, "NAMESPACE/NAME");
    refused({"--payer", "bob"}, "no address");
    refused({"--transaction", ann}, "no transaction's hash");
    refused({"--since", "yesterday"}, "--since: \"yesterday\" is no time such as");
    refused({"--until", "2026-02-30"}, "--until: ");
    refused({"--state", "paid"}, "none of pending, doubt, undelivered");
    refused({"--limit", "0"}, "--limit");
    refused({"--limit", "10001"}, "-o csv");
    refused({"-o", "yaml"}, "none of text, json, csv");
}

TEST_CASE("a day as a bound begins or ends at midnight of UTC", "[cli][sales]")
{
    using cli::sales::moment;
    const auto now = from_rfc3339("2026-11-28T12:00:00Z");
    const auto at = [&](const char* text, moment::edge edge) {
        return to_rfc3339(clock::time_point(std::chrono::seconds(moment::parse(text, edge).value().at(now))));
    };
    CHECK(at("2026-11-28", moment::edge::begin) == "2026-11-28T00:00:00Z");
    CHECK(at("2026-11-28", moment::edge::end) == "2026-11-29T00:00:00Z");
    CHECK(at("2026-11-28T01:00:00+01:00", moment::edge::end) == "2026-11-28T00:00:00Z");
    CHECK(at("90m", moment::edge::end) == "2026-11-28T10:30:00Z");
    CHECK(at("7d", moment::edge::begin) == "2026-11-21T12:00:00Z");
    CHECK(at("4294967295d", moment::edge::begin) == "1970-01-01T00:00:00Z");
    for (const char* bad : {"", "7", "d", "-1h", "1w", "7dd", "4294967296s", "2026-11-2", "28.11.2026"})
    {
        CAPTURE(bad);
        CHECK_FALSE(moment::parse(bad, moment::edge::begin).has_value());
    }
}
