#include "catch.hpp"
#include "run.hpp"

#include <portitor/evm/json_rpc.hpp>

#include <boost/json/parse.hpp>

#include <optional>
#include <vector>

using namespace portitor;
using namespace portitor::evm;

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

// Answers every request alike and keeps the last one.
struct canned_client final : http::client
{
    std::optional<error> failure;
    unsigned status = 200;
    std::string body;

    http::origin server;
    http::request message;
    http::client_options options;
    int requests = 0;

    asio::awaitable<result<http::response>>
    send(http::origin to, http::request request, http::client_options with) override
    {
        ++requests;
        server = std::move(to);
        message = std::move(request);
        options = with;
        if (failure)
            co_return *failure;
        co_return http::make_response(static_cast<http::status>(status), body, "application/json");
    }

    asio::awaitable<result<std::unique_ptr<http::body_stream>>>
    open(http::origin, http::request, http::client_options) override
    {
        co_return fail(errc::invalid, "a node has nothing to stream");
    }

    result<void> use_tls(const http::tls_settings&) override
    {
        return fail(errc::invalid, "a node has no certificates of its own");
    }
};

struct fixture
{
    asio::io_context context;
    canned_client client;
    json_rpc rpc = json_rpc::make(client, "https://node.test/v2/secret?key=secret").value();

    result<json::value> call(unsigned status, std::string body)
    {
        client.status = status;
        client.body = std::move(body);
        json::array params;
        params.emplace_back("latest");
        return portitor::test::run(
            context, rpc.call("eth_blockNumber", std::move(params), std::chrono::seconds(3))
        );
    }
};

}  // namespace

TEST_CASE("a call is one POST with an id of its own", "[evm][rpc]")
{
    fixture f;
    const auto first = f.call(200, R"({"jsonrpc":"2.0","id":1,"result":"0x10"})");
    CHECK(first.value() == json::value("0x10"));
    CHECK(f.client.server.to_string() == "https://node.test");
    CHECK(f.client.message.method() == http::verb::post);
    CHECK(f.client.message.target() == "/v2/secret?key=secret");
    CHECK(f.client.message[http::field::host] == "node.test");
    CHECK(f.client.message[http::field::content_type] == "application/json");
    CHECK(f.client.options.timeout == std::chrono::seconds(3));
    CHECK(f.client.options.max_body == 256 * 1024);
    CHECK(
        json::parse(f.client.message.body()) ==
        json::parse(R"({"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":["latest"]})")
    );
    CHECK(f.call(200, R"({"jsonrpc":"2.0","id":2,"result":null})").value().is_null());
    CHECK(f.call(200, R"({"jsonrpc":"2.0","id":3,"result":[],"error":null})").value().is_array());
}

TEST_CASE("an error of the node is told by its number", "[evm][rpc]")
{
    fixture f;
    for (const unsigned status : {200U, 400U})
    {
        const std::string id = std::to_string(f.client.requests + 1);
        const auto answer = f.call(
            status, R"({"jsonrpc":"2.0","id":)" + id + R"(,"error":{"code":-32005,"message":"secret"}})"
        );
        REQUIRE(answer.has_error());
        CHECK(answer.error().code() == errc::refused);
        CHECK(answer.error().message() == "eth_blockNumber: the node answers with error -32005");
    }
    const auto early = f.call(200, R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700}})");
    CHECK(early.error().code() == errc::refused);
}

TEST_CASE("what is no answer to the call is refused", "[evm][rpc]")
{
    const char* answers[] = {
        "",
        "<html>secret</html>",
        "[]",
        R"([{"jsonrpc":"2.0","id":1,"result":"0x1"}])",
        R"({"id":1,"result":"0x1"})",
        R"({"jsonrpc":2.0,"id":1,"result":"0x1"})",
        R"({"jsonrpc":"1.0","id":1,"result":"0x1"})",
        R"({"jsonrpc":"2.0","result":"0x1"})",
        R"({"jsonrpc":"2.0","id":2,"result":"0x1"})",
        R"({"jsonrpc":"2.0","id":"1","result":"0x1"})",
        R"({"jsonrpc":"2.0","id":null,"result":"0x1"})",
        R"({"jsonrpc":"2.0","id":1})",
        R"({"jsonrpc":"2.0","id":1,"error":"secret"})",
        R"({"jsonrpc":"2.0","id":1,"error":{"code":"-1"}})",
        R"({"jsonrpc":"2.0","id":1,"result":"0x1"} x)",
    };
    for (const char* answer : answers)
    {
        INFO(answer);
        fixture f;
        const auto odd = f.call(200, answer);
        REQUIRE(odd.has_error());
        CHECK(odd.error().code() == errc::protocol);
        CHECK(odd.error().message().find("secret") == std::string::npos);
        for (const unsigned status : {429U, 502U})
        {
            fixture g;
            CHECK(g.call(status, answer).error().code() == errc::unavailable);
        }
    }
}

TEST_CASE("failures to reach the node keep their kind and tell no key", "[evm][rpc]")
{
    for (const errc code : {errc::unavailable, errc::timed_out, errc::protocol, errc::canceled})
    {
        fixture f;
        f.client.failure = error(code, "https://secret.node.test: no");
        const auto answer = f.call(200, "");
        CHECK(answer.error().code() == code);
        CHECK(answer.error().message().find("secret") == std::string::npos);
    }
}

TEST_CASE("a node is reached over https, or as the caller allows", "[evm][rpc]")
{
    canned_client client;
    CHECK(json_rpc::make(client, "https://node.test").has_value());
    CHECK(json_rpc::make(client, "http://127.0.0.1:8545").has_error());
    CHECK(json_rpc::make(client, "http://127.0.0.1:8545", rpc_transport::http_too).has_value());
    for (const char* url : {"", "node.test", "ftp://node.test", "wss://node.test/secret"})
    {
        const auto made = json_rpc::make(client, url, rpc_transport::http_too);
        REQUIRE(made.has_error());
        CHECK(made.error().code() == errc::invalid);
        CHECK(made.error().message().find("secret") == std::string::npos);
    }
}

TEST_CASE("quantities are read as the specification writes them", "[evm][rpc]")
{
    CHECK(parse_quantity("0x0").value() == 0);
    CHECK(parse_quantity("0x41").value() == 65);
    CHECK(parse_quantity("0xAbC").value() == 0xabc);
    CHECK(parse_quantity("0x" + std::string(64, 'f')).value() == (std::numeric_limits<u256>::max)());
    for (const char* text : {"", "0x", "0", "0x00", "0x01", "41", "0X1", "0x1g", "-0x1", " 0x1", "0x1 "})
    {
        INFO(text);
        CHECK(parse_quantity(text).has_error());
    }
    CHECK(parse_quantity("0x1" + std::string(64, '0')).has_error());
    CHECK(to_quantity(0) == "0x0");
    CHECK(to_quantity(255) == "0xff");
}
