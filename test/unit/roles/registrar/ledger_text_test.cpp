#include "ledger_samples.hpp"

#include <fmt/format.h>

using namespace portitor;
using namespace portitor::registrar;
using namespace portitor::registrar::samples;

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
