#include "ledger_samples.hpp"

using namespace portitor;
using namespace portitor::registrar;
using namespace portitor::registrar::samples;

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
