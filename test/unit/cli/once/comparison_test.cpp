#include "catch.hpp"
#include "cli/once/comparison.hpp"
#include "cli/once/secrets.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

using namespace portitor;
using namespace portitor::cli::once;

namespace {

const x402::network_table known = x402::network_table::built_in();

std::vector<charge> theirs(const std::string& routes)
{
    const auto read = read_predecessor(
        "wallet: '0xAA'\nchain: base-sepolia\nfacilitatorURL: https://f.example/\nroutes:\n" + routes, known
    );
    REQUIRE(read.has_value());
    return *read;
}

charge ours(const std::string& pattern, const char* atomic, const char* model = "perRequest")
{
    const x402::network* base = known.find("base-sepolia");
    charge out;
    out.pattern = pattern;
    out.atomic = parse_u256(atomic).value();
    out.network = base->caip2;
    out.asset = base->default_token()->address;
    out.pay_to = "0xaa";
    out.facilitator = "https://f.example";
    out.model = model;
    return out;
}

compared_route one(const std::string& route, const charge& here)
{
    auto all = compare_charges(theirs(route), {here}, {}, known);
    REQUIRE(all.size() == 1);
    mask_secrets(all);
    return all.front();
}

}  // namespace

TEST_CASE("the predecessor's prices are read as it reads them", "[cli][once][compare]")
{
    const std::pair<const char*, const char*> cases[] = {
        {"0.001", "1000"},
        {"\"2\"", "2000000"},
        {"0.0000005", "1"},
        {"0.0000004", "0"},
        {"0.1234565", "123457"},
        {"0.0000000000000000000000000000000001", "0"},
        {"123456789012345678901234567890.1", "123456789012345678901234567890100000"}};
    for (const auto& [written, atomic] : cases)
    {
        const auto read = theirs(std::string("- {pattern: /a/*, price: ") + written + "}\n");
        CHECK(to_string(read.front().atomic) == atomic);
        CHECK(read.front().free == (std::string(atomic) == "0"));
        CHECK(read.front().wrong.empty());
    }
    for (const char* written : {"1e-3", "-1", ".5", "1.", "abc", "0x10"})
        CHECK(!theirs(std::string("- {pattern: /a/*, price: ") + written + "}\n").front().wrong.empty());
    // The largest amount, and one that rounding takes beyond it.
    const std::string largest =
        "115792089237316195423570985008687907853269984665640564039457584007913129.639935";
    CHECK(
        theirs("- {pattern: /a/*, price: " + largest + "4}\n").front().atomic ==
        std::numeric_limits<u256>::max()
    );
    const charge beyond = theirs("- {pattern: /a/*, price: " + largest + "5}\n").front();
    CHECK(beyond.wrong.find("more than 256 bits") != std::string::npos);
    CHECK(!beyond.free);
    CHECK(theirs("- {pattern: /a/*}\n").front().free);
    CHECK(!read_predecessor("[]", known));
    CHECK(!read_predecessor("a: [", known));
    CHECK(read_predecessor("wallet: ''\n", known).value().empty());
}

TEST_CASE("a route takes from the top level what it lacks", "[cli][once][compare]")
{
    const auto read = theirs(
        "- {pattern: /a/*, price: 1, offerNamespace: shop, offerName: hello, upstreamAuth: Bearer secret}\n"
        "- {pattern: /b/*, price: 1, network: base, payTo: '0xBB', priceModel: perHour}\n"
        "- {pattern: /c/*, price: 1, network: nowhere}\n"
    );
    CHECK(read[0].network == "eip155:84532");
    CHECK(read[0].pay_to == "0xAA");
    CHECK(read[0].offer == "shop/hello");
    CHECK(read[1].network == "eip155:8453");
    CHECK(read[1].pay_to == "0xBB");
    CHECK(read[1].model == "perHour");
    CHECK(read[2].wrong == "network \"nowhere\" is not known");
}

TEST_CASE("routes are the same, or the difference is told", "[cli][once][compare]")
{
    CHECK(one("- {pattern: /a/*, price: 0.001}\n", ours("/a/*", "1000")).same());

    const auto dear = one("- {pattern: /a/*, price: 0.002, payTo: '0xBB'}\n", ours("/a/*", "1000"));
    CHECK(
        dear.differences ==
        std::vector<std::string>{
            "price: there 0.002 USDC on Base Sepolia, here 0.001 USDC on Base Sepolia",
            "paid to: there 0xBB, here 0xaa"}
    );
    const auto elsewhere = one("- {pattern: /a/*, price: 0.001, network: base}\n", ours("/a/*", "1000"));
    CHECK(elsewhere.differences == std::vector<std::string>{"network: there eip155:8453, here eip155:84532"});

    charge other = ours("/a/*", "1000");
    other.facilitator = "https://g.example?key=1";
    CHECK(
        one("- {pattern: /a/*, price: 0.001}\n", other).differences ==
        std::vector<std::string>{"facilitator: there https://f.example/, here https://g.example?key=***"}
    );
}

TEST_CASE("known rules explain a difference", "[cli][once][compare]")
{
    // As large as can be.
    const std::string large =
        "115792089237316195423570985008687907853269984665640564039457584007913129.639935";
    CHECK(one("- {pattern: /a/*, price: " + large + "}\n", ours("/a/*", "1000", "perMTok")).remarks.empty());
    const auto remark = [](const compared_route& of, const std::string& words) {
        CHECK(!of.same());
        return !of.remarks.empty() && of.remarks.front().find(words) != std::string::npos;
    };
    CHECK(remark(
        one("- {pattern: /a/*, price: 7, priceModel: perHour}\n", ours("/a/*", "583334", "perHour")),
        "price of an hour"
    ));
    CHECK(remark(
        one("- {pattern: /a/*, price: 2.5, priceModel: perMTok}\n", ours("/a/*", "2500", "perMTok")),
        "million tokens"
    ));
    CHECK(remark(one("- {pattern: /a/*, price: 0.0000014}\n", ours("/a/*", "2")), "half up"));
    CHECK(remark(one("- {pattern: /a/*, price: 0}\n", ours("/a/*", "2")), "gives the route away"));
}

TEST_CASE("what one side has alone is told, and what covers it", "[cli][once][compare]")
{
    charge free = ours("/a/docs", "0");
    free.free = true;
    const auto all = compare_charges(
        theirs("- {pattern: /a/*, price: 0.001}\n- {pattern: /b/*, price: 1}\n- {pattern: /d/*, price: 1}\n"),
        {ours("/a/*", "1000"), free, ours("/c/*", "1")},
        {{"/d/*", "shop/d", "ServiceOffer shop/d is not sold here"}},
        known
    );
    REQUIRE(all.size() == 5);
    CHECK(all[0].same());
    CHECK(all[1].pattern == "/a/docs");
    CHECK(all[1].remarks == std::vector<std::string>{"there it is /a/*"});
    CHECK(all[1].differences.front() == "price: there 0.001 USDC on Base Sepolia, here free");
    CHECK((all[2].pattern == "/b/*" && all[2].there && !all[2].here));
    CHECK((all[3].pattern == "/c/*" && !all[3].there && all[3].here));
    CHECK(all[4].remarks == std::vector<std::string>{"ServiceOffer shop/d is not sold here"});
    std::vector<compared_route> some = all;
    some[3].here->offer = "shop/c";
    keep_routes_of(some, {"shop/c", "shop/d"});
    REQUIRE(some.size() == 2);
    CHECK((some[0].pattern == "/c/*" && some[1].pattern == "/d/*"));
    std::ostringstream out;
    show_comparison(out, all, known, cli::palette(false));
    CHECK(out.str().find("Routes: 1 the same, 1 differ, 2 only there, 1 only here\n") != std::string::npos);
}
