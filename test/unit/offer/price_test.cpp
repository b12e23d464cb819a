#include "catch.hpp"
#include "offer/price.hpp"

using namespace portitor;
using namespace portitor::offer;

namespace {

api::price price(const char* per_request, const char* per_mtok = nullptr, const char* per_hour = nullptr)
{
    const auto optional = [](const char* text) {
        return text ? std::optional<std::string>(text) : std::nullopt;
    };
    return {optional(per_request), optional(per_mtok), optional(per_hour)};
}

}  // namespace

TEST_CASE("prices come out exact, and derived fractions rounded up", "[controller][price]")
{
    struct good
    {
        const char* per_request;
        const char* per_mtok;
        const char* per_hour;
        unsigned decimals;
        const char* atomic;
        api::price_model model;
    };
    using api::price_model;
    const auto row = GENERATE(values<good>({
        {"0.01", nullptr, nullptr, 6, "10000", price_model::per_request},
        {"0.000001", nullptr, nullptr, 6, "1", price_model::per_request},
        {"1", nullptr, nullptr, 0, "1", price_model::per_request},
        {"0.1", nullptr, nullptr, 18, "100000000000000000", price_model::per_request},
        {"999999999999999999.999999",
         nullptr,
         nullptr,
         6,
         "999999999999999999999999",
         price_model::per_request},
        {"0.010000", nullptr, nullptr, 6, "10000", price_model::per_request},
        // 2.5 for a million tokens is 0.0025 for a thousand.
        {nullptr, "2.5", nullptr, 6, "2500", price_model::per_mtok},
        {nullptr, "0.0001", nullptr, 6, "1", price_model::per_mtok},
        {nullptr, "0.0011", nullptr, 6, "2", price_model::per_mtok},
        {nullptr, "0.000001", nullptr, 6, "1", price_model::per_mtok},
        // Five minutes of an hour.
        {nullptr, nullptr, "1.2", 6, "100000", price_model::per_hour},
        {nullptr, nullptr, "1", 6, "83334", price_model::per_hour},
        {nullptr, nullptr, "0.000001", 6, "1", price_model::per_hour},
        // The first of the three counts.
        {"0.5", "2.5", "1", 6, "500000", price_model::per_request},
        {nullptr, "2.5", "1", 6, "2500", price_model::per_mtok},
    }));
    const auto priced =
        price_of(price(row.per_request, row.per_mtok, row.per_hour), row.decimals, "spec.payment.price");
    REQUIRE(priced.has_value());
    CHECK(to_string(priced->atomic) == row.atomic);
    CHECK(priced->model == row.model);
    CHECK(priced->per_mtok == (row.model == price_model::per_mtok ? row.per_mtok : ""));
    CHECK(priced->approx_tokens == (row.model == price_model::per_mtok ? 1000 : 0));
}

TEST_CASE("a price that cannot be charged is refused, never taken for zero", "[controller][price]")
{
    struct bad
    {
        const char* written;
        const char* message;
    };
    const auto row = GENERATE(values<bad>({
        {"0,01", "not a decimal amount"},
        {"abc", "not a decimal amount"},
        {"", "not a decimal amount"},
        {" 1", "not a decimal amount"},
        {"-1", "not a decimal amount"},
        {"+1", "not a decimal amount"},
        {"1e3", "not a decimal amount"},
        {"0x10", "not a decimal amount"},
        {"1.", "not a decimal amount"},
        {".5", "not a decimal amount"},
        {"0.000000000000000000000000000001", "30 decimal places, but the asset has only 6"},
        {"0.0000001", "7 decimal places"},
        {"0", "is zero"},
        {"0.000", "is zero"},
        {"1157920892373161954235709850086879078532699846656405640394575840079131296399", "more than 2^256-1"},
    }));
    CAPTURE(row.written);
    for (const auto& [written, field] :
         {std::pair(price(row.written), "perRequest"),
          std::pair(price(nullptr, row.written), "perMTok"),
          std::pair(price(nullptr, nullptr, row.written), "perHour"),
          std::pair(price("1", row.written), "perMTok")})
    {
        const auto priced = price_of(written, 6, "spec.payment.price");
        REQUIRE(priced.has_error());
        CHECK(priced.error().code() == errc::invalid);
        CHECK_THAT(priced.error().message(), Catch::Matchers::Contains(row.message));
        CHECK_THAT(
            priced.error().message(), Catch::Matchers::StartsWith(std::string("spec.payment.price.") + field)
        );
    }
}

TEST_CASE("no price at all is refused with an example", "[controller][price]")
{
    const auto priced = price_of({}, 6, "spec.routes[3].price");
    REQUIRE(priced.has_error());
    CHECK_THAT(
        priced.error().message(),
        Catch::Matchers::Contains("spec.routes[3].price has no price: write perRequest")
    );
}
