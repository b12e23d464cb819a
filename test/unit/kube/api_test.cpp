#include "catch.hpp"
#include "harness.hpp"
#include "objects.hpp"
#include "received.hpp"
#include "run.hpp"
#include "wire.hpp"

#include <portitor/http/server.hpp>
#include <portitor/kube/api.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <deque>
#include <memory>
#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using namespace std::chrono_literals;
using portitor::test::run;
using portitor::test::wire;
using portitor::test::wire_server;
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr resource widgets{"test.example", "v1", "widgets", "Widget"};
constexpr resource services{"", "v1", "services", "Service"};

// What the client shows, as the test sets it.
struct shown
{
    http::origin server;
    std::string token = "tok-secret";
    std::string renewed;  ///< the token after expire()
    std::shared_ptr<const http::tls_settings> tls = std::make_shared<http::tls_settings>();
    std::optional<error> failure;
    int asked = 0;
    int expired = 0;
};

class shown_credentials final : public credentials
{
public:
    explicit shown_credentials(shown& by) : by_(by) {}

    const http::origin& server() const override { return by_.server; }
    asio::awaitable<result<identity>> current() override
    {
        ++by_.asked;
        if (by_.failure)
            co_return *by_.failure;
        identity out;
        out.bearer_token = by_.token;
        out.tls = by_.tls;
        co_return out;
    }
    void expire() override
    {
        ++by_.expired;
        if (!by_.renewed.empty())
            by_.token = by_.renewed;
    }

private:
    shown& by_;
};

// A client and the time that it waits in.
struct client_side : surroundings
{
    shown who;
    std::unique_ptr<api> server;
    std::vector<std::chrono::milliseconds> pauses;  ///< that the client made

    void connect(const http::origin& there, throttle_settings limits = {})
    {
        who.server = there;
        server =
            make_api(context.get_executor(), std::make_unique<shown_credentials>(who), limits, time, numbers);
    }

    // Carries a request out; pauses take no time.
    template <typename T>
    T ask(asio::awaitable<T> request)
    {
        std::optional<T> out;
        std::exception_ptr failure;
        asio::co_spawn(context, std::move(request), [&](std::exception_ptr thrown, T value) {
            failure = thrown;
            out.emplace(std::move(value));
        });
        const auto limit = std::chrono::steady_clock::now() + 5s;
        context.restart();
        while (!out && std::chrono::steady_clock::now() < limit)
        {
            context.run_one_for(10ms);
            const auto next = time.next_expiry();
            if (next == timekeeper::time_point::max() || next <= time.now())
                continue;
            pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(next - time.now()));
            time.advance(pauses.back());
        }
        if (failure)
            std::rethrow_exception(failure);
        if (!out)
            throw std::runtime_error("no answer within five seconds");
        return std::move(*out);
    }

    api_result<object_ptr> get() { return ask(server->get(widgets, {"shop", "w"})); }
    api_result<object_ptr> create(request_class urgency = request_class::normal)
    {
        return ask(
            server->create(widgets, json_object(R"({"metadata":{"namespace":"shop","name":"w"}})"), urgency)
        );
    }
    api_result<object_ptr> patch() { return ask(server->patch(widgets, {"shop", "w"}, json::array())); }
    api_result<list_page> list(selection which = {}, list_position from = {})
    {
        return ask(server->list(
            widgets,
            std::move(which),
            std::move(from),
            [this](json::object&& item, std::string_view) {
                items.emplace_back(json::object(item, json::storage_ptr()));
                return result<void>();
            }
        ));
    }
    std::vector<json::value> items;
};

// An API server that keeps every request and answers what the test says, one answer after the other.
struct fixture : client_side
{
    logger log{log_level::error, log_format::text};
    std::vector<http::request> seen;
    std::deque<http::response> answers;
    http::server served{
        context, log, [this](const http::server_request& message) { return answer(message); }};
    task_group tasks{context.get_executor(), log};

    explicit fixture(throttle_settings limits = {})
    {
        REQUIRE(served.listen("127.0.0.1:0").has_value());
        tasks.spawn("server", served.run());
        connect({"http", "127.0.0.1", served.port()}, limits);
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

    asio::awaitable<http::reply> answer(const http::server_request& message)
    {
        seen.push_back(test::message_of(message));
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

// The same on the wire, where the test says what happens to each connection.
struct wire_fixture : client_side
{
    std::vector<std::string> seen;
    std::unique_ptr<wire_server> peer;

    ~wire_fixture()
    {
        server.reset();
        if (peer)
            run(context, peer->stop());
    }

    void serve(wire_server::script script)
    {
        peer = std::make_unique<wire_server>(context, std::move(script));
        connect(peer->origin());
    }

    // Answers `messages` on each connection, in this order; closes it at one more request.
    void serve_each(std::vector<std::vector<std::string>> messages)
    {
        serve([this, messages](wire& line, int index) {
            return answer_all(line, messages.at(static_cast<std::size_t>(index)));
        });
    }

    asio::awaitable<void> answer_all(wire& line, std::vector<std::string> messages)
    {
        for (const std::string& each : messages)
        {
            const bool got = co_await take(line);
            if (!got)
                co_return;
            co_await line.send(each);
        }
        co_await take(line);
    }

    asio::awaitable<bool> take(wire& line)
    {
        std::string message = co_await line.read_message();
        const bool got = !message.empty();
        if (got)
            seen.push_back(std::move(message));
        co_return got;
    }
};

const std::string widget =
    R"({"metadata":{"namespace":"shop","name":"w","uid":"u-1","resourceVersion":"7"}})";

const std::string empty_list = R"({"metadata":{"resourceVersion":"10"},"items":[]})";

std::string status(int code, const std::string& reason, const std::string& message)
{
    return R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":)" + std::to_string(code) +
           R"(,"reason":")" + reason + R"(","message":")" + message + R"("})";
}

std::string ok(const std::string& body, const std::string& more = "")
{
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" +
           body;
}

std::string chunk(const std::string& text)
{
    return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

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

template <typename T>
errc code_of(const api_result<T>& of)
{
    return of ? errc() : of.error().code();
}

}  // namespace

TEST_CASE("a get asks for one object with the token", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    const auto got = f.get();
    REQUIRE(got.has_value());
    CHECK((*got)->meta.uid == "u-1");
    CHECK(f.seen.at(0).method() == http::verb::get);
    CHECK(f.target() == "/apis/test.example/v1/namespaces/shop/widgets/w");
    CHECK(f.header(http::field::authorization) == "Bearer tok-secret");
    CHECK(f.header(http::field::accept) == "application/json");
    CHECK(f.header(http::field::host) == f.who.server.authority());
    CHECK(f.seen.at(0).body().empty());
    CHECK(f.pauses.empty());
}

TEST_CASE("the server's clock is known from its answers, refusals too", "[kube][api]")
{
    fixture f;
    CHECK_FALSE(f.server->server_time().has_value());
    f.reply(404, status(404, "NotFound", "no")).set(http::field::date, "Tue, 24 Nov 2026 20:00:00 GMT");
    f.get();
    REQUIRE(f.server->server_time().has_value());
    CHECK(to_rfc3339(*f.server->server_time()) == "2026-11-24T20:00:00Z");
    f.time.advance(61s);
    CHECK(to_rfc3339(*f.server->server_time()) == "2026-11-24T20:01:01Z");
    f.reply(200, empty_list).set(http::field::date, "Tue, 24 Nov 2026 21:00:00 GMT");
    f.list();
    CHECK(to_rfc3339(*f.server->server_time()) == "2026-11-24T21:00:00Z");
}

TEST_CASE("the core group and cluster-wide objects have their own paths", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    f.reply(200, widget);
    f.ask(f.server->get(services, {"shop", "s"}));
    f.ask(f.server->get(widgets, {"", "global"}));
    CHECK(f.target(0) == "/api/v1/namespaces/shop/services/s");
    CHECK(f.target(1) == "/apis/test.example/v1/widgets/global");
}

TEST_CASE("names cannot leave their path", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    f.ask(f.server->get(widgets, {"a/b", "../x?y#z%"}));
    CHECK(f.target() == "/apis/test.example/v1/namespaces/a%2Fb/widgets/..%2Fx%3Fy%23z%25");
}

TEST_CASE("no token, no Authorization", "[kube][api]")
{
    fixture f;
    f.who.token.clear();
    f.reply(200, widget);
    f.get();
    CHECK(f.seen.at(0).count(http::field::authorization) == 0);
}

TEST_CASE("a list is paged, selects, and escapes", "[kube][api]")
{
    fixture f;
    f.reply(200, R"({"metadata":{"resourceVersion":"10","continue":"a+b/c="},"items":[)" + widget + "]}");
    f.reply(200, empty_list);
    f.reply(200, empty_list);
    selection which;
    which.labels = "app in (a,b),x=y";
    which.fields = "metadata.name=w";
    const auto first = f.list(which);
    REQUIRE(first.has_value());
    CHECK(first->resource_version == "10");
    CHECK(first->continue_token == "a+b/c=");
    CHECK(f.items == std::vector<json::value>{json::parse(widget)});
    list_position next;
    next.resource_version = "5";
    next.continue_token = first->continue_token;
    which.ns = "shop";
    const auto second = f.list(which, next);
    REQUIRE(second.has_value());
    CHECK(second->continue_token.empty());
    const std::string selectors =
        "&labelSelector=app%20in%20%28a%2Cb%29%2Cx%3Dy&fieldSelector=metadata.name%3Dw";
    CHECK(f.target(0) == "/apis/test.example/v1/widgets?limit=500" + selectors);
    // The server refuses a version beside a continue token.
    CHECK(
        f.target(1) ==
        "/apis/test.example/v1/namespaces/shop/widgets?limit=500" + selectors + "&continue=a%2Bb%2Fc%3D"
    );
    // With a limit, a version alone would mean exactly that one.
    list_position newer;
    newer.resource_version = "5";
    REQUIRE(f.list({}, newer).has_value());
    CHECK(
        f.target(2) ==
        "/apis/test.example/v1/widgets?limit=500&resourceVersion=5&resourceVersionMatch=NotOlderThan"
    );
    CHECK(f.header(http::field::authorization) == "Bearer tok-secret");
    CHECK(f.header(http::field::accept) == "application/json");
    CHECK(f.seen.at(0).method() == http::verb::get);
}

TEST_CASE("metadata may be all that is asked for", "[kube][api]")
{
    fixture f;
    selection which;
    which.metadata_only = true;
    f.reply(200, empty_list);
    f.reply(200, "");
    f.list(which);
    f.ask(f.server->watch(widgets, which, "1", 10s));
    CHECK(
        f.header(http::field::accept, 0) == "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    );
    CHECK(f.header(http::field::accept, 1) == "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
}

TEST_CASE("a list that is none is a protocol error", "[kube][api]")
{
    fixture f;
    for (const char* body :
         {"",
          "[]",
          "<html>",
          "{}",
          R"({"items": 7})",
          R"({"metadata":{"resourceVersion":"1"}})"
          "x"})
    {
        CAPTURE(body);
        f.reply(200, body);
        const auto page = f.list();
        CHECK(code_of(page) == errc::protocol);
    }
}

TEST_CASE("a list that is refused tells the Status", "[kube][api]")
{
    fixture f;
    f.reply(410, status(410, "Expired", "The provided continue parameter is too old"));
    const auto page = f.list();
    REQUIRE_FALSE(page.has_value());
    CHECK(page.error().is_expired());
    CHECK(page.error().reason() == "Expired");
    f.reply(429, status(429, "TooManyRequests", "slowly")).set(http::field::retry_after, "3");
    const auto busy = f.list();
    REQUIRE_FALSE(busy.has_value());
    CHECK(busy.error().retry_after() == 3s);
}

TEST_CASE("each item of a list is handed over as soon as it is there", "[kube][api]")
{
    wire_fixture f;
    f.serve([&f](wire& line, int) -> asio::awaitable<void> {
        co_await f.take(line);
        co_await line.send(chunked + chunk(R"({"items":[)" + widget));
        // The rest follows once the first item has arrived.
        for (int i = 0; i < 1000 && f.items.empty(); ++i)
            co_await sleep_for(1ms);
        if (!f.items.empty())
            co_await line.send(
                chunk("," + widget + R"(],"metadata":{"resourceVersion":"10"}})") + "0\r\n\r\n"
            );
        co_await f.take(line);
    });
    const auto page = f.list();
    REQUIRE(page.has_value());
    CHECK(page->resource_version == "10");
    CHECK(f.items.size() == 2);
}

TEST_CASE("a list that breaks off is no list", "[kube][api]")
{
    wire_fixture f;
    const std::string half = R"({"metadata":{"resourceVersion":"10"},"items":[)" + widget;
    SECTION("in a chunk")
    {
        f.serve([&f, half](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            co_await line.send(chunked + "1000\r\n" + half);
            line.close();
        });
    }
    SECTION("between two chunks")
    {
        f.serve([&f, half](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            co_await line.send(chunked + chunk(half));
            line.reset();
        });
    }
    SECTION("in an orderly way")
    {
        f.serve([&f, half](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            co_await line.send(chunked + chunk(half) + "0\r\n\r\n");
        });
    }
    const auto page = f.list();
    CHECK_FALSE(page.has_value());
    CHECK(f.seen.size() == 1);
}

TEST_CASE("what the handler of a list says ends it", "[kube][api]")
{
    fixture f;
    f.reply(200, R"({"metadata":{"resourceVersion":"10"},"items":[)" + widget + "," + widget + "]}");
    int calls = 0;
    const auto page =
        f.ask(f.server->list(widgets, {}, {}, [&](json::object&&, std::string_view) -> result<void> {
            ++calls;
            return fail(errc::invalid, "not this one");
        }));
    REQUIRE_FALSE(page.has_value());
    CHECK(page.error().code() == errc::invalid);
    CHECK(page.error().message() == "not this one");
    CHECK(calls == 1);
    // The next request is not disturbed by what was left unread.
    f.reply(200, widget);
    CHECK(f.get().has_value());
}

TEST_CASE("a page that never ends is given up", "[kube][api]")
{
    wire_fixture f;
    f.serve([&f](wire& line, int) -> asio::awaitable<void> {
        co_await f.take(line);
        co_await line.send(chunked + chunk(R"({"metadata":{"resourceVersion":"10"},"items":[)" + widget));
        for (bool open = true; open;)
        {
            open = co_await line.send(chunk("," + widget));
            co_await sleep_for(1ms);
        }
    });
    const auto page = f.ask(f.server->list(widgets, {}, {}, [&](json::object&&, std::string_view) {
        f.time.advance(1s);
        return result<void>();
    }));
    CHECK(code_of(page) == errc::timed_out);
}

TEST_CASE("lists and requests share a connection, a watch has its own", "[kube][api]")
{
    wire_fixture f;
    f.serve([&f](wire& line, int) -> asio::awaitable<void> {
        for (;;)
        {
            const bool got = co_await f.take(line);
            if (!got)
                co_return;
            if (f.seen.back().find("watch=1") != std::string::npos)
            {
                co_await line.send(chunked + chunk("news"));
                co_await f.take(line);
                co_return;
            }
            if (f.seen.back().find("?limit=") != std::string::npos)
                co_await line.send(chunked + chunk(empty_list) + "0\r\n\r\n");
            else
                co_await line.send(ok(widget));
        }
    });
    CHECK(f.get().has_value());
    CHECK(f.list().has_value());
    CHECK(f.list().has_value());
    CHECK(f.patch().has_value());
    CHECK(f.peer->connections() == 1);
    auto first = f.ask(f.server->watch(widgets, {}, "10", 200s));
    REQUIRE(first.has_value());
    auto second = f.ask(f.server->watch(widgets, {}, "10", 200s));
    REQUIRE(second.has_value());
    CHECK(f.peer->connections() == 3);
    CHECK(run(f.context, (*first)->read_some(1s)).value() == "news");
    CHECK(f.get().has_value());
    first->reset();
    second->reset();
    CHECK(f.get().has_value());
    CHECK(f.list().has_value());
    CHECK(f.peer->connections() == 3);
    CHECK(f.seen[4].find("Connection: close\r\n") != std::string::npos);
    CHECK(f.seen[0].find("Connection: close\r\n") == std::string::npos);
}

TEST_CASE("a refused list leaves its connection to the next one", "[kube][api]")
{
    wire_fixture f;
    const std::string refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}";
    f.serve_each({{refusal, refusal, ok(widget)}});
    CHECK(code_of(f.list()) == errc::refused);
    CHECK(code_of(f.list()) == errc::refused);
    CHECK(f.get().has_value());
    CHECK(f.peer->connections() == 1);
}

TEST_CASE("a watch asks for bookmarks and streams its text", "[kube][api]")
{
    fixture f;
    f.reply(200, "line one\nline two\n");
    selection which;
    which.ns = "shop";
    which.labels = "a=b";
    which.fields = "metadata.name=w";
    const auto stream = f.ask(f.server->watch(widgets, which, "10", 200s));
    REQUIRE(stream.has_value());
    CHECK(run(f.context, read_all(**stream)) == "line one\nline two\n");
    CHECK(
        f.target() ==
        "/apis/test.example/v1/namespaces/shop/widgets?watch=1&allowWatchBookmarks=true"
        "&timeoutSeconds=200&resourceVersion=10&labelSelector=a%3Db&fieldSelector=metadata.name%3Dw"
    );
    CHECK(f.header(http::field::authorization) == "Bearer tok-secret");
}

TEST_CASE("a watch that is refused tells the Status", "[kube][api]")
{
    fixture f;
    f.reply(504, R"({"kind":"Status","code":504,"reason":"Timeout","message":"Too large resource version: 99",
                     "details":{"retryAfterSeconds":1,"causes":[{"reason":"ResourceVersionTooLarge"}]}})");
    const auto stream = f.ask(f.server->watch(widgets, {}, "99", 200s));
    REQUIRE_FALSE(stream.has_value());
    CHECK(stream.error().http_status() == 504);
    CHECK(stream.error().is_expired());
    CHECK(stream.error().retry_after() == 1s);
    // What is no stream of events must not be taken for one.
    f.reply(204, "");
    CHECK_FALSE(f.ask(f.server->watch(widgets, {}, "99", 200s)).has_value());
}

TEST_CASE("what a reader of YAML refuses is sent as an escape", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    const std::string odd = "a\x7f\xc2\x80\xc2\x9f\xc2\xa0\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbfz";
    const json::object metadata{{"namespace", "shop"}, {"name", "w"}};
    const json::object wanted{
        {"apiVersion", "test.example/v1"},
        {"kind", "Widget"},
        {"metadata", metadata},
        {"spec", {{"a", odd}}}};
    CHECK(f.ask(f.server->apply(widgets, wanted, apply_options())).has_value());
    CHECK(f.body() == json::value(wanted));
    CHECK(
        f.seen.at(0).body().find("\"a\\u007f\\u0080\\u009f\xc2\xa0\xef\xbf\xbd\\ufffe\\uffffz\"") !=
        std::string::npos
    );
}

TEST_CASE("an apply is forced, strict and server-side", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    f.reply(201, widget);
    f.reply(200, widget);
    const json::object wanted = json_object(R"({"apiVersion":"test.example/v1","kind":"Widget",
                                                "metadata":{"namespace":"shop","name":"w"},"spec":{"a":1}})");
    apply_options how;
    how.field_manager = "portitor controller";
    const auto done = f.ask(f.server->apply(widgets, wanted, how));
    REQUIRE(done.has_value());
    CHECK((*done)->meta.resource_version == "7");
    how.subresource = "status";
    how.field_manager = "p";
    CHECK(f.ask(f.server->apply(widgets, wanted, how)).has_value());
    how.subresource.clear();
    how.force = false;
    how.dry_run = true;
    CHECK(f.ask(f.server->apply(widgets, wanted, how)).has_value());
    CHECK(f.seen.at(0).method() == http::verb::patch);
    CHECK(
        f.target(0) == "/apis/test.example/v1/namespaces/shop/widgets/w"
                       "?fieldManager=portitor%20controller&force=true&fieldValidation=Strict"
    );
    CHECK(f.header(http::field::content_type) == "application/apply-patch+yaml");
    CHECK(f.header(http::field::accept) == "application/json");
    CHECK(f.body() == json::value(wanted));
    CHECK(
        f.target(1) == "/apis/test.example/v1/namespaces/shop/widgets/w/status"
                       "?fieldManager=p&force=true&fieldValidation=Strict"
    );
    CHECK(
        f.target(2) == "/apis/test.example/v1/namespaces/shop/widgets/w"
                       "?fieldManager=p&force=false&fieldValidation=Strict&dryRun=All"
    );
}

TEST_CASE("a conflict of an apply names the field and its manager", "[kube][api]")
{
    fixture f;
    f.reply(
        409, R"({"kind":"Status","code":409,"reason":"Conflict","message":"Apply failed","details":{"causes":[
        {"reason":"FieldManagerConflict","field":".spec.a","message":"conflict with \"kubectl\""}]}})"
    );
    const auto done = f.ask(f.server->apply(widgets, json_object(widget), apply_options()));
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().is_conflict());
    REQUIRE(done.error().causes().size() == 1);
    CHECK(done.error().causes()[0].field == ".spec.a");
}

TEST_CASE("a patch is a JSON patch", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    const json::array operations = json::parse(R"([{"op":"test","path":"/a","value":1}])").as_array();
    CHECK(f.ask(f.server->patch(widgets, {"shop", "w"}, operations)).has_value());
    CHECK(f.seen.at(0).method() == http::verb::patch);
    CHECK(f.target() == "/apis/test.example/v1/namespaces/shop/widgets/w");
    CHECK(f.header(http::field::content_type) == "application/json-patch+json");
    CHECK(f.body() == json::value(operations));
}

TEST_CASE("a replacement puts the whole object", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    f.reply(409, status(409, "Conflict", "the object has been modified"));
    const json::object whole = json_object(widget);
    CHECK(f.ask(f.server->replace(widgets, whole, request_class::lease)).has_value());
    CHECK(f.seen.at(0).method() == http::verb::put);
    CHECK(f.target() == "/apis/test.example/v1/namespaces/shop/widgets/w");
    CHECK(f.header(http::field::content_type) == "application/json");
    CHECK(f.body() == json::value(whole));
    const auto late = f.ask(f.server->replace(widgets, whole, request_class::normal));
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().is_conflict());
    CHECK_FALSE(late.error().is_already_exists());
}

TEST_CASE("a creation posts to the collection", "[kube][api]")
{
    fixture f;
    f.reply(201, widget);
    f.reply(409, status(409, "AlreadyExists", "widgets w already exists"));
    CHECK(f.create().has_value());
    CHECK(f.seen.at(0).method() == http::verb::post);
    CHECK(f.target() == "/apis/test.example/v1/namespaces/shop/widgets");
    CHECK(f.header(http::field::content_type) == "application/json");
    CHECK(f.body() == json::parse(R"({"metadata":{"namespace":"shop","name":"w"}})"));
    const auto taken = f.create();
    REQUIRE_FALSE(taken.has_value());
    CHECK(taken.error().is_already_exists());
}

TEST_CASE("a removal is guarded by the UID, and by the version where one is given", "[kube][api]")
{
    fixture f;
    f.reply(200, status(200, "", ""));
    f.reply(200, status(200, "", ""));
    delete_options which;
    which.uid = "u-1";
    CHECK(f.ask(f.server->remove(widgets, {"shop", "w"}, which)).has_value());
    which.resource_version = "7";
    which.propagation = "Foreground";
    CHECK(f.ask(f.server->remove(widgets, {"shop", "w"}, which)).has_value());
    CHECK(f.seen.at(0).method() == http::verb::delete_);
    CHECK(f.target() == "/apis/test.example/v1/namespaces/shop/widgets/w");
    CHECK(f.header(http::field::content_type) == "application/json");
    CHECK(
        f.body(0) ==
        json::parse(R"({"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background",
                                       "preconditions":{"uid":"u-1"}})")
    );
    CHECK(
        f.body(1) ==
        json::parse(R"({"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Foreground",
                                       "preconditions":{"uid":"u-1","resourceVersion":"7"}})")
    );
}

TEST_CASE("removing what is gone or replaced is a success, other refusals are not", "[kube][api]")
{
    fixture f;
    delete_options which;
    which.uid = "u-1";
    const auto remove = [&](int code, const std::string& reason) {
        f.reply(static_cast<unsigned>(code), status(code, reason, "because"));
        return f.ask(f.server->remove(widgets, {"shop", "w"}, which));
    };
    CHECK(remove(404, "NotFound").has_value());
    CHECK(remove(409, "Conflict").has_value());
    CHECK(code_of(remove(403, "Forbidden")) == errc::refused);
    CHECK(code_of(remove(500, "InternalError")) == errc::unavailable);
    // Who names a version wants to know that it is another one.
    which.resource_version = "7";
    CHECK(code_of(remove(409, "Conflict")) == errc::conflict);
    CHECK(remove(404, "NotFound").has_value());
}

TEST_CASE("a refusal carries the Status, the code and Retry-After", "[kube][api]")
{
    fixture f;
    const auto ask = [&](unsigned code, const std::string& reason) {
        f.reply(code, status(static_cast<int>(code), reason, "because"));
        return f.get().error();
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
}

TEST_CASE("a refusal by something else than the API server still has its status", "[kube][api]")
{
    fixture f;
    f.reply(502, "<html>Bad Gateway</html>");
    const auto got = f.get();
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
        const auto got = f.get();
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error().code() == errc::protocol);
        CHECK(got.error().http_status() == 0);
        CHECK(got.error().is_outcome_unknown());
    }
}

TEST_CASE("whatever asks for a pause with 429 or 5xx gets it, reads and writes alike", "[kube][api]")
{
    fixture f;
    for (const unsigned code : {429U, 500U, 503U})
    {
        f.seen.clear();
        f.pauses.clear();
        f.reply(code, status(static_cast<int>(code), "TooManyRequests", "slowly"))
            .set(http::field::retry_after, "3");
        f.reply(code, "").set(http::field::retry_after, "120");
        f.reply(201, widget);
        CHECK(f.create().has_value());
        CHECK(f.seen.size() == 3);
        CHECK(f.body(2) == f.body(0));
        CHECK(f.pauses == std::vector<std::chrono::milliseconds>{3s, 120s});
    }
    f.reply(429, "").set(http::field::retry_after, "1");
    f.reply(200, widget);
    CHECK(f.get().has_value());
}

TEST_CASE("a pause has a bound, and so has their number", "[kube][api]")
{
    fixture f;
    for (int i = 0; i < 12; ++i)
        f.reply(429, status(429, "TooManyRequests", "slowly")).set(http::field::retry_after, "86400");
    const auto got = f.get();
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().http_status() == 429);
    CHECK(got.error().retry_after() == 120s);
    CHECK(got.error().code() == errc::unavailable);
    CHECK(f.seen.size() == 10);
    CHECK(f.pauses == std::vector<std::chrono::milliseconds>(9, 120s));
}

TEST_CASE("nothing else is repeated", "[kube][api]")
{
    fixture f;
    const auto check_once = [&](unsigned code, const char* pause) {
        CAPTURE(code, pause);
        f.seen.clear();
        auto& answer = f.reply(code, "");
        if (pause)
            answer.set(http::field::retry_after, pause);
        const auto got = f.create();
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error().http_status() == code);
        CHECK(f.seen.size() == 1);
    };
    check_once(429, nullptr);
    check_once(500, nullptr);
    check_once(503, nullptr);
    check_once(404, "3");
    check_once(409, "3");
    check_once(422, "3");
    for (const char* odd : {"0", "-5", "soon", "Fri, 31 Dec 1999 23:59:59 GMT"})
        check_once(429, odd);
    CHECK(f.pauses.empty());
}

TEST_CASE("a lease's owner decides by itself about a pause", "[kube][api]")
{
    fixture f;
    f.reply(429, "").set(http::field::retry_after, "3");
    const auto busy = f.create(request_class::lease);
    REQUIRE_FALSE(busy.has_value());
    CHECK(busy.error().retry_after() == 3s);
    f.reply(503, "").set(http::field::retry_after, "3");
    CHECK_FALSE(f.ask(f.server->replace(widgets, json_object(widget), request_class::lease)).has_value());
    CHECK(f.seen.size() == 2);
    CHECK(f.pauses.empty());
}

TEST_CASE("after a 401 the token is renewed and the request repeated once", "[kube][api]")
{
    fixture f;
    f.who.renewed = "tok-2";
    SECTION("it is taken")
    {
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        f.reply(201, widget);
        CHECK(f.create().has_value());
        REQUIRE(f.seen.size() == 2);
        CHECK(f.header(http::field::authorization, 0) == "Bearer tok-secret");
        CHECK(f.header(http::field::authorization, 1) == "Bearer tok-2");
        CHECK(f.body(1) == f.body(0));
    }
    SECTION("it is refused again")
    {
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        const auto refused = f.create();
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code() == errc::refused);
        CHECK(refused.error().http_status() == 401);
        CHECK(f.seen.size() == 2);
    }
    SECTION("a list")
    {
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        f.reply(200, empty_list);
        CHECK(f.list().has_value());
        CHECK(f.header(http::field::authorization, 1) == "Bearer tok-2");
        CHECK(f.target(1) == f.target(0));
    }
    SECTION("a watch")
    {
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        f.reply(200, "");
        CHECK(f.ask(f.server->watch(widgets, {}, "1", 10s)).has_value());
        CHECK(f.header(http::field::authorization, 1) == "Bearer tok-2");
    }
    SECTION("a watch that is refused again")
    {
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        f.reply(401, status(401, "Unauthorized", "Unauthorized"));
        CHECK(f.ask(f.server->watch(widgets, {}, "1", 10s)).error().http_status() == 401);
        CHECK(f.seen.size() == 2);
        CHECK(f.who.expired == 2);
        return;
    }
    CHECK(f.who.expired == 1);
}

TEST_CASE("each request shows what is valid then", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    f.get();
    f.who.token = "tok-3";
    f.reply(200, widget);
    f.get();
    f.reply(200, empty_list);
    f.list();
    CHECK(f.header(http::field::authorization, 0) == "Bearer tok-secret");
    CHECK(f.header(http::field::authorization, 1) == "Bearer tok-3");
    CHECK(f.header(http::field::authorization, 2) == "Bearer tok-3");
    CHECK(f.who.asked == 3);
}

TEST_CASE("without credentials nothing is sent", "[kube][api]")
{
    fixture f;
    f.who.failure = fail(errc::unavailable, "the plugin ended badly");
    const auto got = f.get();
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code() == errc::unavailable);
    CHECK(got.error().message() == "the plugin ended badly");
    CHECK(code_of(f.list()) == errc::unavailable);
    CHECK(code_of(f.ask(f.server->watch(widgets, {}, "1", 10s))) == errc::unavailable);
    CHECK(f.seen.empty());
    f.who.failure.reset();
    f.reply(200, widget);
    CHECK(f.get().has_value());
}

TEST_CASE(
    "certificates that cannot be read are the error of each request, until there are others", "[kube][api]"
)
{
    fixture f;
    const auto good = f.who.tls;
    http::tls_settings bad;
    bad.ca = "no certificate";
    f.who.tls = std::make_shared<const http::tls_settings>(bad);
    CHECK(code_of(f.get()) == errc::invalid);
    CHECK(code_of(f.list()) == errc::invalid);
    f.who.tls = good;
    f.reply(200, widget);
    CHECK(f.get().has_value());
    f.who.tls = std::make_shared<const http::tls_settings>(bad);
    CHECK(code_of(f.get()) == errc::invalid);
    f.who.tls = good;
    f.reply(200, widget);
    CHECK(f.get().has_value());
    CHECK(f.seen.size() == 2);
}

TEST_CASE("new certificates mean new connections", "[kube][api]")
{
    wire_fixture f;
    f.serve_each({{ok(widget), ok(widget)}, {ok(widget)}});
    CHECK(f.get().has_value());
    CHECK(f.get().has_value());
    f.who.tls = std::make_shared<http::tls_settings>();
    CHECK(f.get().has_value());
    CHECK(f.peer->connections() == 2);
}

TEST_CASE("a read is repeated where the kept connection was gone", "[kube][api]")
{
    wire_fixture f;
    f.serve_each({{ok(widget)}, {ok(widget), ok(widget)}, {chunked + chunk(empty_list) + "0\r\n\r\n"}});
    CHECK(f.get().has_value());
    CHECK(f.get().has_value());
    CHECK(f.peer->connections() == 2);
    CHECK(f.seen.size() == 3);  // the second one twice
    CHECK(f.get().has_value());
    CHECK(f.list().has_value());
    CHECK(f.peer->connections() == 3);
    CHECK(f.seen.size() == 6);  // the list twice
}

TEST_CASE("a write whose outcome is unknown is never repeated", "[kube][api]")
{
    wire_fixture f;
    const auto check = [&](const api_result<object_ptr>& outcome) {
        REQUIRE_FALSE(outcome.has_value());
        CHECK(outcome.error().is_outcome_unknown());
        CHECK(outcome.error().http_status() == 0);
    };
    SECTION("on a connection that was kept")
    {
        f.serve_each({{ok(widget)}, {ok(widget)}});
        CHECK(f.get().has_value());
        check(f.create());
        CHECK(f.peer->connections() == 1);
        CHECK(f.seen.size() == 2);
    }
    SECTION("a patch, within the answer")
    {
        f.serve([&f](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            co_await line.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            line.close();
        });
        check(f.patch());
        CHECK(f.seen.size() == 1);
    }
    SECTION("an answer that is no HTTP")
    {
        f.serve([&f](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            co_await line.send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
        });
        check(f.ask(f.server->apply(widgets, json_object(widget), apply_options())));
        CHECK(f.seen.size() == 1);
    }
    SECTION("a removal")
    {
        f.serve([&f](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            line.reset();
        });
        const auto removed = f.ask(f.server->remove(widgets, {"shop", "w"}, {"u-1"}));
        REQUIRE_FALSE(removed.has_value());
        CHECK(removed.error().is_outcome_unknown());
        CHECK(f.seen.size() == 1);
    }
}

TEST_CASE("a server that is away is unavailable and has no status", "[kube][api]")
{
    fixture f;
    run(f.context, f.served.drain(0ms));
    const auto got = f.get();
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code() == errc::unavailable);
    CHECK(got.error().http_status() == 0);
    const auto written = f.create();
    REQUIRE_FALSE(written.has_value());
    CHECK_FALSE(written.error().is_outcome_unknown());  // it never left
    CHECK(code_of(f.ask(f.server->watch(widgets, {}, "1", 10s))) == errc::unavailable);
    CHECK(code_of(f.list()) == errc::unavailable);
}

TEST_CASE("the token is in no error and in no metric", "[kube][api]")
{
    wire_fixture f;
    std::vector<std::string> told;
    const auto note = [&](const auto& outcome) {
        REQUIRE_FALSE(outcome.has_value());
        told.push_back(outcome.error().message());
        told.push_back(outcome.error().to_error().message());
    };
    SECTION("a server that throws it back")
    {
        f.serve([&f](wire& line, int) -> asio::awaitable<void> {
            for (;;)
            {
                const bool got = co_await f.take(line);
                if (!got)
                    co_return;
                co_await line.send(f.seen.back());
            }
        });
    }
    SECTION("a server that hangs up")
    {
        f.serve([&f](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            line.reset();
        });
    }
    SECTION("a server that refuses it")
    {
        f.serve([&f](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            co_await line.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        });
    }
    SECTION("no server")
    {
        f.connect({"http", "127.0.0.1", portitor::test::free_port(f.context)});
    }
    note(f.get());
    note(f.create());
    note(f.list());
    note(f.ask(f.server->watch(widgets, {}, "1", 10s)));
    told.push_back(f.numbers.expose());
    for (const std::string& each : told)
    {
        CAPTURE(each);
        CHECK(each.find("tok-secret") == std::string::npos);
    }
}

TEST_CASE("requests wait for their turn, and give it back", "[kube][api]")
{
    throttle_settings limits;
    limits.per_second = 1;
    limits.burst = 2;
    fixture f(limits);
    for (int i = 0; i < 4; ++i)
        f.reply(200, widget);
    CHECK(f.get().has_value());
    CHECK(f.get().has_value());
    CHECK(f.pauses.empty());
    CHECK(f.get().has_value());
    CHECK(f.pauses == std::vector<std::chrono::milliseconds>{1001ms});
    // A lease does not wait.
    CHECK(f.create(request_class::lease).has_value());
    CHECK(f.pauses.size() == 1);
    CHECK(f.value_of("rest_client_rate_limiter_duration_seconds_count") == "4");
    CHECK(f.value_of("rest_client_rate_limiter_duration_seconds_sum").starts_with("1.00"));
}

TEST_CASE("a pause that the server asks for holds nobody else's place", "[kube][api]")
{
    throttle_settings limits;
    limits.most_in_flight = 1;
    fixture f(limits);
    f.reply(429, "").set(http::field::retry_after, "3");
    std::optional<bool> done;
    const object_key key{"shop", "slow"};
    const auto slow = [&]() -> asio::awaitable<void> {
        const auto got = co_await f.server->get(widgets, key);
        done = got.has_value();
    };
    f.tasks.spawn("slow", slow());
    const auto limit = std::chrono::steady_clock::now() + 5s;
    while (f.time.next_expiry() == timekeeper::time_point::max() && std::chrono::steady_clock::now() < limit)
        f.context.run_one_for(10ms);
    f.reply(200, widget);
    // Not through ask(), which would let the time pass.
    CHECK(run(f.context, f.server->get(widgets, {"shop", "w"})).has_value());
    CHECK_FALSE(done.has_value());
    f.reply(200, widget);
    f.time.advance(3s);
    while (!done && std::chrono::steady_clock::now() < limit)
        f.context.run_one_for(10ms);
    CHECK(done == true);
}

TEST_CASE("a watch and a failed list give their places back", "[kube][api]")
{
    throttle_settings limits;
    limits.most_in_flight = 1;
    fixture f(limits);
    f.reply(200, "");
    const auto watched = f.ask(f.server->watch(widgets, {}, "1", 10s));
    REQUIRE(watched.has_value());  // and stays open
    f.reply(200, "no list");
    CHECK_FALSE(f.list().has_value());
    f.reply(403, "");
    CHECK_FALSE(f.list().has_value());
    f.reply(200, empty_list);
    CHECK(f.list().has_value());
    f.who.failure = fail(errc::unavailable, "no");
    CHECK_FALSE(f.get().has_value());
    f.who.failure.reset();
    f.reply(200, widget);
    CHECK(f.get().has_value());
}

TEST_CASE("requests are counted by code, method and host", "[kube][api]")
{
    fixture f;
    f.reply(200, widget);
    f.reply(404, "");
    f.reply(201, widget);
    f.reply(200, empty_list);
    f.get();
    f.get();
    f.create();
    f.list();
    const std::string host = "host=\"" + f.who.server.authority() + "\"";
    CHECK(f.value_of("rest_client_requests_total{code=\"200\",method=\"GET\"," + host + "}") == "2");
    CHECK(f.value_of("rest_client_requests_total{code=\"404\",method=\"GET\"," + host + "}") == "1");
    CHECK(f.value_of("rest_client_requests_total{code=\"201\",method=\"POST\"," + host + "}") == "1");
    CHECK(f.value_of("rest_client_request_duration_seconds_count{verb=\"GET\"," + host + "}") == "3");
    run(f.context, f.served.drain(0ms));
    f.get();
    CHECK(f.value_of("rest_client_requests_total{code=\"<error>\",method=\"GET\"," + host + "}") == "1");
}
