#include "catch.hpp"

#include <portitor/api/names.hpp>

#include <set>

using namespace portitor::api;

TEST_CASE("children are named after their offer", "[api][names]")
{
    CHECK(middleware_name("hello") == "x402-hello");
    CHECK(http_route_name("hello") == "so-hello");
    CHECK(payment_route_name("hello") == "hello-payment");
    CHECK(registration_name("hello") == "hello-registration");
}

TEST_CASE("no child's name is longer than a name may be, and no two offers share one", "[api][names]")
{
    CHECK(cors_middleware_name("hello") == "cors-hello");
    for (auto* name :
         {middleware_name, cors_middleware_name, http_route_name, payment_route_name, registration_name})
    {
        std::set<std::string> seen;
        for (std::size_t length = 230; length <= 253; ++length)
        {
            for (const char last : {'a', 'b'})
            {
                const std::string child = name(std::string(length - 1, 'a') + last);
                CHECK(child.size() <= 253);
                CHECK(seen.insert(child).second);
            }
        }
    }
}

TEST_CASE("an offer named like a shortened child does not get that name", "[api][names]")
{
    const std::string shortened = middleware_name(std::string(253, 'a'));
    REQUIRE(shortened.size() == 253);
    const std::string twin = shortened.substr(5);
    CHECK(middleware_name(twin) != shortened);
}

TEST_CASE("a name that is cut at a point or dash stays a DNS name", "[api][names]")
{
    for (std::size_t at = 200; at < 250; ++at)
    {
        std::string offer(253, 'a');
        offer[at] = '.';
        const std::string child = registration_name(offer);
        CHECK(child.find(".-") == child.npos);
        CHECK(child.size() == 253);
    }
}

TEST_CASE("label values hold at most 63 characters", "[api][names]")
{
    CHECK(label_value("hello") == "hello");
    CHECK(label_value(std::string(63, 'a')) == std::string(63, 'a'));
    CHECK(label_value(std::string(64, 'a')).size() == 63);
    CHECK(label_value(std::string(64, 'a')) != label_value(std::string(65, 'a')));
}

TEST_CASE("SHA-256 as in its standard", "[api][names]")
{
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex("abc", 8) == "ba7816bf");
}
