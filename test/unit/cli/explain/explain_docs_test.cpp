#include "gateway_world.hpp"

#include <fstream>
#include <sstream>

using namespace portitor;
using namespace portitor::cli::explain::samples;

namespace {

/// One block of the page: "$ portitor explain WORDS", and what it prints.
struct shown
{
    std::vector<std::string> words;
    std::string said;
};

std::vector<shown> shown_in(const std::string& file)
{
    std::ifstream page(file);
    REQUIRE(page.is_open());
    std::vector<shown> out;
    bool is_block = false;
    for (std::string line; std::getline(page, line);)
    {
        const std::string command = "$ portitor ";
        if (line.starts_with("```"))
            is_block = line == "```console";
        else if (is_block && line.starts_with(command))
        {
            std::istringstream typed(line.substr(command.size()));
            out.emplace_back();
            for (std::string word; typed >> word;)
                out.back().words.push_back(word);
        }
        else if (is_block)
            out.back().said += line + "\n";
    }
    return out;
}

/// The market that the page shows.
struct documented_world : gateway_world
{
    documented_world()
        : gateway_world(listener_of("web", "HTTP", 8000) + "," + listener_of("websecure", "HTTPS", 8443))
    {
        create(
            api::config_map_resource,
            R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"portitor",)"
            R"("name":"portitor-config"},"data":{"portitor.yaml":)"
            R"("public-url: https://api.example.com\ndefault-facilitator: https://www.x402.org/facilitator\n"}})"
        );
        sell(R"(,"publicURL":"https://api.example.com/services/web","maxTimeoutSeconds":60,)"
             R"("description":"says hello")");
        report(api::payment_route_resource, "web-payment", R"({"admitted":true,"lastAdmittedGeneration":1})");
        const auto is_true = [](const char* type) {
            return fmt::format(
                R"({{"type":"{}","status":"True","reason":"Fine","message":"","observedGeneration":1,)"
                R"("lastTransitionTime":"2026-01-01T00:00:00Z"}})",
                type
            );
        };
        report(
            api::service_offer_resource,
            "web",
            fmt::format(
                R"({{"observedGeneration":1,"conditions":[{},{},{}]}})",
                is_true("UpstreamHealthy"),
                is_true("PaymentGateReady"),
                is_true("RoutePublished")
            )
        );
        route("so-web", "/services/web", through({"gate"}) + "," + to("web"));
        route("legacy", "/services", to("web"));
        route("moved", "/old", R"("filters":[)" + redirect + "]");
    }
};

}  // namespace

TEST_CASE("docs/explain.md shows what the command prints", "[cli][explain]")
{
    documented_world w;
    const auto all = shown_in("docs/explain.md");
    CHECK(all.size() >= 3);
    for (const shown& each : all)
    {
        const auto told = w.run(each.words);
        CHECK(told.out == each.said);
        CHECK(told.err.empty());
    }
}
