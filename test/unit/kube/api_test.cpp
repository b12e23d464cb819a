#include "catch.hpp"
#include "files.hpp"
#include "run.hpp"

#include <portitor/core/http_server.hpp>
#include <portitor/kube/api.hpp>

#include <boost/json/parse.hpp>

#include <deque>
#include <memory>
#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::kube;
using namespace std::chrono_literals;
using portitor::test::run;
using portitor::test::temp_folder;
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr resource widgets{"test.example", "v1", "widgets", "Widget"};
constexpr resource services{"", "v1", "services", "Service"};

// An API server that keeps every request and answers what the test says, one answer after the other.
struct fixture
{
    asio::io_context context;
    metrics numbers;
    logger log{log_level::error, log_format::text};
    temp_folder folder;
    std::vector<http::request> seen;
    std::deque<http::response> answers;

    http::server served{
        context.get_executor(), log, [this](const http::request& message) { return answer(message); }};
    task_group tasks{context.get_executor(), log};
    std::unique_ptr<api> server;

    explicit fixture(bearer_token token = bearer_token::fixed("tok-1"))
    {
        REQUIRE(served.listen("127.0.0.1:0").has_value());
        tasks.spawn("server", served.run());
        connection_config config;
        config.server = {"http", "127.0.0.1", served.port()};
        config.token = std::move(token);
        server = make_api(context.get_executor(), std::move(config), log, numbers).value();
    }

    ~fixture()
    {
        server.reset();
        run(context, finish());
    }

    asio::awaitable<void> finish()
    {
        co_await served.drain(1s);
        co_await tasks.join();
    }

    asio::awaitable<http::reply> answer(const http::request& message)
    {
        seen.push_back(message);
        if (answers.empty())
            co_return http::reply(http::make_response(http::status::not_implemented, "no answer is left"));
        auto next = std::move(answers.front());
        answers.pop_front();
        co_return http::reply(std::move(next));
    }

    http::response& reply(unsigned status, std::string body)
    {
        answers.push_back(http::make_response(http::status(status), std::move(body), "application/json"));
        return answers.back();
    }

    std::string target(std::size_t index = 0) const { return std::string(seen.at(index).target()); }
    std::string header(http::field name, std::size_t index = 0) const
    {
        return std::string(seen.at(index)[name]);
    }
    json::value body(std::size_t index = 0) const { return json::parse(seen.at(index).body()); }
};

const std::string widget =
    R"({"metadata":{"namespace":"shop","name":"w","uid":"u-1","resourceVersion":"7"}})";

std::string status(int code, const std::string& reason, const std::string& message)
{
    return R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":)" + std::to_string(code) +
           R"(,"reason":")" + reason + R"(","message":")" + message + R"("})";
}

asio::awaitable<std::string> read_all(http::body_stream& stream)
{
    std::string all;
    for (;;)
    {
        auto piece = co_await stream.read_some(1s);
        if (!piece || piece->empty())
            co_return all;
        all += *piece;
    }
}

}  // namespace

TEST_CASE("a get asks for one object with the token", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    const auto got = run(f.context, f.server->get(widgets, {"shop", "w"}));
    REQUIRE(got.has_value());
    CHECK((*got)->meta.uid == "u-1");
    CHECK(f.seen.at(0).method() == http::verb::get);
    CHECK(f.target() == "/apis/test.example/v1/namespaces/shop/widgets/w");
    CHECK(f.header(http::field::authorization) == "Bearer tok-1");
    CHECK(f.header(http::field::accept) == "application/json");
}

TEST_CASE("the core group and cluster-wide objects have their own paths", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    f.reply(200, widget);
    run(f.context, f.server->get(services, {"shop", "s"}));
    run(f.context, f.server->get(widgets, {"", "global"}));
    CHECK(f.target(0) == "/api/v1/namespaces/shop/services/s");
    CHECK(f.target(1) == "/apis/test.example/v1/widgets/global");
}

TEST_CASE("names cannot leave their path", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    run(f.context, f.server->get(widgets, {"a/b", "../x?y#z%"}));
    CHECK(f.target() == "/apis/test.example/v1/namespaces/a%2Fb/widgets/..%2Fx%3Fy%23z%25");
}

TEST_CASE("no token, no Authorization", "[kube][api]")
{
    fixture f{bearer_token()};
    f.reply(200, widget);
    run(f.context, f.server->get(widgets, {"shop", "w"}));
    CHECK(f.seen.at(0).count(http::field::authorization) == 0);
}

TEST_CASE("a list is paged, selects, and escapes", "[kube][api]")
{
    fixture f;
    f.reply(200, R"({"metadata":{"resourceVersion":"10","continue":"a+b/c="},"items":[)" + widget + "]}");
    f.reply(200, R"({"metadata":{"resourceVersion":"10"},"items":[]})");
    selection which;
    which.labels = "app in (a,b),x=y";
    const auto first = run(f.context, f.server->list(widgets, which, "5", ""));
    REQUIRE(first.has_value());
    CHECK(first->items.size() == 1);
    CHECK(first->resource_version == "10");
    CHECK(first->continue_token == "a+b/c=");
    which.ns = "shop";
    const auto second = run(f.context, f.server->list(widgets, which, "5", first->continue_token));
    REQUIRE(second.has_value());
    CHECK(second->items.empty());
    CHECK(second->continue_token.empty());
    CHECK(
        f.target(0) == "/apis/test.example/v1/"
                       "widgets?limit=500&labelSelector=app%20in%20%28a%2Cb%29%2Cx%3Dy&resourceVersion=5"
    );
    // The server refuses a version beside a continue token.
    CHECK(
        f.target(1) == "/apis/test.example/v1/namespaces/shop/widgets?limit=500"
                       "&labelSelector=app%20in%20%28a%2Cb%29%2Cx%3Dy&continue=a%2Bb%2Fc%3D"
    );
}

TEST_CASE("a list that is none is a protocol error", "[kube][api]")
{
    fixture f;
    for (const char* body : {"", "[]", "<html>", "{}", R"({"items": 7})"})
    {
        CAPTURE(body);
        f.reply(200, body);
        const auto page = run(f.context, f.server->list(widgets, {}, "", ""));
        REQUIRE_FALSE(page.has_value());
        CHECK(page.error().code() == errc::protocol);
    }
    CHECK(f.target().find("resourceVersion") == std::string::npos);
}

TEST_CASE("a watch asks for bookmarks and streams its lines", "[kube][api]")
{
    fixture f;
    f.reply(200, "line one\nline two\n");
    selection which;
    which.ns = "shop";
    which.labels = "a=b";
    const auto stream = run(f.context, f.server->watch(widgets, which, "10", 200s));
    REQUIRE(stream.has_value());
    CHECK(run(f.context, read_all(**stream)) == "line one\nline two\n");
    CHECK(
        f.target() == "/apis/test.example/v1/namespaces/shop/widgets?watch=1&allowWatchBookmarks=true"
                      "&timeoutSeconds=200&resourceVersion=10&labelSelector=a%3Db"
    );
    CHECK(f.header(http::field::authorization) == "Bearer tok-1");
}

TEST_CASE("a watch that is refused tells the Status", "[kube][api]")
{
    fixture f;
    f.reply(504, status(504, "Timeout", "Too large resource version: 99, current: 10"));
    const auto stream = run(f.context, f.server->watch(widgets, {}, "99", 200s));
    REQUIRE_FALSE(stream.has_value());
    CHECK(stream.error().http_status() == 504);
    CHECK(stream.error().is_expired());
}

TEST_CASE("an apply is forced, strict and server-side", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    f.reply(201, widget);
    const json::object wanted = json::parse(
                                    R"({"apiVersion":"test.example/v1","kind":"Widget",
                                        "metadata":{"namespace":"shop","name":"w"},"spec":{"a":1}})"
    )
                                    .as_object();
    const auto done = run(f.context, f.server->apply(widgets, wanted, "portitor controller", ""));
    REQUIRE(done.has_value());
    CHECK((*done)->meta.resource_version == "7");
    CHECK(run(f.context, f.server->apply(widgets, wanted, "p", "status")).has_value());
    CHECK(f.seen.at(0).method() == http::verb::patch);
    CHECK(
        f.target(0) == "/apis/test.example/v1/namespaces/shop/widgets/w"
                       "?fieldManager=portitor%20controller&force=true&fieldValidation=Strict"
    );
    CHECK(f.header(http::field::content_type) == "application/apply-patch+yaml");
    CHECK(f.body() == json::value(wanted));
    CHECK(f.target(1).find("/widgets/w/status?fieldManager=p&") != std::string::npos);
}

TEST_CASE("a patch is a JSON patch", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    const json::array operations = json::parse(R"([{"op":"test","path":"/a","value":1}])").as_array();
    CHECK(run(f.context, f.server->patch(widgets, {"shop", "w"}, operations)).has_value());
    CHECK(f.seen.at(0).method() == http::verb::patch);
    CHECK(f.target() == "/apis/test.example/v1/namespaces/shop/widgets/w");
    CHECK(f.header(http::field::content_type) == "application/json-patch+json");
    CHECK(f.body() == json::value(operations));
}

TEST_CASE("a removal is guarded by the UID", "[kube][api]")
{
    fixture f;
    f.reply(200, status(200, "", ""));
    CHECK(run(f.context, f.server->remove(widgets, {"shop", "w"}, "u-1")).has_value());
    CHECK(f.seen.at(0).method() == http::verb::delete_);
    CHECK(f.target() == "/apis/test.example/v1/namespaces/shop/widgets/w");
    CHECK(f.body().at("preconditions").at("uid") == "u-1");
    CHECK(f.body().at("kind") == "DeleteOptions");
}

TEST_CASE("removing what is gone or replaced is a success, other refusals are not", "[kube][api]")
{
    fixture f;
    f.reply(404, status(404, "NotFound", "widgets w not found"));
    f.reply(
        409, status(409, "Conflict", "Precondition failed: UID in precondition: u-1, UID in object meta: u-2")
    );
    f.reply(403, status(403, "Forbidden", "no"));
    CHECK(run(f.context, f.server->remove(widgets, {"shop", "w"}, "u-1")).has_value());
    CHECK(run(f.context, f.server->remove(widgets, {"shop", "w"}, "u-1")).has_value());
    const auto refused = run(f.context, f.server->remove(widgets, {"shop", "w"}, "u-1"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == errc::refused);
}

TEST_CASE("a creation posts to the collection", "[kube][api]")
{
    fixture f;
    f.reply(201, widget);
    const json::object wanted = json::parse(R"({"metadata":{"namespace":"shop","name":"w"}})").as_object();
    CHECK(run(f.context, f.server->create(widgets, wanted)).has_value());
    CHECK(f.seen.at(0).method() == http::verb::post);
    CHECK(f.target() == "/apis/test.example/v1/namespaces/shop/widgets");
    CHECK(f.header(http::field::content_type) == "application/json");
    CHECK(f.body() == json::value(wanted));
}

TEST_CASE("a refusal carries the Status, the code and Retry-After", "[kube][api]")
{
    fixture f;
    const auto ask = [&](unsigned code, const std::string& reason) {
        f.reply(code, status(static_cast<int>(code), reason, "because"));
        return run(f.context, f.server->get(widgets, {"shop", "w"})).error();
    };
    const api_error missing = ask(404, "NotFound");
    CHECK(missing.is_not_found());
    CHECK(missing.code() == errc::not_found);
    CHECK(missing.reason() == "NotFound");
    CHECK(missing.message().find("because") != std::string::npos);
    CHECK(missing.to_error().code() == errc::not_found);
    CHECK(ask(409, "Conflict").is_conflict());
    CHECK(ask(422, "Invalid").code() == errc::invalid);
    CHECK(ask(403, "Forbidden").code() == errc::refused);
    CHECK(ask(410, "Expired").is_expired());
    CHECK(ask(500, "InternalError").code() == errc::unavailable);
    CHECK_FALSE(ask(500, "InternalError").is_expired());

    f.reply(429, status(429, "TooManyRequests", "slowly")).set(http::field::retry_after, "3");
    const auto busy = run(f.context, f.server->get(widgets, {"shop", "w"}));
    REQUIRE_FALSE(busy.has_value());
    CHECK(busy.error().retry_after() == 3s);
    CHECK(busy.error().code() == errc::unavailable);
    for (const char* odd : {"-5", "soon", "Fri, 31 Dec 1999 23:59:59 GMT"})
    {
        f.reply(429, "").set(http::field::retry_after, odd);
        CHECK(run(f.context, f.server->get(widgets, {"shop", "w"})).error().retry_after() == 0s);
    }
    f.reply(429, "").set(http::field::retry_after, "86400");
    CHECK(run(f.context, f.server->get(widgets, {"shop", "w"})).error().retry_after() == 120s);
}

TEST_CASE("a refusal by something else than the API server still has its status", "[kube][api]")
{
    fixture f;
    f.reply(502, "<html>Bad Gateway</html>");
    const auto got = run(f.context, f.server->get(widgets, {"shop", "w"}));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().http_status() == 502);
    CHECK(got.error().reason().empty());
    CHECK(got.error().message().find("html") == std::string::npos);
}

TEST_CASE("an answer that is no object is a protocol error", "[kube][api]")
{
    fixture f;
    for (const char* body : {"", "[]", "{}", R"({"metadata":{}})", "{"})
    {
        f.reply(200, body);
        const auto got = run(f.context, f.server->get(widgets, {"shop", "w"}));
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error().code() == errc::protocol);
        CHECK(got.error().http_status() == 0);
    }
}

TEST_CASE("after a 401 the token is read again and the request repeated once", "[kube][api]")
{
    const temp_folder folder;
    fixture f{bearer_token::from_file(folder.write("token", "old"))};
    const json::object wanted = json::parse(R"({"metadata":{"namespace":"shop","name":"w"}})").as_object();
    SECTION("it is a new one")
    {
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        f.reply(201, widget);
        // Once the first request has been sent with the old one.
        run(f.context, f.server->create(widgets, wanted));
        CHECK(f.seen.size() == 2);
        folder.write("token", "new");
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        f.reply(201, widget);
        CHECK(run(f.context, f.server->create(widgets, wanted)).has_value());
        REQUIRE(f.seen.size() == 4);
        CHECK(f.header(http::field::authorization, 2) == "Bearer old");
        CHECK(f.header(http::field::authorization, 3) == "Bearer new");
        CHECK(f.body(3) == json::value(wanted));
    }
    SECTION("it is refused again")
    {
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        const auto refused = run(f.context, f.server->create(widgets, wanted));
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code() == errc::refused);
        CHECK(f.seen.size() == 2);
    }
    SECTION("a watch takes the new one the next time")
    {
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        CHECK(run(f.context, f.server->watch(widgets, {}, "1", 10s)).error().http_status() == 401);
        folder.write("token", "new");
        f.reply(200, "");
        CHECK(run(f.context, f.server->watch(widgets, {}, "1", 10s)).has_value());
        CHECK(f.header(http::field::authorization, 1) == "Bearer new");
    }
}

TEST_CASE("a server that is away is unavailable and has no status", "[kube][api]")
{
    fixture f;
    run(f.context, f.served.drain(0ms));
    const auto got = run(f.context, f.server->get(widgets, {"shop", "w"}));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code() == errc::unavailable);
    CHECK(got.error().http_status() == 0);
    const auto stream = run(f.context, f.server->watch(widgets, {}, "1", 10s));
    REQUIRE_FALSE(stream.has_value());
    CHECK(stream.error().code() == errc::unavailable);
}

TEST_CASE("requests are counted by code and method", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    f.reply(404, "");
    run(f.context, f.server->get(widgets, {"shop", "w"}));
    run(f.context, f.server->get(widgets, {"shop", "w"}));
    const std::string text = f.numbers.expose();
    CHECK(text.find("rest_client_requests_total{code=\"200\",method=\"GET\"") != std::string::npos);
    CHECK(text.find("rest_client_requests_total{code=\"404\",method=\"GET\"") != std::string::npos);
}
