#include "sell_world.hpp"

#include <fstream>
#include <sstream>

using namespace portitor;
using namespace portitor::cli::samples;
using api::service_offer_resource;

namespace {

/// A block of the page that no cluster is needed for: a command, and both of its outputs.
struct shown
{
    std::vector<std::string> words;
    std::string said;
};

/// The blocks that begin with `portitor WORDS`, of these subcommands of sell.
std::vector<shown> shown_in(const std::string& file, const std::vector<std::string>& subcommands)
{
    std::ifstream page(file);
    REQUIRE(page.is_open());
    std::vector<shown> out;
    bool is_block = false;
    bool is_first = false;
    for (std::string line; std::getline(page, line);)
    {
        if (line.starts_with("```"))
            is_block = is_first = line == "```text";
        else if (std::exchange(is_first, false))
        {
            std::istringstream typed(line);
            std::vector<std::string> words;
            for (std::string word; typed >> word;)
                words.push_back(word);
            is_block = words.size() > 2 && words[1] == "sell" &&
                       std::find(subcommands.begin(), subcommands.end(), words[2]) != subcommands.end();
            if (is_block)
                out.push_back({{words.begin() + 1, words.end()}, ""});
        }
        else if (is_block)
            out.back().said += line + "\n";
    }
    return out;
}

/// The shop of the page: a model, and a service that went away after it was sold.
struct documented_world : sell_world
{
    documented_world()
    {
        create(
            api::service_resource,
            R"({"apiVersion":"v1","kind":"Service","metadata":{"namespace":"shop","name":"ollama"},)"
            R"("spec":{"ports":[{"port":11434}]}})"
        );
        sell_http("web");
        const std::string unhealthy =
            "http://web.shop.svc:8080/health: HTTP 503; see that Service web has ready endpoints that answer "
            "there with 2xx, or correct spec.upstream. It is probed every 10 s, and nobody is asked to pay "
            "before it answers";
        const auto condition =
            [](const char* type, const char* status, const char* reason, const std::string& words) {
                return fmt::format(
                    R"({{"type":"{}","status":"{}","reason":"{}","message":"{}","observedGeneration":1,)"
                    R"("lastTransitionTime":"2026-11-24T19:00:00Z"}})",
                    type,
                    status,
                    reason,
                    words
                );
            };
        report(
            service_offer_resource,
            "web",
            fmt::format(
                R"({{"observedGeneration":1,"phase":"Suspended","endpoint":"https://api.example.com/services/web",)"
                R"("conditions":[{},{},{},{},{}]}})",
                condition("UpstreamHealthy", "False", "Unhealthy", unhealthy),
                condition(
                    "PaymentGateReady",
                    "True",
                    "Admitted",
                    "the verifier sells this offer on its present terms"
                ),
                condition(
                    "RoutePublished",
                    "True",
                    "Published",
                    "Gateway traefik/traefik-gateway publishes the route, and refuses it unpaid"
                ),
                condition("Registered", "True", "Disabled", "spec.registration.enabled is false"),
                condition("Ready", "False", "Unhealthy", "UpstreamHealthy: " + unhealthy)
            )
        );
        create(
            api::payment_route_resource,
            fmt::format(
                R"({{"apiVersion":"obol.org/v1alpha1","kind":"PaymentRoute","metadata":{{"namespace":"shop",)"
                R"("name":"web-payment","ownerReferences":[{{"apiVersion":"obol.org/v1alpha1",)"
                R"("kind":"ServiceOffer","name":"web","controller":true,"uid":"{}"}}]}},)"
                R"("spec":{{"pattern":"/services/web/*","price":"1000","network":"eip155:84532",)"
                R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","suspended":true,)"
                R"("facilitatorURL":"https://www.x402.org/facilitator","payTo":"{}"}}}})",
                offer("web").meta.uid,
                seller
            )
        );
        report(api::payment_route_resource, "web-payment", R"({"admitted":true,"lastAdmittedGeneration":1})");
        between = [](std::unique_ptr<kube::api> inner) -> std::unique_ptr<kube::api> {
            return std::make_unique<dated_api>(std::move(inner), "Tue, 24 Nov 2026 20:00:00 GMT");
        };
    }
};

}  // namespace

TEST_CASE("docs/sell.md shows what is told of an offer that is not sold, and of a model", "[cli][sell]")
{
    documented_world world;
    const auto all = shown_in("docs/sell.md", {"status", "inference"});
    CHECK(all.size() == 2);
    for (const shown& each : all)
    {
        const auto told = world.run(each.words);
        CHECK(told.err + told.out == each.said);
    }
}
