#include "catch.hpp"
#include "cli/sell/checked_address.hpp"
#include "cli/sell/offer_flags.hpp"
#include "cli/sell/route_text.hpp"
#include "cli/sell/upstream_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cstdlib>
#include <sstream>

using namespace portitor;
using namespace portitor::cli::sell;
namespace json = boost::json;

namespace {

constexpr const char* seller = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";

struct given_offer
{
    offer_flags flags;
    config::loader loader{"portitor", "Tests flags.", ""};

    explicit given_offer(api::offer_type type, const std::vector<std::string>& words) : flags(type)
    {
        flags.declare(loader);
        std::vector<const char*> argv{"portitor"};
        for (const std::string& each : words)
            argv.push_back(each.c_str());
        std::ostringstream out;
        read = loader.load(static_cast<int>(argv.size()), argv.data(), out);
    }

    result<config::outcome> read = config::outcome::run;
};

/// The spec as JSON, or the error.
std::string spec_of(
    const std::vector<std::string>& words,
    const std::string& base = "{}",
    api::offer_type type = api::offer_type::http
)
{
    const given_offer given(type, words);
    if (!given.read)
        return given.read.error().message();
    const auto spec = given.flags.make_spec(json::parse(base).as_object());
    return spec ? json::serialize(*spec) : spec.error().message();
}

std::string upstream_of(const std::string& text)
{
    const auto read = read_upstream(text);
    return read ? fmt::format("{}/{}/{}", read->service, read->ns, read->port) : "error";
}

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an upstream is a Service, in each of the ways that people write one", "[cli][sell]")
{
    CHECK(upstream_of("hello") == "hello//0");
    CHECK(upstream_of("hello:9000") == "hello//9000");
    CHECK(upstream_of("hello.sellers") == "hello/sellers/0");
    CHECK(upstream_of("hello.sellers.svc") == "hello/sellers/0");
    CHECK(upstream_of("http://hello.sellers.svc.cluster.local:80/") == "hello/sellers/80");
    CHECK(upstream_of("hello.sellers.svc.cluster.local.") == "hello/sellers/0");
}

TEST_CASE("an upstream outside of the cluster is refused", "[cli][sell]")
{
    for (const char* text :
         {"",
          "localhost:11434",
          "10.0.0.7",
          "[::1]:80",
          "api.example.com",
          "hello.sellers.svc.example.org",
          "https://hello",
          "http://hello/path",
          "Hello",
          "hello:0",
          "hello:65536",
          "hello:x",
          "a b",
          "-a",
          "a..b"})
    {
        CAPTURE(text);
        CHECK(upstream_of(text) == "error");
    }
    CHECK(has(read_upstream("api.example.com").error().message(), "no Service of the cluster"));
}

TEST_CASE("an address of both cases has a checksum", "[cli][sell]")
{
    // The examples of EIP-55.
    for (const char* good :
         {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
          "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
          "0x52908400098527886E0F7030069857D2E4169EE7",
          "0xde709f2102306220921060314715629080e2fb77"})
        CHECK(checked_address(good).value() == good);
    const auto wrong = checked_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAEd");
    REQUIRE(!wrong);
    CHECK(has(wrong.error().message(), "EIP-55"));
    CHECK(!checked_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe"));
    CHECK(!checked_address("0x0000000000000000000000000000000000000000"));
}

TEST_CASE("a route is keys and values", "[cli][sell]")
{
    CHECK(
        json::serialize(read_route("path=/x,gate=paid,price=0.5").value()) ==
        R"({"path":"/x","gate":"paid","price":{"perRequest":"0.5"}})"
    );
    CHECK(
        json::serialize(read_route("path=/m,per-mtok=2").value()) ==
        R"({"path":"/m","price":{"perMTok":"2"}})"
    );
    for (const char* text :
         {"",
          "gate=free",
          "path=/x,gate=auth",
          "path=/x,path=/y",
          "path=/x,price=1,price=2",
          "path=/x,price=1,per-hour=2",
          "path=",
          "/x",
          "path=/x,colour=red"})
    {
        CAPTURE(text);
        CHECK(!read_route(text));
    }
    CHECK(
        has(read_route("path=/x,methods=GET").error().message(),
            "write spec.routes[].methods into the offer's manifest")
    );
    CHECK(has(read_route("path=/x,summary=s").error().message(), "--description"));
    CHECK(has(read_route("path=/x,freeQuota=5").error().message(), "gate=free"));
    CHECK(has(read_route("path=/x,gate=auth").error().message(), "signs in"));
}

TEST_CASE("the flags of both generations make the same offer", "[cli][sell]")
{
    const std::string wanted =
        R"({"type":"http","upstream":{"service":"hello","namespace":"sellers","port":9000},)"
        R"("payment":{"network":"base","price":{"perRequest":"0.001"},"payTo":")" +
        std::string(seller) + R"("}})";
    CHECK(
        spec_of(
            {"--upstream", "hello.sellers:9000", "--price", "0.001", "--chain", "base", "--pay-to", seller}
        ) == wanted
    );
    CHECK(
        spec_of(
            {"--upstream",
             "hello",
             "--upstream-namespace",
             "sellers",
             "--port",
             "9000",
             "--per-request",
             "0.001",
             "--network",
             "base",
             "--wallet",
             seller,
             "--no-register"}
        ) == wanted
    );
}

TEST_CASE("what is left out of the flags is what it was with the predecessor", "[cli][sell]")
{
    const std::vector<std::string> least{"--upstream", "hello", "--price", "1", "-w", seller};
    CHECK(has(spec_of(least), R"("port":8080)"));
    CHECK(has(spec_of(least), R"("network":"base-sepolia")"));
    CHECK(!has(spec_of(least), "registration"));
    const std::string model = spec_of(
        {"--upstream", "ollama", "--model", "llama3", "-w", seller}, "{}", api::offer_type::inference
    );
    CHECK(has(model, R"("port":11434)"));
    CHECK(has(model, R"("perRequest":"0.001")"));
    CHECK(has(model, R"("model":{"name":"llama3"})"));
}

TEST_CASE("flags go before a file", "[cli][sell]")
{
    const std::string base =
        R"({"upstream":{"service":"a","port":1,"healthPath":"/h"},"hostname":"x.example.com",)"
        R"("payment":{"network":"base","payTo":"0x00000000000000000000000000000000000000ab",)"
        R"("price":{"perHour":"5"}},"registration":{"enabled":true}})";
    const std::string spec = spec_of({"--price", "0.5", "--no-register"}, base);
    CHECK(has(spec, R"("price":{"perRequest":"0.5"})"));
    CHECK(has(spec, R"("enabled":false)"));
    CHECK(has(spec, R"("healthPath":"/h")"));
    CHECK(has(spec, R"("network":"base")"));
    CHECK(has(spec, R"("port":1)"));
}

TEST_CASE("each flag that is wrong or missing is named", "[cli][sell]")
{
    unsetenv("X402_WALLET");
    const std::vector<std::string> good{"--upstream", "hello", "--price", "1", "-w", seller};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.end(), good.begin(), good.end());
        return spec_of(more);
    };
    CHECK(has(spec_of({"--price", "1", "-w", seller}), "--upstream SERVICE is missing"));
    CHECK(has(spec_of({"--upstream", "a", "-w", seller}), "--price AMOUNT is missing"));
    CHECK(has(spec_of({"--upstream", "a", "--price", "1"}), "--pay-to 0x… is missing"));
    CHECK(has(with({"--per-hour", "2"}), "--price and --per-hour are given"));
    CHECK(
        has(spec_of({"--upstream", "a", "-w", seller, "--per-mtok", "1", "--per-hour", "2"}),
            "--per-mtok and --per-hour are given")
    );
    CHECK(has(with({"--description", "a", "--register", "--register-description", "b"}), "are the same"));
    CHECK(has(with({"--register", "--register-chain", "base,base-sepolia"}), "write one of them"));
    CHECK(has(with({"--port", "0"}), "--port: \"0\" is no number"));
    CHECK(
        has(spec_of({"--upstream", "a:1", "--port", "2", "--price", "1", "-w", seller}), "write one of them")
    );
    CHECK(has(with({"--max-timeout", "1d"}), "--max-timeout"));
    CHECK(has(with({"--register-name", "x"}), "give --register too"));
    CHECK(has(with({"--register", "--no-register"}), "give one of them"));
    CHECK(has(with({"--register", "--register-metadata", "x"}), "--register-metadata"));
    CHECK(has(with({"--obol-token", "--token", "USDC"}), "give one of them"));
    CHECK(has(with({"--route", "gate=free"}), "--route: path is missing"));
    CHECK(has(with({"--provenance-file", "x"}), "--provenance-file"));
    CHECK(has(with({"--token", "0x12"}), "--token"));
    CHECK(has(spec_of({"--vm", "--listen", ":1"}, "{}", api::offer_type::inference), "Portitor starts none"));
    CHECK(
        has(spec_of({"--upstream", "a", "-w", seller}, "{}", api::offer_type::inference),
            "--model MODEL is missing")
    );
}

TEST_CASE("the wallet may come from the environment", "[cli][sell]")
{
    setenv("X402_WALLET", seller, 1);
    CHECK(has(spec_of({"--upstream", "hello", "--price", "1"}), seller));
    setenv("X402_WALLET", "0x1", 1);
    CHECK(has(spec_of({"--upstream", "hello", "--price", "1"}), "X402_WALLET"));
    unsetenv("X402_WALLET");
}

TEST_CASE("how it appears as an agent", "[cli][sell]")
{
    CHECK(
        has(spec_of(
                {"--upstream",
                 "hello",
                 "--price",
                 "1",
                 "-w",
                 seller,
                 "--register",
                 "--register-name",
                 "Hello",
                 "--register-skills",
                 "a,b",
                 "--register-skills",
                 "c",
                 "--register-metadata",
                 "k=v=w",
                 "--register-agent-id",
                 "0",
                 "--register-private-key-secret",
                 "own-key"}
            ),
            R"("registration":{"enabled":true,"name":"Hello","agentId":"0",)"
            R"("privateKeySecret":{"name":"own-key"},"skills":["a","b","c"],"metadata":{"k":"v=w"}})")
    );
}
