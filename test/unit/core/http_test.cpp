#include "catch.hpp"
#include "run.hpp"

#include <portitor/core/http_client.hpp>
#include <portitor/core/http_server.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

using namespace portitor;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// A server on a free port whose handler the test gives, and a client.
struct world
{
    asio::io_context context;
    logger quiet{log_level::error, log_format::text};
    task_group tasks{context.get_executor(), quiet};
    std::unique_ptr<http::client> client =
        http::make_client(context.get_executor(), http::client_settings()).value();
    std::unique_ptr<http::server> server;
    http::origin origin;

    explicit world(http::handler answer, http::server_limits limits = {})
    {
        server = std::make_unique<http::server>(context.get_executor(), quiet, std::move(answer), limits);
        REQUIRE(server->listen("127.0.0.1:0").has_value());
        origin = {"http", "127.0.0.1", server->port()};
        tasks.spawn("server", server->run());
    }
    ~world()
    {
        test::run(context, server->drain(0ms));
        tasks.cancel();
        test::run(context, tasks.join());
    }

    result<http::response> get(const std::string& target, http::client_options options = {})
    {
        return test::run(context, client->send(origin, http::request(http::verb::get, target, 11), options));
    }

    // What the server answers to raw bytes, until it closes.
    std::string raw(const std::string& bytes) { return test::run(context, exchange(bytes)); }

    asio::awaitable<std::string> exchange(std::string bytes)
    {
        tcp::socket socket(context);
        const tcp::endpoint peer(asio::ip::make_address("127.0.0.1"), origin.port);
        co_await socket.async_connect(peer, asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
        std::string got;
        boost::system::error_code ec;
        co_await asio::async_read(
            socket, asio::dynamic_buffer(got), asio::redirect_error(asio::use_awaitable, ec)
        );
        co_return got;
    }
};

asio::awaitable<http::reply> echo(const http::request& message)
{
    co_return http::reply(http::make_response(http::status::ok, std::string(message.target())));
}

}  // namespace

TEST_CASE("a request is answered", "[core][http]")
{
    world w(echo);
    const auto answer = w.get("/a?b=c");
    REQUIRE(answer.has_value());
    CHECK(answer->result_int() == 200);
    CHECK(answer->body() == "/a?b=c");
}

TEST_CASE("requests in a row share one connection", "[core][http]")
{
    world w(echo);
    const std::string both =
        w.raw("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto first = both.find("/1");
    REQUIRE(first != both.npos);
    CHECK(both.find("/2", first) != both.npos);
}

TEST_CASE("what is too large or no HTTP is refused", "[core][http]")
{
    world w(echo);
    CHECK(w.raw("GET / HTTP/1.1\r\nX: " + std::string(70'000, 'a') + "\r\n\r\n").starts_with("HTTP/1.1 431"));
    CHECK(w.raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n").starts_with("HTTP/1.1 413"));
    CHECK(w.raw("NONSENSE\r\n\r\n").starts_with("HTTP/1.1 400"));
    CHECK(w.get("/still-there").has_value());
}

TEST_CASE("a handler that throws is a 500 without details", "[core][http]")
{
    world w([](const http::request&) -> asio::awaitable<http::reply> {
        throw std::runtime_error("secret");
        co_return http::reply(http::make_response(http::status::ok, ""));
    });
    // The log line of the error is part of the contract, not of this test.
    const auto answer = w.get("/");
    REQUIRE(answer.has_value());
    CHECK(answer->result_int() == 500);
    CHECK(answer->body().find("secret") == std::string::npos);
}

TEST_CASE("a slow server is given up on", "[core][http]")
{
    world w([](const http::request&) -> asio::awaitable<http::reply> {
        co_await sleep_for(2000ms);
        co_return http::reply(http::make_response(http::status::ok, ""));
    });
    http::client_options options;
    options.timeout = 100ms;
    const auto answer = w.get("/", options);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code() == errc::timed_out);
}

TEST_CASE("an answer that is too long is refused", "[core][http]")
{
    world w([](const http::request&) -> asio::awaitable<http::reply> {
        co_return http::reply(http::make_response(http::status::ok, std::string(5000, 'a')));
    });
    http::client_options options;
    options.max_body = 1000;
    const auto answer = w.get("/", options);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code() == errc::protocol);
}

TEST_CASE("nobody at the other end means that nothing was sent", "[core][http]")
{
    world w(echo);
    w.origin.port = 1;
    const auto answer = w.get("/");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code() == errc::unavailable);
}

TEST_CASE("the handler hears whether its answer arrived", "[core][http]")
{
    std::optional<bool> told;
    world w([&](const http::request&) -> asio::awaitable<http::reply> {
        co_await sleep_for(50ms);
        co_return http::reply(http::make_response(http::status::ok, ""), [&](bool delivered) {
            told = delivered;
        });
    });
    SECTION("it did")
    {
        REQUIRE(w.get("/").has_value());
        CHECK(told == true);
    }
    SECTION("the client had gone")
    {
        http::client_options options;
        options.timeout = 10ms;
        CHECK_FALSE(w.get("/", options).has_value());
        test::run(w.context, sleep_for(150ms));
        CHECK(told == false);
    }
}

TEST_CASE("a drain lets a running request finish", "[core][http]")
{
    world w([](const http::request&) -> asio::awaitable<http::reply> {
        co_await sleep_for(200ms);
        co_return http::reply(http::make_response(http::status::ok, "done"));
    });
    std::optional<result<http::response>> answer;
    w.tasks.spawn(
        "request",
        [](world& in, std::optional<result<http::response>>& into) -> asio::awaitable<void> {
            into.emplace(co_await in.client->send(
                in.origin, http::request(http::verb::get, "/", 11), http::client_options()
            ));
        }(w, answer)
    );
    test::run(w.context, sleep_for(50ms));
    test::run(w.context, w.server->drain(5000ms));
    test::run(w.context, sleep_for(20ms));
    REQUIRE(answer.has_value());
    REQUIRE(answer->has_value());
    CHECK((*answer)->body() == "done");
}

TEST_CASE("an endless body is read in pieces", "[core][http]")
{
    world w([](const http::request&) -> asio::awaitable<http::reply> {
        co_return http::reply(http::make_response(http::status::ok, std::string(100'000, 'x')));
    });
    auto stream = test::run(
        w.context, w.client->open(w.origin, http::request(http::verb::get, "/", 11), http::client_options())
    );
    REQUIRE(stream.has_value());
    CHECK((*stream)->status_code() == 200);
    std::string all;
    for (;;)
    {
        auto piece = test::run(w.context, (*stream)->read_some(1000ms));
        REQUIRE(piece.has_value());
        if (piece->empty())
            break;
        all += *piece;
    }
    CHECK(all == std::string(100'000, 'x'));
}

TEST_CASE("an address to listen on is checked", "[core][http]")
{
    asio::io_context context;
    http::server server(context.get_executor(), logger(), echo);
    for (const char* text : {"", "nowhere", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "host.example:80"})
    {
        INFO(text);
        CHECK_FALSE(server.listen(text).has_value());
    }
}

TEST_CASE("URLs are split, and odd ones refused", "[core][http]")
{
    const auto url = http::parse_url("https://example.com:8443/a/b?c=d");
    REQUIRE(url.has_value());
    CHECK(url->origin == http::origin{"https", "example.com", 8443});
    CHECK(url->target == "/a/b?c=d");
    CHECK(http::parse_url("http://example.com")->target == "/");
    CHECK(http::parse_url("http://[::1]:80/")->origin.authority() == "[::1]");
    for (const char* text :
         {"",
          "example.com",
          "ftp://a/",
          "http://",
          "http://u:p@a/",
          "http://a/#b",
          "http://a:0/",
          "http://a:99999/",
          "http://127.0.0.1.example.com/"})
    {
        INFO(text);
        CHECK_FALSE(http::parse_url(text).has_value());
    }
}
