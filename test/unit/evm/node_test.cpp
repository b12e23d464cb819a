#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"
#include "scripted_client.hpp"

#include <portitor/evm/node.hpp>

#include <map>

using namespace portitor;
using namespace portitor::evm;
namespace json = boost::json;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// Three nodes, each of which answers as it is told.
struct fixture
{
    enum class mood
    {
        good,
        dead,
        busy,      ///< an error that says so
        reverts,   ///< the contract's word
        elsewhere  ///< it is one of another chain
    };

    boost::asio::io_context context;
    test::manual_timekeeper time;
    scripted_client client;
    std::map<std::string, mood> moods;
    std::vector<std::string> urls{"https://a.test/k1", "https://b.test/k2", "https://c.test/k3"};

    fixture()
    {
        client.script = [this](const scripted_client::seen& asked) -> scripted_client::answer {
            const mood now = moods[asked.host];
            if (now == mood::dead)
                return fail(errc::unavailable, "{} is not there", asked.host);
            if (rpc_method(asked) == "eth_chainId")
                return rpc_answer(asked, {{"result", now == mood::elsewhere ? "0x1" : "0x2105"}});
            if (now == mood::busy)
                return rpc_answer(asked, refusal(-32005, "rate limit exceeded, key k1"));
            if (now == mood::reverts)
                return rpc_answer(asked, refusal(3, "execution reverted: Not \x1b authorized"));
            return rpc_answer(asked, {{"result", asked.host}});
        };
    }

    static json::object refusal(int code, const char* message)
    {
        return {{"error", json::object{{"code", code}, {"message", message}}}};
    }

    rpc_result<json::value> call(node& on)
    {
        return test::run(context, on.call("eth_blockNumber", {}, seconds(3)));
    }

    node make() { return node::make(client, time, 8453, urls).value(); }
};

using mood = fixture::mood;

}  // namespace

TEST_CASE("a chain's first node is asked, once it has said which chain it is of", "[evm][node]")
{
    fixture f;
    node chain = f.make();
    CHECK(f.call(chain).value() == "a.test");
    CHECK(f.call(chain).value() == "a.test");
    REQUIRE(f.client.requests.size() == 3);
    CHECK(rpc_method(f.client.requests[0]) == "eth_chainId");
}

TEST_CASE("a node that fails gives way to the next one, and to the first again after a minute", "[evm][node]")
{
    const mood failure = GENERATE(mood::dead, mood::busy, mood::elsewhere);
    fixture f;
    node chain = f.make();
    REQUIRE(f.call(chain).has_value());
    f.moods["a.test"] = failure == mood::elsewhere ? mood::dead : failure;
    CHECK(f.call(chain).value() == "b.test");
    // Back, as one of another chain: it is asked again which one it is.
    f.moods["a.test"] = failure == mood::elsewhere ? mood::elsewhere : mood::good;
    f.time.advance(minutes(1) - seconds(1));
    CHECK(f.call(chain).value() == "b.test");
    f.time.advance(seconds(2));
    CHECK(f.call(chain).value() == (failure == mood::elsewhere ? "b.test" : "a.test"));
}

TEST_CASE("each node is asked once, and the last one's failure is told without its key", "[evm][node]")
{
    fixture f;
    node chain = f.make();
    SECTION("none is there")
    {
        f.moods = {{"a.test", mood::dead}, {"b.test", mood::dead}, {"c.test", mood::dead}};
        const auto answer = f.call(chain);
        CHECK(answer.error().code() == errc::unavailable);
        CHECK_THAT(answer.error().message(), !Catch::Contains(".test") && !Catch::Contains("k1"));
        CHECK(f.client.requests.size() == 3);
    }
    SECTION("all are of another chain")
    {
        f.moods = {{"a.test", mood::elsewhere}, {"b.test", mood::elsewhere}, {"c.test", mood::elsewhere}};
        const auto answer = f.call(chain);
        CHECK(answer.error().code() == errc::invalid);
        CHECK_THAT(answer.error().message(), Catch::Contains("chain 1, and not of chain 8453"));
    }
}

TEST_CASE("what the chain refuses is an answer, and no other node is asked", "[evm][node]")
{
    fixture f;
    node chain = f.make();
    f.moods["a.test"] = mood::reverts;
    const auto answer = f.call(chain);
    CHECK(answer.error().code() == errc::refused);
    CHECK(answer.error().refusal() == rpc_refusal::reverted);
    CHECK(answer.error().revert() == "Not ? authorized");
    CHECK(f.client.requests.back().host == "a.test");
}

TEST_CASE("a chain needs URLs, each of them one", "[evm][node]")
{
    fixture f;
    f.urls.clear();
    CHECK_FALSE(node::make(f.client, f.time, 1, f.urls).has_value());
    f.urls = {"https://a.test", "b"};
    CHECK_FALSE(node::make(f.client, f.time, 1, f.urls).has_value());
    f.urls = {"http://a.test"};
    CHECK_FALSE(node::make(f.client, f.time, 1, f.urls).has_value());
    CHECK(node::make(f.client, f.time, 1, f.urls, rpc_transport::http_too).has_value());
}
