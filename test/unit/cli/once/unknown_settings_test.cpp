#include "once_world.hpp"

using namespace portitor;
using namespace portitor::cli::once::samples;

namespace json = boost::json;

namespace {

/// An installation where nothing is by default.
constexpr const char* of_the_operator = R"(
public-url: https://api.example.com
gateway: edge/public
gateway-section: https
gateway-controller: example.com/gateway
gateway-url: http://edge.edge.svc
verifier-url: http://gate.elsewhere.svc:9000
facilitators:
- {name: mine, url: "https://mine.example.com/x402"}
default-facilitator: mine
gate-key-file: /secrets/gate-key
credentials:
- {name: key, file: /secrets/key, namespaces: [shop]}
networks:
- network: "eip155:4242"
  aliases: [own-chain]
  tokens:
  - {symbol: OWN, address: "0x036CbD53842c5426634e7929541eC2318f3dCF7e", name: Own, version: "1", decimals: 9}
)";

constexpr const char* elsewhere = "--release-namespace=elsewhere";

/// Of one that the lists of the operator decide about.
std::string edited(const std::string& price)
{
    std::string out = written("hello", "price: {perRequest: \"" + price + "\"}");
    out.replace(out.find("base-sepolia"), 12, "own-chain");
    out.replace(out.find("port: 8080"), 10, "port: 8080, credential: key");
    return out;
}

struct settled_world : once_world
{
    settled_world()
    {
        settings(of_the_operator);
        gateway_controller = "example.com/gateway";
        create_offer("plain");
        create(
            api::service_offer_resource,
            R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer",
                "metadata":{"namespace":"shop","name":"hello"},
                "spec":{"upstream":{"service":"web","port":8080,"credential":"key"},
                        "payment":{"network":"own-chain",
                                   "payTo":"0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
                                   "price":{"perRequest":"0.001"}}}})"
        );
        settle_wholly({"plain", "hello"});
    }
};

}  // namespace

TEST_CASE("where the settings are not known, the live objects show them", "[cli][once]")
{
    settled_world w;
    // It is settled by the settings themselves.
    CHECK(kube::int_at(w.look({"-A"}, 0), "plan.same") == 6);
    w.dry_runs = 0;
    const json::object said = w.look({"-A", elsewhere}, 0);
    CHECK(kube::int_at(said, "plan.same") == 6);
    CHECK(w.dry_runs == 0);
    CHECK(kube::string_at(said, "lookedAt.settings")
              .starts_with("what each offer's live objects show of them, and defaults: the ConfigMap "
                           "elsewhere/portitor-config is not there"));
    const json::object& terms = said.at("offers").at(0).at("terms").as_object();
    CHECK(kube::string_at(terms, "facilitator.url") == "https://mine.example.com/x402");
    CHECK(kube::string_at(terms, "endpoint") == "https://api.example.com/services/hello");
    CHECK(said.at("offers").at(0).at("byDefaults") == false);
}

TEST_CASE("of an edit nothing shows but the edit where the settings are not known", "[cli][once]")
{
    settled_world w;
    const json::object said = w.only(edited("0.002"), 2, {elsewhere});
    CHECK(action_of(said, "PaymentRoute") == "change");
    CHECK(action_of(said, "Middleware") == "same");
    CHECK(action_of(said, "HTTPRoute") == "same");
    std::vector<std::string> lines;
    for (const json::value& each : said.at("children").at(0).at("diff").as_array())
    {
        const std::string line(each.as_string());
        if (line.starts_with('-') || line.starts_with('+'))
            lines.push_back(line);
    }
    CHECK(lines == std::vector<std::string>{"-  price: \"1000000\"", "+  price: \"2000000\""});
}

TEST_CASE("an offer without objects is judged by defaults, and told so", "[cli][once]")
{
    once_world w;
    const json::object said = w.only(written("new"), 2);
    CHECK(said.at("byDefaults") == true);
    CHECK(
        w.run({"once", "-f", "-"}, written("new"))
            .out.find("judged by defaults: no object of this offer shows the operator's settings") !=
        std::string::npos
    );
    CHECK(w.only(written("new"), 2, {"--local"}).at("byDefaults") == false);
    w.settings("public-url: https://api.example.com\n");
    CHECK(w.only(written("new"), 2).at("byDefaults") == false);
}

TEST_CASE(
    "a host that the live offer is published on is its own, also where no object shows it", "[cli][once]"
)
{
    once_world w;
    w.create(
        api::service_offer_resource,
        R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","metadata":{"namespace":"shop","name":"own"},
            "spec":{"hostname":"own.example.com","upstream":{"service":"web","port":8080},
                    "payment":{"network":"base-sepolia","payTo":"0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
                               "price":{"perRequest":"0.001"}}}})"
    );
    const auto blocked = [&] {
        const json::object said = w.look({"shop/own"}, 2);
        return kube::string_at(said.at("offers").at(0).as_object(), "blocked.reason");
    };
    CHECK(blocked() == "HostNotAllowed");
    w.report(
        api::service_offer_resource,
        "own",
        R"({"conditions":[{"type":"RoutePublished","status":"True","reason":"Published","message":"m",
            "observedGeneration":1,"lastTransitionTime":"2026-11-24T20:00:00Z"}]})"
    );
    CHECK(blocked().empty());
}

TEST_CASE("what is given by flags counts before what live objects show", "[cli][once]")
{
    settled_world w;
    const json::object said = w.look(
        {"shop/plain",
         elsewhere,
         "--default-facilitator=https://given.example.com",
         "--public-url=https://other.example.com",
         "--verifier-url=http://given.svc:1"},
        2
    );
    const json::object& offer = said.at("offers").at(0).as_object();
    CHECK(kube::string_at(offer, "terms.facilitator.url") == "https://given.example.com");
    CHECK(kube::string_at(offer, "terms.endpoint") == "https://other.example.com/services/plain");
    CHECK(action_of(offer, "Middleware") == "change");
    // It would be published on the host of that public URL.
    CHECK(action_of(offer, "HTTPRoute") == "change");
}
