#include "catch.hpp"
#include "roles/registrar/ledger.hpp"

#include <fmt/format.h>

using namespace portitor;
using namespace portitor::registrar;

namespace {

const auto noon = from_rfc3339("2026-11-24T12:00:00Z");
const auto next_day = from_rfc3339("2026-11-25T00:00:00Z");

u256 ether(const std::string& amount)
{
    return atomic_units(amount, 18).value();
}

spending_limits limits_of(std::uint32_t transactions, const std::string& spend)
{
    return {transactions, ether(spend)};
}

// How many of them go until one is refused.
int book_all(
    ledger& into, const spending_limits& limits, const std::string& ns, purpose why, const u256& most = 1
)
{
    int out = 0;
    while (out < 10'000 && into.may_spend(limits, ns, why, most, noon))
    {
        into.book(ns, why, most, noon);
        ++out;
    }
    return out;
}

std::string refusal(
    const ledger& of, const spending_limits& limits, const std::string& ns, purpose why, const u256& most = 1
)
{
    const auto said = of.may_spend(limits, ns, why, most, noon);
    if (said)
        return "may go";
    CHECK(said.error().code() == errc::refused);
    return said.error().message();
}

}  // namespace

TEST_CASE("of a day's transactions a namespace has a quarter, and changes nine tenths", "[registrar][ledger]")
{
    const auto limits = limits_of(200, "1");
    ledger spent;
    CHECK(book_all(spent, limits, "a", purpose::change) == 50);
    CHECK(
        refusal(spent, limits, "a", purpose::change) ==
        "namespace \"a\" has used 50 of 50 transactions a day (dailyTransactions is 200); "
        "free again at 00:00 UTC, 2026-11-25T00:00:00Z"
    );
    CHECK(book_all(spent, limits, "b", purpose::change) == 50);
    CHECK(book_all(spent, limits, "c", purpose::change) == 50);
    CHECK(book_all(spent, limits, "d", purpose::change) == 30);
    CHECK(
        refusal(spent, limits, "e", purpose::change) ==
        "the account has used 180 of 180 transactions a day (dailyTransactions is 200); "
        "free again at 00:00 UTC, 2026-11-25T00:00:00Z"
    );
    CHECK(spent.transactions(noon) == 180);
    // What is kept for retirements is still there, a quarter for each.
    CHECK(book_all(spent, limits, "a", purpose::retirement) == 5);
    CHECK(book_all(spent, limits, "z", purpose::retirement) == 5);
    CHECK(
        refusal(spent, limits, "z", purpose::retirement) ==
        "what is kept for retirements is used up, and the account has used 180 of 180 transactions a day "
        "(dailyTransactions is 200); free again at 00:00 UTC, 2026-11-25T00:00:00Z"
    );
    CHECK(book_all(spent, limits, "y", purpose::retirement) == 5);
    CHECK(book_all(spent, limits, "x", purpose::retirement) == 5);
    CHECK(book_all(spent, limits, "w", purpose::retirement) == 0);
    CHECK(spent.transactions(noon) == 200);
}

TEST_CASE("retirements beyond their tenth are changes", "[registrar][ledger]")
{
    const auto limits = limits_of(200, "1");
    ledger spent;
    // 5 of the tenth, and a quarter of the whole.
    CHECK(book_all(spent, limits, "a", purpose::retirement) == 55);
    CHECK(
        refusal(spent, limits, "a", purpose::retirement) ==
        "what is kept for retirements is used up, and namespace \"a\" has used 50 of 50 transactions a day "
        "(dailyTransactions is 200); free again at 00:00 UTC, 2026-11-25T00:00:00Z"
    );
    CHECK(book_all(spent, limits, "a", purpose::change) == 0);
    for (const char* ns : {"b", "c", "d"})
        CHECK(book_all(spent, limits, ns, purpose::retirement) >= 35);
    CHECK(spent.transactions(noon) == 200);
    CHECK(book_all(spent, limits, "e", purpose::change) == 0);
    CHECK(book_all(spent, limits, "e", purpose::retirement) == 0);
}

TEST_CASE("a retirement within its tenth goes even where limits were lowered", "[registrar][ledger]")
{
    ledger spent;
    CHECK(book_all(spent, limits_of(200, "1"), "a", purpose::change) == 50);
    const auto lowered = limits_of(20, "1");
    CHECK(book_all(spent, lowered, "a", purpose::change) == 0);
    CHECK(book_all(spent, lowered, "a", purpose::retirement) == 1);
    CHECK(book_all(spent, lowered, "b", purpose::retirement) == 1);
    CHECK(book_all(spent, lowered, "c", purpose::retirement) == 0);
}

TEST_CASE("the smallest limits let one of each go, and none at all is none", "[registrar][ledger]")
{
    ledger spent;
    CHECK(book_all(spent, limits_of(1, "1"), "a", purpose::change) == 1);
    CHECK(book_all(spent, limits_of(1, "1"), "b", purpose::change) == 0);
    CHECK(book_all(spent, limits_of(1, "1"), "b", purpose::retirement) == 1);
    CHECK(book_all(spent, limits_of(1, "1"), "c", purpose::retirement) == 0);

    ledger none;
    CHECK(
        refusal(none, limits_of(0, "1"), "a", purpose::change) ==
        "this transaction may take up to 1 transactions, and namespace \"a\" has never more than 0 a day "
        "(dailyTransactions is 0): raise dailyTransactions of the chain"
    );
    CHECK_FALSE(none.may_spend(limits_of(0, "1"), "a", purpose::retirement, 1, noon).has_value());
    CHECK_FALSE(none.may_spend(limits_of(200, "0"), "a", purpose::retirement, 1, noon).has_value());
    // Three: two of changes, as one tenth is rounded up; a quarter is one.
    ledger three;
    CHECK(book_all(three, limits_of(3, "1"), "a", purpose::change) == 1);
    CHECK(book_all(three, limits_of(3, "1"), "b", purpose::change) == 1);
    CHECK(book_all(three, limits_of(3, "1"), "c", purpose::change) == 0);
}

TEST_CASE("of a day's money the same shares", "[registrar][ledger]")
{
    const auto limits = limits_of(200, "0.04");
    ledger spent;
    CHECK(book_all(spent, limits, "a", purpose::change, ether("0.003")) == 3);
    CHECK(
        refusal(spent, limits, "a", purpose::change, ether("0.003")) ==
        "namespace \"a\" has used 0.009 of 0.01 ether a day, and this transaction may cost up to 0.003 "
        "(dailySpend is 0.04); free again at 00:00 UTC, 2026-11-25T00:00:00Z"
    );
    CHECK(spent.may_spend(limits, "a", purpose::change, ether("0.001"), noon).has_value());
    CHECK(spent.spent(noon) == ether("0.009"));
    // More than it can ever have.
    CHECK(
        refusal(spent, limits, "b", purpose::change, ether("0.0100001")) ==
        "this transaction may take up to 0.0100001 ether, and namespace \"b\" has never more than 0.01 a day "
        "(dailySpend is 0.04): raise dailySpend of the chain, or lower its maxFeePerGas"
    );
    // A retirement dearer than a quarter of the tenth takes the rest from what is for changes.
    CHECK(book_all(spent, limits, "b", purpose::retirement, ether("0.005")) == 2);
    CHECK(spent.spent(noon) == ether("0.019"));
}

TEST_CASE("a replacement costs what it costs more, and what was not spent comes back", "[registrar][ledger]")
{
    const auto limits = limits_of(200, "0.04");
    ledger spent;
    spent.book("a", purpose::change, ether("0.004"), noon);
    spent.book_more("a", purpose::change, ether("0.005"), noon);
    CHECK(spent.transactions(noon) == 1);
    CHECK(spent.spent(noon) == ether("0.009"));
    CHECK_FALSE(spent.may_spend(limits, "a", purpose::change, ether("0.002"), noon).has_value());
    spent.give_back("a", purpose::change, ether("0.008"), noon);
    CHECK(spent.spent(noon) == ether("0.001"));
    CHECK(spent.transactions(noon) == 1);
    CHECK(spent.may_spend(limits, "a", purpose::change, ether("0.009"), noon).has_value());

    // Never more than there is, and nothing to strangers.
    spent.give_back("a", purpose::change, ether("1"), noon);
    spent.give_back("a", purpose::retirement, ether("1"), noon);
    spent.give_back("b", purpose::change, ether("1"), noon);
    CHECK(spent.spent(noon) == 0);
    CHECK(spent.transactions(noon) == 1);
}

TEST_CASE("a day ends at midnight UTC, and does not come back", "[registrar][ledger]")
{
    const auto limits = limits_of(8, "1");
    ledger spent;
    CHECK(book_all(spent, limits, "a", purpose::change) == 2);
    const auto before_midnight = next_day - std::chrono::seconds(1);
    CHECK_FALSE(spent.may_spend(limits, "a", purpose::change, 1, before_midnight).has_value());
    CHECK(spent.transactions(before_midnight) == 2);
    CHECK(spent.may_spend(limits, "a", purpose::change, 1, next_day).has_value());
    CHECK(spent.transactions(next_day) == 0);
    CHECK(spent.spent(next_day) == 0);

    spent.book("a", purpose::change, 5, next_day);
    spent.book("a", purpose::change, 5, next_day);
    CHECK(spent.spent(next_day) == 10);
    // What was booked yesterday is not given back today.
    spent.give_back("a", purpose::change, 1, noon);
    CHECK(spent.spent(next_day) == 10);
    spent.give_back("a", purpose::change, 1, next_day);
    CHECK(spent.spent(next_day) == 9);

    // A clock that was put back.
    CHECK(spent.transactions(noon) == 2);
    CHECK(refusal(spent, limits, "a", purpose::change)
              .ends_with("free again at 00:00 UTC, 2026-11-26T00:00:00Z"));
    spent.book("b", purpose::change, 1, noon);
    CHECK(spent.transactions(next_day) == 3);
}

TEST_CASE("mined nonces only rise", "[registrar][ledger]")
{
    ledger spent;
    CHECK(spent.mined_nonces() == 0);
    spent.saw_mined(0);
    CHECK(spent.mined_nonces() == 1);
    spent.saw_mined(41);
    spent.saw_mined(7);
    CHECK(spent.mined_nonces() == 42);
    // Days have nothing to do with it.
    spent.book("a", purpose::change, 1, next_day);
    CHECK(spent.mined_nonces() == 42);
    spent.saw_mined(std::numeric_limits<std::uint64_t>::max());
    CHECK(spent.mined_nonces() == std::numeric_limits<std::uint64_t>::max());
    CHECK(ledger::parse(spent.to_text()).value() == spent);
}

TEST_CASE("the numbers survive as text", "[registrar][ledger]")
{
    ledger spent;
    CHECK(spent.to_text() == R"({"day":"1970-01-01","changes":{},"retirements":{},"minedNonces":0})");
    CHECK(ledger::parse(spent.to_text()).value() == spent);
    spent.book("shop", purpose::change, ether("0.0015"), noon);
    spent.book("shop", purpose::change, 1, noon);
    spent.book("games", purpose::retirement, 7, noon);
    spent.saw_mined(6);
    const std::string text = spent.to_text();
    CHECK(
        text ==
        R"({"day":"2026-11-24","changes":{"shop":[2,"1500000000000001"]},"retirements":{"games":[1,"7"]},)"
        R"("minedNonces":7})"
    );
    const auto read = ledger::parse(text);
    REQUIRE(read.has_value());
    CHECK(*read == spent);
    CHECK(read->transactions(noon) == 3);
    CHECK(read->transactions(next_day) == 0);
}

TEST_CASE("a text that is none is not taken for nothing", "[registrar][ledger]")
{
    const std::string text = GENERATE(
        R"()",
        R"(null)",
        R"([])",
        R"({})",
        R"({"day":"2026-11-24")",
        R"({"day":20051,"changes":{},"retirements":{},"minedNonces":0})",
        R"({"day":"2026-02-30","changes":{},"retirements":{},"minedNonces":0})",
        R"({"day":"9999-11-24","changes":{},"retirements":{},"minedNonces":0})",
        R"({"day":"1969-11-24","changes":{},"retirements":{},"minedNonces":0})",
        R"({"day":"2026-11-24","retirements":{},"minedNonces":0})",
        R"({"day":"2026-11-24","changes":{},"minedNonces":0})",
        R"({"day":"2026-11-24","changes":{},"retirements":{}})",
        R"({"day":"2026-11-24","changes":{},"retirements":{},"minedNonces":-1})",
        R"({"day":"2026-11-24","changes":{},"retirements":{},"minedNonces":1.0})",
        R"({"day":"2026-11-24","changes":{},"retirements":{},"minedNonces":"1"})",
        R"({"day":"2026-11-24","changes":[],"retirements":{},"minedNonces":0})",
        R"({"day":"2026-11-24","changes":{"":[1,"1"]},"retirements":{},"minedNonces":0})",
        R"({"day":"2026-11-24","changes":{"a":[1]},"retirements":{},"minedNonces":0})",
        R"({"day":"2026-11-24","changes":{"a":[1,"1",1]},"retirements":{},"minedNonces":0})",
        R"({"day":"2026-11-24","changes":{"a":[1,1]},"retirements":{},"minedNonces":0})",
        R"({"day":"2026-11-24","changes":{"a":[-1,"1"]},"retirements":{},"minedNonces":0})",
        R"({"day":"2026-11-24","changes":{"a":[4294967296,"1"]},"retirements":{},"minedNonces":0})",
        R"({"day":"2026-11-24","changes":{"a":[1,"-1"]},"retirements":{},"minedNonces":0})",
        R"({"day":"2026-11-24","changes":{},"retirements":{"a":[1,"340282366920938463463374607431768211456"]},"minedNonces":0})"
    );
    CAPTURE(text);
    const auto read = ledger::parse(text);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code() == errc::invalid);
    CHECK(read.error().message().starts_with("what the account has spent cannot be read: "));
}

TEST_CASE("the text is bounded, whoever spends", "[registrar][ledger]")
{
    const auto limits = limits_of(4'000'000, "1000000");
    const auto name_of = [](std::size_t i) { return fmt::format("{:0>63}", i); };
    const u256 most = ether("1000000") / 10'000;
    ledger spent;
    for (std::size_t i = 0; i < ledger::most_namespaces; ++i)
    {
        spent.book(name_of(i), purpose::change, most, noon);
        spent.book(name_of(i), purpose::retirement, most, noon);
    }
    CHECK(spent.to_text().size() <= ledger::longest_text);
    CHECK(ledger::parse(spent.to_text()).value() == spent);
    CHECK(spent.may_spend(limits, name_of(0), purpose::change, 1, noon).has_value());
    CHECK(
        refusal(spent, limits, "another", purpose::change) ==
        "600 namespaces have used the account today, and it does not keep account of more; "
        "free again at 00:00 UTC, 2026-11-25T00:00:00Z"
    );
    CHECK(spent.may_spend(limits, "another", purpose::change, 1, next_day).has_value());
    const auto long_text = ledger::parse(spent.to_text() + std::string(ledger::longest_text, ' '));
    REQUIRE_FALSE(long_text.has_value());
    CHECK(long_text.error().code() == errc::invalid);
}

TEST_CASE("numbers beyond all measure do no harm", "[registrar][ledger]")
{
    const u256 huge = std::numeric_limits<u256>::max();
    ledger spent;
    spent.book("a", purpose::change, huge, noon);
    spent.book_more("a", purpose::change, huge, noon);
    spent.book("b", purpose::retirement, huge, noon);
    CHECK_FALSE(spent.may_spend({200, huge}, "a", purpose::change, huge, noon).has_value());
    CHECK_FALSE(spent.may_spend({200, 1}, "b", purpose::retirement, huge, noon).has_value());
    CHECK(ledger::parse(spent.to_text()).value() == spent);
    spent.give_back("a", purpose::change, huge, noon);
    spent.give_back("b", purpose::retirement, huge, noon);
    CHECK(spent.spent(noon) == 0);
}

TEST_CASE("numbers are raised to those of another account of the same", "[registrar][ledger]")
{
    ledger ours;
    ours.book("a", purpose::change, 10, noon);
    ours.book("b", purpose::retirement, 3, noon);
    ours.saw_mined(4);
    ledger theirs;
    theirs.book("a", purpose::change, 4, noon);
    theirs.book("a", purpose::change, 4, noon);
    theirs.book("c", purpose::change, 5, noon);
    ours.raise_to(theirs);
    CHECK(ours.transactions(noon) == 4);
    CHECK(ours.spent(noon) == 18);
    CHECK(ours.mined_nonces() == 5);

    ledger later;
    later.book("a", purpose::change, 1, next_day);
    ledger earlier = ours;
    earlier.raise_to(later);
    CHECK(earlier.spent(next_day) == 1);
    CHECK(earlier.mined_nonces() == 5);
    later.raise_to(ours);
    CHECK(later.spent(next_day) == 1);
    CHECK(later.mined_nonces() == 5);
}
