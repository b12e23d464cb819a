#include "catch.hpp"

#include <portitor/http/health_endpoint.hpp>

#include <optional>
#include <string>

using namespace portitor;

namespace {

struct fixture
{
    health checks;
    metrics numbers;
    std::optional<std::string> cache_trouble;

    fixture()
    {
        checks.add_liveness("loop", [] { return std::nullopt; });
        checks.add_readiness("cache", [this] { return cache_trouble; });
        checks.add_readiness("socket", [] { return std::nullopt; });
    }

    http::response get(const char* target, http::verb method = http::verb::get)
    {
        return http::answer_health(method, target, checks, numbers);
    }
};

}  // namespace

TEST_CASE("a healthy process says ok", "[core][health]")
{
    fixture f;
    CHECK(f.get("/healthz").result_int() == 200);
    CHECK(f.get("/healthz").body() == "ok\n");
    CHECK(f.get("/readyz").result_int() == 200);
    CHECK(f.get("/readyz").body() == "ok\n");
}

TEST_CASE("a failing check makes 503 and says why", "[core][health]")
{
    fixture f;
    f.cache_trouble = "not synced";
    const auto answer = f.get("/readyz");
    CHECK(answer.result_int() == 503);
    CHECK(answer.body() == "[-]cache failed: not synced\n[+]socket ok\nnot ok\n");
    CHECK(f.get("/healthz").result_int() == 200);
    f.cache_trouble.reset();
    CHECK(f.get("/readyz").result_int() == 200);
}

TEST_CASE("verbose names every check", "[core][health]")
{
    fixture f;
    CHECK(f.get("/readyz?verbose").body() == "[+]cache ok\n[+]socket ok\nok\n");
    CHECK(f.get("/healthz?verbose=1").body() == "[+]loop ok\nok\n");
}

TEST_CASE("a process without checks is well", "[core][health]")
{
    const health none;
    const metrics numbers;
    CHECK(http::answer_health(http::verb::get, "/readyz", none, numbers).result_int() == 200);
}

TEST_CASE("metrics are served beside the checks", "[core][health]")
{
    fixture f;
    f.numbers.counter("c_total", "h").add();
    const auto answer = f.get("/metrics");
    CHECK(answer.result_int() == 200);
    CHECK(answer.body() == f.numbers.expose());
    CHECK(answer[http::field::content_type] == "text/plain; version=0.0.4; charset=utf-8");
}

TEST_CASE("nothing else is served", "[core][health]")
{
    fixture f;
    CHECK(f.get("/").result_int() == 404);
    CHECK(f.get("/healthz/loop").result_int() == 404);
    CHECK(f.get("/healthz", http::verb::post).result_int() == 405);
    CHECK(f.get("/healthz", http::verb::head).result_int() == 200);
}

TEST_CASE("a warning is told to who asks, and fails nothing", "[core][health]")
{
    fixture f;
    std::optional<std::string> trouble = "not seen for 700 s";
    f.checks.add_warning("watches", [&] { return trouble; });
    for (const char* target : {"/healthz", "/readyz"})
    {
        CHECK(f.get(target).result_int() == 200);
        CHECK(f.get(target).body() == "ok\n");
    }
    CHECK(f.get("/healthz?verbose").result_int() == 200);
    CHECK(f.get("/healthz?verbose").body() == "[+]loop ok\n[!]watches warns: not seen for 700 s\nok\n");
    CHECK(
        f.get("/readyz?verbose").body() ==
        "[+]cache ok\n[+]socket ok\n[!]watches warns: not seen for 700 s\nok\n"
    );
    trouble.reset();
    CHECK(f.get("/healthz?verbose").body() == "[+]loop ok\n[+]watches ok\nok\n");
}

TEST_CASE("a failure is told with the warnings", "[core][health]")
{
    fixture f;
    f.cache_trouble = "not synced";
    f.checks.add_warning("watches", [] { return std::optional<std::string>("slow"); });
    const auto answer = f.get("/readyz");
    CHECK(answer.result_int() == 503);
    CHECK(answer.body() == "[-]cache failed: not synced\n[+]socket ok\n[!]watches warns: slow\nnot ok\n");
}

TEST_CASE("a check may be replaced and removed", "[core][health]")
{
    fixture f;
    const auto bad = [] { return std::optional<std::string>("bad"); };
    f.checks.add_liveness("loop", bad);
    CHECK(f.get("/healthz").result_int() == 503);
    f.checks.add_readiness("loop", bad);
    f.checks.add_warning("loop", bad);
    f.checks.remove("loop");
    f.checks.remove("nobody");
    CHECK(f.get("/healthz?verbose").body() == "ok\n");
    CHECK(f.get("/readyz?verbose").body() == "[+]cache ok\n[+]socket ok\nok\n");
}
