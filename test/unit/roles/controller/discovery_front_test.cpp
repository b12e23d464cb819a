#include "catch.hpp"
#include "discovery_world.hpp"

using namespace portitor;
using namespace portitor::controller;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::discovery_world;
using test::registered_world;

namespace {

constexpr const char* list_paths[] = {
    "/.well-known/agent-registration.json",
    "/api/services.json",
    "/.well-known/agent-registration/offer-uid.json"};

/// A front over one sold and registered offer.
struct front_world
{
    discovery_world all;
    bool synced = true;
    discovery_front front;

    explicit front_world(std::size_t most = 1024 * 1024)
        : front(
              all.documents,
              {[this] { return synced; },
               [this](const std::string& uid) {
                   for (const auto& [key, each] : all.offers)
                   {
                       if (each.offer->meta.uid == uid)
                           return key;
                   }
                   return kube::object_key();
               },
               most}
          )
    {
        all.put(registered_world());
    }

    http::reply
    ask(const std::string& target,
        std::vector<std::pair<std::string, std::string>> headers = {},
        http::verb method = http::verb::get)
    {
        const auto name = boost::beast::http::to_string(method);
        http::server_request message;
        message.set_start(method, {name.data(), name.size()}, target, 11);
        for (const auto& [field, value] : headers)
            message.add_header(field, value);
        http::reply out = front.answer(message);
        // As the server does once it has been written.
        if (out.on_written && !keep)
            out.on_written(true);
        return out;
    }

    unsigned status(const std::string& target) { return ask(target).message.result_int(); }

    bool keep = false;  ///< answers stay under way
};

std::string header(const http::reply& answer, const std::string& name)
{
    const auto value = answer.message[name];
    return {value.data(), value.size()};
}

}  // namespace

TEST_CASE(
    "every document comes with its tag, for everybody and for a short time", "[controller][discovery][front]"
)
{
    front_world site;
    for (const char* path : list_paths)
    {
        CAPTURE(path);
        const auto answer = site.ask(path);
        CHECK(answer.message.result_int() == 200);
        CHECK(header(answer, "Content-Type") == "application/json");
        CHECK(header(answer, "Cache-Control") == "public, max-age=5");
        CHECK(header(answer, "Access-Control-Allow-Origin") == "*");
        CHECK(header(answer, "X-Content-Type-Options") == "nosniff");
        CHECK(header(answer, "ETag") == document(answer.message.body()).etag);
        CHECK_THAT(answer.message.body(), Contains("https://api.example.com/"));
        CHECK(site.ask(std::string(path) + "?x=1").message.body() == answer.message.body());
        CHECK(site.ask(path, {}, http::verb::head).message.body() == answer.message.body());

        const auto again = site.ask(path, {{"if-none-match", header(answer, "ETag")}});
        CHECK(again.message.result_int() == 304);
        CHECK(again.message.body().empty());
        CHECK(header(again, "ETag") == header(answer, "ETag"));
        CHECK(header(again, "Cache-Control") == "public, max-age=5");
        CHECK(header(again, "Access-Control-Allow-Origin") == "*");
        // The second of two lines counts as well.
        CHECK(
            site.ask(
                    path, {{"If-None-Match", "\"a\""}, {"If-None-Match", header(answer, "ETag")}}
            ).message.result_int() == 304
        );
        CHECK(site.ask(path, {{"If-None-Match", "\"a\""}}).message.result_int() == 200);
    }
}

TEST_CASE("tags are compared weakly, in lists of any form", "[controller][discovery][front]")
{
    const std::string tag = "\"abc\"";
    for (const char* good :
         {"\"abc\"",
          "W/\"abc\"",
          "*",
          " * ",
          "\"x\",\"abc\"",
          "\"x\" , W/\"abc\" ,\"y\"",
          ", ,\"abc\"",
          "\"a,b\", \"abc\"",
          "\"x\"\t,\t\"abc\"",
          "W/\"\",\"abc\""})
    {
        CAPTURE(good);
        CHECK(names_tag(good, tag));
    }
    for (const char* bad :
         {"",
          " ",
          "abc",
          "\"abc",
          "abc\"",
          "\"ab\"",
          "\"abcd\"",
          "w/\"abc\"",
          "**",
          "*, \"abc\"x",
          "\"x\" \"abc\"",
          "W/",
          "W/W/\"abc\"",
          "x, \"abc\"",
          ",,,",
          "\"x\",*"})
    {
        CAPTURE(bad);
        CHECK_FALSE(names_tag(bad, tag));
    }
}

TEST_CASE("only GET and HEAD", "[controller][discovery][front]")
{
    front_world site;
    for (const auto method :
         {http::verb::post,
          http::verb::put,
          http::verb::delete_,
          http::verb::options,
          http::verb::patch,
          http::verb::unknown})
    {
        for (const char* path : list_paths)
        {
            const auto answer = site.ask(path, {}, method);
            CHECK(answer.message.result_int() == 405);
            CHECK(header(answer, "Allow") == "GET, HEAD");
            CHECK(header(answer, "Cache-Control") == "no-store");
            CHECK(header(answer, "ETag").empty());
        }
        CHECK(site.ask("/", {}, method).message.result_int() == 404);
    }
}

TEST_CASE("anything else is not there, and nothing of it comes back", "[controller][discovery][front]")
{
    front_world site;
    const std::string long_path(5000, 'x');
    for (const std::string path :
         {"/",
          "",
          "*",
          "/api",
          "/api/services.json/",
          "/API/services.json",
          "/api/./services.json",
          "/.well-known/agent-registration",
          "/.well-known/agent-registration/",
          "/.well-known/agent-registration/.json",
          "/.well-known/agent-registration/offer-uid",
          "/.well-known/agent-registration/other.json",
          "/.well-known/agent-registration/../offer-uid.json",
          "/.well-known/agent-registration/offer%2Duid.json",
          "/.well-known/agent-registration/offer-uid.json/x",
          "/%2ewell-known/agent-registration.json",
          "/<script>alert(1)</script>",
          "http://x/api/services.json"})
    {
        CAPTURE(path);
        const auto answer = site.ask(path);
        CHECK(answer.message.result_int() == 404);
        CHECK(answer.message.body() == "{\"error\":\"not_found\"}");
        CHECK(header(answer, "Content-Type") == "application/json");
        CHECK(header(answer, "Cache-Control") == "no-store");
    }
    CHECK(site.status("/.well-known/agent-registration/" + long_path + ".json") == 404);
    CHECK(site.ask("/nowhere", {{"If-None-Match", "*"}}).message.result_int() == 404);
}

TEST_CASE("before the first sync every document is unavailable", "[controller][discovery][front]")
{
    front_world site;
    site.synced = false;
    for (const char* path : list_paths)
    {
        const auto answer = site.ask(path, {{"If-None-Match", "*"}});
        CHECK(answer.message.result_int() == 503);
        CHECK(header(answer, "Retry-After") == "1");
        CHECK(header(answer, "Cache-Control") == "no-store");
    }
    CHECK(site.status("/") == 404);
    site.synced = true;
    CHECK(site.status("/api/services.json") == 200);
    CHECK_THAT(site.ask("/api/services.json").message.body(), Contains("hello"));
}

TEST_CASE("answers under way take bounded memory", "[controller][discovery][front]")
{
    front_world site(1000);
    site.keep = true;
    const auto first = site.ask("/api/services.json");
    CHECK(first.message.result_int() == 200);
    const auto second = site.ask("/api/services.json");
    CHECK(second.message.result_int() == 503);
    CHECK(header(second, "Retry-After") == "1");
    // One that the client has costs nothing.
    CHECK(site.ask("/api/services.json", {{"If-None-Match", "*"}}).message.result_int() == 304);
    first.on_written(false);
    CHECK(site.status("/api/services.json") == 200);
}

TEST_CASE("a request gets the documents of its host, and of no other", "[controller][discovery][front]")
{
    discovery_world all;
    all.put(registered_world());
    discovery_front front(
        all.documents,
        {[] { return true; },
         [](const std::string&) {
             return kube::object_key{"shop", "hello"};
         },
         1024 * 1024,
         [](std::string_view host) {
             return host == "api.example.com:8000" ? std::optional<std::string>("")
                    : host == "own.example.org"    ? std::optional<std::string>("own.example.org")
                                                   : std::nullopt;
         }}
    );
    const auto ask = [&](const std::string& host) {
        http::server_request message;
        message.set_start(http::verb::get, "GET", "/api/services.json", 11);
        if (!host.empty())
            message.add_header("host", host);
        return front.answer(message).message;
    };
    CHECK_THAT(ask("api.example.com:8000").body(), Contains("\"hello\""));
    CHECK(ask("own.example.org").body() == R"({"services":[]})");
    CHECK(ask("else.example.org").result_int() == 404);
    CHECK_THAT(ask("").body(), Contains("unknown_host"));
}
