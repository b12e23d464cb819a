#include "../../offer/offer_world.hpp"
#include "catch.hpp"
#include "offer/paid_path.hpp"
#include "roles/controller/facilitator_probe.hpp"
#include "roles/controller/gate_probe.hpp"
#include "roles/controller/model_list.hpp"
#include "roles/controller/model_probe.hpp"
#include "roles/controller/upstream_probe.hpp"
#include "run.hpp"

#include <boost/asio/io_context.hpp>

using namespace portitor;
using namespace portitor::controller;
using namespace portitor::offer;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using test::world;

namespace {

// A body in one piece. Where it has been read to its end, its connection is free for the next request.
class whole_body final : public http::body_stream
{
public:
    whole_body(http::response answer, bool& read) : answer_(std::move(answer)), read_(read) {}
    unsigned status_code() const override { return answer_.result_int(); }
    const boost::beast::http::fields& headers() const override { return answer_; }
    boost::asio::awaitable<result<std::string>> read_some(std::chrono::milliseconds) override
    {
        read_ = answer_.body().empty();
        co_return std::exchange(answer_.body(), "");
    }

private:
    http::response answer_;
    bool& read_;
};

// Answers what a test wants and keeps what it was asked.
class scripted_client final : public http::client
{
public:
    std::optional<http::response> answer;  // none: the server is not reached
    http::origin server;
    http::request message;
    bool read_to_end = false;  // the body of what was opened last

    void says(unsigned status, std::string body = "", std::string_view route = "")
    {
        answer = http::make_response(http::status(status), std::move(body), "application/json");
        if (!route.empty())
            answer->set("X-Portitor-Route", boost::beast::string_view(route.data(), route.size()));
    }

    boost::asio::awaitable<result<http::response>>
    send(http::origin to, http::request asked, http::client_options) override
    {
        server = std::move(to);
        message = std::move(asked);
        if (!answer)
            co_return fail(errc::unavailable, "connection refused");
        co_return *answer;
    }

    boost::asio::awaitable<result<std::unique_ptr<http::body_stream>>>
    open(http::origin to, http::request asked, http::client_options) override
    {
        server = std::move(to);
        message = std::move(asked);
        if (!answer)
            co_return fail(errc::unavailable, "connection refused");
        std::unique_ptr<http::body_stream> body = std::make_unique<whole_body>(*answer, read_to_end);
        co_return body;
    }

    result<void> use_tls(const http::tls_settings&) override { return {}; }
};

template <typename Poller, typename Target, typename Result>
typename Poller::finding ask(typename Poller::question& question, const Target& about, Result before)
{
    boost::asio::io_context context;
    return test::run(context, question(about, before));
}

}  // namespace

TEST_CASE("an upstream is healthy by 2xx alone", "[controller][probe]")
{
    scripted_client client;
    auto question = ask_upstream(client, 10s);
    const std::string url = "http://web.shop.svc:8080/health";
    probe_result last;
    for (const unsigned code : {200U, 204U, 299U})
    {
        client.says(code);
        const auto found = ask<upstream_poller>(question, url, last);
        CHECK(found.result.health == probe_result::verdict::healthy);
        CHECK(found.again == 10s);
    }
    CHECK(client.server.to_string() == "http://web.shop.svc:8080");
    CHECK(client.message.target() == "/health");
    unsigned failures = 0;
    for (const unsigned code : {199U, 301U, 302U, 404U, 500U})
    {
        client.says(code, "a secret");
        const auto found = ask<upstream_poller>(question, url, last);
        CHECK(found.result.health == probe_result::verdict::unhealthy);
        CHECK(found.result.failure == fmt::format("HTTP {}", code));
        CHECK(found.result.consecutive_failures == ++failures);
        CHECK(found.again == 2s);
        CHECK(client.read_to_end);
        last = found.result;
    }
    client.answer.reset();
    CHECK(ask<upstream_poller>(question, url, last).result.failure == "connection refused");
    client.says(200);
    CHECK(ask<upstream_poller>(question, url, last).result.consecutive_failures == 0);
}

TEST_CASE("a runtime's list of models is read strictly", "[controller][model]")
{
    const model_target ollama{"http://o.llm.svc:11434", "ollama", "qwen3:0.6b"};
    const model_target untagged{"http://o.llm.svc:11434", "ollama", "qwen3"};
    const model_target vllm{"http://v.llm.svc:8000", "vllm", "meta/llama"};
    const char* const tags = R"({"models":[{"name":"qwen3:0.6b","size":1},{"name":"qwen3:latest"}]})";
    CHECK(lists_model(ollama, tags).value());
    CHECK(lists_model(untagged, tags).value());
    CHECK_FALSE(lists_model({"", "ollama", "qwen"}, tags).value());
    CHECK_FALSE(lists_model({"", "ollama", "qwen3:0.6"}, tags).value());
    CHECK(lists_model(vllm, R"({"object":"list","data":[{"id":"meta/llama","object":"model"}]})").value());
    CHECK_FALSE(lists_model({"", "vllm", "meta/llama:latest"}, R"({"data":[{"id":"meta/llama"}]})").value());
    CHECK_FALSE(lists_model(vllm, R"({"data":[]})").value());
    CHECK(lists_model(ollama, std::string(tags) + "\n").value());
    CHECK(lists_model(vllm, R"({"data":[{"of":{"id":"x"},"id":"meta/llama","parts":["a"]}]})").value());
    for (const char* elsewhere :
         {R"({"data":[{"of":{"id":"meta/llama"}}]})",
          R"({"data":["meta/llama"],"id":"meta/llama"})",
          R"({"data":[["id","meta/llama"]]})",
          R"({"data":[],"more":[{"id":"meta/llama"}]})",
          R"({"data":[{"id":["meta/llama"]}]})"})
        CHECK_FALSE(lists_model(vllm, elsewhere).value());
    CHECK(lists_model(vllm, R"({"of":{"data":[{"id":"meta/llama"}]}})").has_error());
    CHECK(lists_model(vllm, R"({"data":[]} x)").has_error());
    CHECK_FALSE(lists_model(vllm, R"({"data":[1,null,{"id":7},{"name":"meta/llama"}]})").value());
    for (const char* broken :
         {"", "[]", "{}", "{\"data\":{}}", "{\"models\":[]}", "<html>", "{\"data\":[", "{\"data\":null}"})
    {
        INFO(broken);
        const auto read = lists_model(vllm, broken);
        REQUIRE(read.has_error());
        CHECK_THAT(read.error().message(), !Contains("html"));
    }
    CHECK(lists_model(vllm, std::string(100'000, '[')).has_error());
}

TEST_CASE("a runtime is asked in its own way", "[controller][model]")
{
    scripted_client client;
    auto question = ask_for_model(client);
    const model_target ollama{"http://o.llm.svc:11434", "ollama", "qwen3"};
    client.says(200, R"({"models":[{"name":"qwen3:latest"}]})");
    CHECK(ask<model_poller>(question, ollama, model_listing()).result.said == model_listing::verdict::listed);
    CHECK(client.message.target() == "/api/tags");
    const model_target vllm{"http://v.llm.svc:8000", "vllm", "llama"};
    client.says(200, R"({"data":[{"id":"another"}]})");
    CHECK(ask<model_poller>(question, vllm, model_listing()).result.said == model_listing::verdict::missing);
    CHECK(client.message.target() == "/v1/models");
    client.says(404, "no secret is told");
    const auto found = ask<model_poller>(question, vllm, model_listing());
    CHECK(found.result.said == model_listing::verdict::unreadable);
    CHECK(found.result.failure == "HTTP 404");
    client.answer.reset();
    CHECK(ask<model_poller>(question, vllm, model_listing()).result.failure == "connection refused");
}

TEST_CASE("the gate is proved by its own refusal", "[controller][proof]")
{
    scripted_client client;
    auto question = ask_gateway(client);
    const proof_target about{
        "http://traefik.traefik.svc/services/hello", "api.example.com", "shop/hello", "1"};
    for (const unsigned code : {402U, 503U, 403U})
    {
        client.says(code, "", "shop/hello");
        const auto found = ask<gate_poller>(question, about, gate_proof());
        CHECK(found.result.said == gate_proof::verdict::proved);
        CHECK(found.again == 5min);
    }
    CHECK(client.message[http::field::host] == "api.example.com");
    CHECK(client.server.to_string() == "http://traefik.traefik.svc");
    CHECK(client.message.target() == "/services/hello");
}

TEST_CASE("what is no refusal of the gate disproves it the second time", "[controller][proof]")
{
    scripted_client client;
    auto question = ask_gateway(client);
    const proof_target about{"http://traefik.traefik.svc/services/hello", "", "shop/hello", "1"};
    gate_proof last;
    last.said = gate_proof::verdict::proved;
    const auto next = [&] {
        const auto found = ask<gate_poller>(question, about, last);
        last = found.result;
        return found;
    };
    client.says(402, "", "shop/other");
    CHECK(next().again == 5s);
    CHECK(last.said == gate_proof::verdict::proved);
    client.says(404);
    CHECK(next().again == 5s);
    CHECK(last.said == gate_proof::verdict::not_proved);
    CHECK_THAT(last.failure, Contains("HTTP 404"));
    // Asked less and less often, so that a gateway that was only slow is soon found right.
    CHECK(next().again == 5s);
    CHECK(next().again == 10s);
    for (int i = 0; i < 10; ++i)
        next();
    CHECK(next().again == 30s);
    client.says(402, "", "shop/hello");
    next();
    CHECK(last.said == gate_proof::verdict::proved);
    CHECK(last.failures == 0);
    client.answer.reset();
    next();
    next();
    CHECK(last.failure == "connection refused");
    CHECK(last.said == gate_proof::verdict::not_proved);
}

TEST_CASE("an answer without the gate opens it at once, but for the time of a change", "[controller][proof]")
{
    scripted_client client;
    auto question = ask_gateway(client);
    const proof_target about{"http://traefik.traefik.svc/services/hello", "", "shop/hello", "1"};
    // It had been proved: one 2xx is enough, whoever is named in it.
    gate_proof last;
    last.said = gate_proof::verdict::proved;
    client.says(200, "free", "shop/hello");
    CHECK(ask<gate_poller>(question, about, last).result.said == gate_proof::verdict::open);

    // The gateway may still serve what was there before.
    last = gate_proof();
    std::chrono::milliseconds passed{0};
    int questions = 0;
    while (last.said == gate_proof::verdict::unknown)
    {
        const auto found = ask<gate_poller>(question, about, last);
        last = found.result;
        if (last.said == gate_proof::verdict::unknown)
            passed += found.again;
        REQUIRE(++questions < 100);
    }
    CHECK(last.said == gate_proof::verdict::open);
    CHECK(passed >= 5s);
    CHECK(passed <= 10s);
}

TEST_CASE("the path of a proof is one that costs something", "[controller][proof]")
{
    api::payment_route route;
    route.pattern = "/services/hello/*";
    const auto rule = [](std::string_view pattern, api::gate access) {
        api::payment_rule out;
        out.pattern = api::path_pattern::parse(pattern).value();
        out.access = access;
        return out;
    };
    CHECK(paid_path(route) == "/services/hello/*");
    route.rules = {rule("/free", api::gate::free)};
    CHECK(paid_path(route) == "/services/hello/*");
    // What nobody can guess comes before what is written in the offer.
    route.rules = {
        rule("/*", api::gate::free),
        rule("/report", api::gate::paid),
        rule("/users/*/export", api::gate::paid)};
    CHECK(paid_path(route) == "/services/hello/users/*/export");
    route.rules = {rule("/*", api::gate::free), rule("/report", api::gate::paid)};
    CHECK(paid_path(route) == "/services/hello/report?proof=*");
    route.rules = {rule("/*", api::gate::free), rule("/files/*", api::gate::paid)};
    CHECK(paid_path(route) == "/services/hello/files/*");
    route.rules = {rule("/*", api::gate::paid), rule("/portitor", api::gate::free)};
    CHECK(paid_path(route) == "/services/hello/*");
    route.rules = {rule("/*", api::gate::free), rule("/free", api::gate::free)};
    CHECK(paid_path(route) == "/services/hello/?proof=*");
    route.rules.push_back(rule("/", api::gate::free));
    CHECK_FALSE(paid_path(route));
    route.pattern = "/*";
    route.rules.clear();
    CHECK(paid_path(route) == "/*");
}

TEST_CASE("each question is about another path, which nobody can guess", "[controller][proof]")
{
    scripted_client client;
    auto question = ask_gateway(client);
    std::set<std::string> paths;
    for (const char* path : {"/services/hello/*", "/services/hello/report?proof=*"})
    {
        for (int i = 0; i < 3; ++i)
        {
            client.says(402);
            ask<gate_poller>(
                question,
                proof_target{
                    "http://traefik.traefik.svc" + std::string(path), "api.example.com", "shop/hello", "1"},
                gate_proof()
            );
            const std::string target(client.message.target());
            CHECK(target.size() == std::string_view(path).size() - 1 + 32);
            CHECK(target.find_first_of("*") == target.npos);
            paths.insert(target);
        }
    }
    CHECK(paths.size() == 6);
}

TEST_CASE("what another route answers is not what the gate lets through", "[controller][proof]")
{
    scripted_client client;
    std::string other = "HTTPRoute bob/trick, spec.rules[0] (PathPrefix /services/hello)";
    std::string asked;
    auto question = ask_gateway(client, [&](const proof_target& about, auto host, auto path) {
        asked = about.route + " " + std::string(host) + " " + std::string(path.substr(0, 16));
        return other;
    });
    const proof_target about{
        "http://traefik.traefik.svc/services/hello/*", "api.example.com:8443", "shop/hello", "1"};
    gate_proof last;
    last.said = gate_proof::verdict::proved;
    client.says(200);
    auto found = ask<gate_poller>(question, about, last);
    CHECK(found.result.said == gate_proof::verdict::elsewhere);
    CHECK(found.result.other == other);
    CHECK(asked == "shop/hello api.example.com /services/hello/");
    CHECK(found.again <= 30s);
    // It is asked when the answer comes, and not later.
    other.clear();
    CHECK(ask<gate_poller>(question, about, found.result).result.said == gate_proof::verdict::open);
    other = "HTTPRoute bob/trick";
    client.says(302);
    found = ask<gate_poller>(question, about, last);
    CHECK(found.result.said == gate_proof::verdict::proved);
    found = ask<gate_poller>(question, about, found.result);
    CHECK(found.result.said == gate_proof::verdict::not_proved);
    CHECK(found.result.other == other);
}

TEST_CASE("a route is published once its gate is proved", "[controller][proof]")
{
    world all;
    all.settings.gateway.gateway_url = "http://traefik.traefik.svc";
    all.healthy();
    all.settle();
    CHECK_FALSE(all.look().ask.gate);
    all.admit();
    all.publish();
    all.settle();
    CHECK(all.verdict("RoutePublished") == "Unknown/ProvingGate");
    CHECK(all.verdict("Ready") == "False/ProvingGate");
    const auto target = all.look().ask.gate;
    REQUIRE(target);
    CHECK(target->url == "http://traefik.traefik.svc/services/hello/*");
    CHECK(target->host == "api.example.com");
    CHECK(target->route == "shop/hello");

    all.seen.proof.said = gate_proof::verdict::proved;
    all.settle();
    CHECK(all.verdict("RoutePublished") == "True/Published");
    CHECK(all.verdict("Ready") == "True/Ready");

    // A controller that has just started does not take it back.
    all.seen.proof = gate_proof();
    CHECK(all.look().empty());

    all.seen.proof.said = gate_proof::verdict::not_proved;
    all.seen.proof.failure = "HTTP 404, which the gate did not say";
    all.settle();
    CHECK(all.verdict("RoutePublished") == "False/GateNotProved");
    CHECK_THAT(all.condition("RoutePublished").message, Contains("HTTP 404"));
    REQUIRE(all.seen.http_route);

    // A new price is the verifier's affair; another Middleware is to be proved anew.
    all.seen.proof.said = gate_proof::verdict::proved;
    all.edit("/spec/payment/price/perRequest", "\"0.02\"");
    all.sell();
    CHECK(all.look().ask.gate == target);
    all.seen.middleware = nullptr;
    all.settle();
    CHECK(all.look().ask.gate != target);
}

TEST_CASE("nothing is proved where nobody can ask, or all is free", "[controller][proof]")
{
    world all;
    all.sell();
    CHECK_FALSE(all.look().ask.gate);
    CHECK(all.verdict("Ready") == "True/Ready");
    all.settings.gateway.gateway_url = "http://traefik.traefik.svc";
    all.edit("/spec/routes", R"([{"path": "/*", "gate": "free"}, {"path": "/", "gate": "free"}])");
    all.sell();
    CHECK_FALSE(all.look().ask.gate);
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("an offer with a host of its own is proved there", "[controller][proof]")
{
    world all;
    all.settings.gateway.gateway_url = "http://traefik.traefik.svc";
    all.edit("/spec/hostname", "\"shop.example.org\"");
    all.sell();
    CHECK(all.look().ask.gate.value().host == "shop.example.org");
}

TEST_CASE("what the runtime lists is a condition, and does not decide the sale", "[controller][model]")
{
    world all;
    all.edit("/spec/type", "\"inference\"");
    all.sell();
    CHECK(all.verdict("ModelReady") == "False/MissingModel");
    CHECK_FALSE(all.look().ask.model);
    CHECK(all.verdict("Ready") == "True/Ready");
    all.edit("/spec/model", R"({"name": "qwen3", "runtime": "ollama"})");
    all.sell();
    CHECK(all.verdict("ModelReady") == "Unknown/Asking");
    const auto target = all.look().ask.model.value();
    CHECK(target == model_target{"http://web.shop.svc:8080", "ollama", "qwen3"});
    all.seen.model.said = model_listing::verdict::listed;
    all.settle();
    CHECK(all.verdict("ModelReady") == "True/Listed");
    all.seen.model = model_listing();
    CHECK(all.look().empty());
    all.seen.model.said = model_listing::verdict::missing;
    all.settle();
    CHECK(all.verdict("ModelReady") == "False/NotListed");
    CHECK(all.verdict("Ready") == "True/Ready");
    all.seen.model = {model_listing::verdict::unreadable, "HTTP 404"};
    all.settle();
    CHECK(all.verdict("ModelReady") == "False/RuntimeUnreadable");
    CHECK_THAT(all.condition("ModelReady").message, Contains("HTTP 404"));
}

TEST_CASE(
    "what a facilitator serves is asked at /supported, and believed when it says so twice",
    "[controller][probe]"
)
{
    scripted_client client;
    const x402::network_table known = x402::network_table::built_in();
    auto question = ask_facilitator(client, known);
    const std::string url = "https://f.example/x402/";
    using verdict = facilitator_word::verdict;
    const auto listing = [](const char* name) {
        return fmt::format(
            R"({{"kinds": [{{"x402Version": 2, "scheme": "exact", "network": "{}"}}]}})", name
        );
    };
    facilitator_poller::finding found;
    const auto look = [&] {
        found = ask<facilitator_poller>(question, url, found.result);
        return found.result.said;
    };

    client.says(200, listing("eip155:1"));
    CHECK(look() == verdict::unasked);
    CHECK(client.message.target() == "/x402/supported");
    CHECK(client.message.count("Authorization") == 0);
    CHECK(found.again <= 1s);
    CHECK(look() == verdict::listed);
    CHECK(found.again == 30s);
    CHECK(found.result.served->has("eip155:1"));

    // Another list once is no other list yet; more is more at once.
    client.says(200, listing("base"));
    look();
    CHECK(found.result.served->has("eip155:1"));
    client.says(200, listing("eip155:1"));
    look();
    client.says(200, listing("base"));
    look();
    CHECK(found.result.served->has("eip155:1"));
    look();
    CHECK_FALSE(found.result.served->has("eip155:1"));
    CHECK(found.result.served->has("eip155:8453"));
    client.says(200, listing("eip155:8453").insert(11, R"({"scheme": "exact", "network": "eip155:1"},)"));
    look();
    CHECK(found.result.served->has("eip155:1"));

    // What does not answer has not changed its mind before the third time.
    for (const unsigned status : {500U, 302U, 404U})
    {
        CHECK(found.result.said == verdict::listed);
        client.says(status, "internal text");
        look();
    }
    CHECK(found.result.said == verdict::unknown);
    CHECK(found.result.failure == "HTTP 404");
    client.answer.reset();
    CHECK(look() == verdict::unknown);
    CHECK(found.result.failure == "connection refused");
}
