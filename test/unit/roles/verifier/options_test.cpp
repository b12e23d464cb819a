#include "catch.hpp"
#include "given_options.hpp"
#include "roles/verifier/options.hpp"

using namespace portitor;

TEST_CASE("the record of payments is a file of this machine, with a size and a time", "[verifier][options]")
{
    const auto said = [](const std::vector<std::string>& flags) {
        verifier::options read;
        return test::complaint(read, flags);
    };
    verifier::options read;
    CHECK(test::complaint(read, {}) == "no error");
    CHECK(read.ledger == verifier::in_memory);
    CHECK(read.ledger_max_size == std::uint64_t{1} << 30U);
    CHECK(
        test::complaint(
            read,
            {"--ledger=/var/lib/portitor/ledger.db", "--ledger-max-size=768Mi", "--ledger-retention=24h"}
        ) == "no error"
    );
    CHECK(read.ledger_max_size == std::uint64_t{768} << 20U);
    CHECK(read.ledger_retention == std::chrono::hours(24));
    CHECK(test::has(said({"--ledger="}), "name a file, or say memory"));
    CHECK(test::has(said({"--ledger=ledger.db"}), "no absolute path"));
    CHECK(test::has(said({"--ledger=postgresql://db/x"}), "PostgreSQL is not yet in this version"));
    CHECK(test::has(said({"--ledger=mysql://db/x"}), "not a URL"));
    CHECK(test::has(said({"--ledger-max-size=63Mi"}), "at least 64Mi"));
    CHECK(test::has(said({"--ledger-max-size=1G"}), "no size such as 512Mi"));
    CHECK(test::has(said({"--ledger-retention=59m"}), "at least 1h"));
}
