#include "once_world.hpp"

#include <ctime>

using namespace portitor;
using namespace portitor::cli::once::samples;

namespace json = boost::json;

TEST_CASE("once shows what a file would come to, as a command and as a role", "[cli][once]")
{
    for (const char* first : {"once", "--role=once"})
    {
        once_world w;
        const auto shown = w.run({first, "--local", "-f", "-"}, written("hello"));
        CHECK(shown.code == 2);
        CHECK(shown.out.find("Looked at files alone (--local).") == 0);
        CHECK(shown.out.find("\nshop/hello (new, from -)\n") != std::string::npos);
        CHECK(shown.out.find("0.001 USDC on Base Sepolia a request\n") != std::string::npos);
        CHECK(shown.out.find("  + create PaymentRoute shop/hello-payment\n") != std::string::npos);
        CHECK(shown.out.find("Plan: 3 to create, 0 to change, 0 to delete, 0 blocked;") != std::string::npos);
        CHECK(w.dry_runs == 0);
    }
}

TEST_CASE("once takes the names of offers as words", "[cli][once]")
{
    once_world w;
    w.create_offer("live");
    const std::string two = written("hello") + written("world");
    CHECK(kube::array_at(w.look({"shop/world"}, 2, two), "offers").size() == 1);
    CHECK(kube::array_at(w.look({"shop/live"}, 2, two), "offers").size() == 1);
    CHECK(kube::array_at(w.look({"-A"}, 2, two), "offers").size() == 3);
    const json::object none = w.look({"shop/absent"}, 1, two);
    CHECK(none.at("errors").at(0).as_string() == "ServiceOffer shop/absent is not there");
    for (const std::vector<std::string>& wrong :
         {std::vector<std::string>{"once"},
          {"once", "a/b/c"},
          {"once", "-A", "--local"},
          {"once", "-A", "-o", "xml"}})
        CHECK(w.run(wrong).code == 1);
}

TEST_CASE("once asks the server about what differs, and writes nothing", "[cli][once]")
{
    once_world w;
    const json::object created = w.only(written("hello"), 2);
    CHECK(kube::string_at(created, "standing") == "new");
    CHECK(action_of(created, "HTTPRoute") == "create");
    CHECK(w.dry_runs == 4);
    w.dry_runs = 0;
    w.only(written("hello"), 2, {"--no-dry-run"});
    CHECK(w.dry_runs == 0);
}

TEST_CASE("an older live offer keeps its path from one of a file", "[cli][once]")
{
    once_world w;
    w.create_offer("elder");
    const json::object said = w.only(
        written("young").insert(written("young").find("  upstream"), "  path: /services/elder/x\n"), 2
    );
    CHECK(kube::string_at(said, "blocked.reason") == "PathConflict");
    CHECK(kube::string_at(said, "status.phase") == "Blocked");
}

TEST_CASE("a file that cannot be taken hides no other", "[cli][once]")
{
    once_world w;
    const json::object said = w.look(
        {},
        1,
        written("bad", "price: {perRequest: 7, perNothing: 1}\n    maxTimeoutSeconds: 0") + written("good")
    );
    REQUIRE(kube::array_at(said, "offers").size() == 2);
    CHECK(!said.at("offers").at(0).at("problems").as_array().empty());
    CHECK(!said.at("offers").at(0).as_object().contains("children"));
    CHECK(said.at("offers").at(1).at("children").as_array().size() == 3);
    CHECK(w.run({"once", "-f", "/does/not/exist", "-f", "-"}, written("good")).code == 1);
    CHECK(w.run({"once", "-f", "-"}, "a: [").err.find("line") != std::string::npos);
    CHECK(
        w.run({"once", "-f", "-"}, written("twice") + written("twice")).err.find("stands in - already") !=
        std::string::npos
    );
}

TEST_CASE("all mistakes of a file are named, and what has none is shown", "[cli][once]")
{
    once_world w;
    const auto shown = w.run(
        {"once", "--local", "-f", "-"},
        written("one") + "---\na: [\n---\nspec: {}\n---\nkind: ServiceOffer\n" +
            "---\nkind: List\nitems: [7, {kind: ServiceOffer, metadata: {name: no}}, {kind: Service}]\n" +
            "---\nkind: ServiceOffer\nmetadata: {name: x, namespace: 7}\n---\na: 1\na: 2\n" + written("two")
    );
    CHECK(shown.code == 1);
    CHECK(shown.out.find("\nshop/one (new") != std::string::npos);
    CHECK(shown.out.find("\nshop/two (new") != std::string::npos);
    for (const char* mistake :
         {"-: line 13: ",
          "-: line 25: the key \"a\" comes twice\n",
          "-: the document on line 13 is no Kubernetes object: it has no kind\n",
          "-: the document on line 15 is a ServiceOffer without metadata.name",
          "-: the document on line 17, items[0] is no Kubernetes object",
          "-: the document on line 17, items[1] is a ServiceOffer without metadata.name",
          "-: the document on line 20 is a ServiceOffer whose metadata.namespace is no text"})
    {
        INFO(shown.err << "\nlacks " << mistake);
        CHECK(shown.err.find(mistake) != std::string::npos);
    }

    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "---\nno: kind\n";
    const std::string err = w.run({"once", "--local", "-f", "-"}, many).err;
    CHECK(std::count(err.begin(), err.end(), '\n') < 30);
    CHECK(err.find("-: and more mistakes\n") != std::string::npos);
}

TEST_CASE("a long list of offers is read to its end", "[cli][once]")
{
    once_world w;
    std::string list = "kind: ServiceOfferList\nitems:\n";
    for (int i = 0; i < 3000; ++i)
        list += fmt::format(
            "- apiVersion: obol.org/v1alpha1\n  kind: ServiceOffer\n"
            "  metadata: {{name: offer-{}, namespace: shop}}\n"
            "  spec: {{upstream: {{service: web, port: 8080}}, payment: {{network: base-sepolia, "
            "payTo: \"0x14dC79964da2C08b23698B3D3cc7Ca32193d9955\", price: {{perRequest: \"1\"}}}}}}\n"
            "  status: {{conditions: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t]}}\n",
            i
        );
    const json::object said = w.look({"--local", "shop/offer-2999"}, 2, list);
    CHECK(kube::array_at(said, "offers").size() == 1);
}

TEST_CASE("the operator's selector leaves offers out, once's own shows some", "[cli][once]")
{
    once_world w;
    const json::object passed = w.only(written("hello"), 0, {"--offer-selector", "mine=yes"});
    CHECK(kube::string_at(passed, "passedOver").find("mine=yes") != std::string::npos);
    w.create_offer("live");
    w.patch(
        api::service_offer_resource, "live", R"([{"op":"add","path":"/metadata/labels","value":{"a":"b"}}])"
    );
    CHECK(kube::array_at(w.look({"-l", "a=b"}, 2), "offers").size() == 1);
    CHECK(kube::array_at(w.look({"-l", "a!=b"}, 0), "offers").empty());
}

TEST_CASE("texts of others do not reach a terminal raw, secrets not at all", "[cli][once]")
{
    once_world w;
    const auto shown = w.run(
        {"once", "-f", "-", "-v", "--default-facilitator=https://f.example/x?key=abc"},
        written("hello").append("  registration: {description: \"\\e[31mred\"}\n")
    );
    const auto as_yaml = w.run(
        {"once", "-f", "-", "-o", "yaml"},
        written("hello") + "  registration: {description: \"x\\e[31mred\"}\n"
    );
    CHECK(as_yaml.out.find("[31mred") != std::string::npos);
    CHECK(as_yaml.out.find('\x1b') == std::string::npos);
    CHECK(shown.code == 2);
    CHECK(shown.out.find('\x1b') == std::string::npos);
    CHECK(shown.out.find("abc") == std::string::npos);
    CHECK(shown.out.find("https://f.example/x?key=***") != std::string::npos);
}

TEST_CASE("the installation's ConfigMap sets what is the operator's, and nothing else", "[cli][once]")
{
    once_world w;
    w.settings("output: json\nselector: a=b\nlocal: true\nno-dry-run: x\noffer-selector: mine=yes\n");
    const auto shown = w.run({"once", "-f", "-"}, written("hello"));
    CHECK(shown.code == 0);
    CHECK(shown.out.find("settings: the ConfigMap portitor/portitor-config.") != std::string::npos);
    CHECK(shown.out.find("offer-selector (mine=yes) leaves it out") != std::string::npos);
}

TEST_CASE("a ConfigMap that cannot be taken is an error with its place, and keeps its secrets", "[cli][once]")
{
    const std::pair<const char*, const char*> cases[] = {
        {"a: [\n", "the ConfigMap portitor/portitor-config:2: "},
        {"public-url: https://x\ndeletion-deadline: soon\n",
         "the ConfigMap portitor/portitor-config:2: deletion-deadline: \"soon\" is no time"},
        {"chains:\n- {name: base, rpcURL: 'wss://node.example/s3cret?s3cret'}\n",
         "the ConfigMap portitor/portitor-config:1: chains: line 2: chain base: rpcURL is not an absolute"},
        {"facilitators:\n- {name: a, url: 'https://u:s3cret@f.example/?k=s3cret'}\n",
         "the ConfigMap portitor/portitor-config:1: facilitators: facilitator a: "
         "\"https://***@f.example/?k=***\""},
        {"facilitators:\n- {name: a, url: 'http://f.example/?k=s3cret'}\n",
         "the ConfigMap portitor/portitor-config: facilitator a: http://f.example/?k=***"},
        {"default-facilitator: 'https:/u:s3cret@f.example'\n",
         "--default-facilitator: what is given is neither"},
        {"public-url: 'https//u:s3cret@f.example?s3cret'\n",
         "public-url: \"***@f.example\" is not an absolute"},
        {"gateway-url: 'https://1.2.3.4.example.com/?k=s3cret'\n", "gateway-url: "}};
    for (const auto& [text, message] : cases)
    {
        once_world w;
        w.settings(text);
        const auto shown = w.run({"once", "-f", "-"}, written("hello"));
        INFO(text << shown.err);
        CHECK(shown.code == 1);
        CHECK(shown.out.empty());
        CHECK(shown.err.find("the ConfigMap portitor/portitor-config") != std::string::npos);
        CHECK(shown.err.find(message) != std::string::npos);
        CHECK(shown.err.find("s3cret") == std::string::npos);
    }
}

TEST_CASE("no text shows the secrets of an offer's URLs", "[cli][once]")
{
    once_world w;
    const std::string secret = "https://u:s3cret@f.example/x?key=s3cret";
    const std::string offers =
        written("a", "price: {perRequest: \"1\"}\n    facilitator: \"" + secret + "\"") +
        written("b", "price: {perRequest: \"" + secret + "\"}") +
        written("c", "network: \"" + secret + "\"\n    price: {perRequest: \"1\"}") +
        written("d").append("  registration: {enabled: true, chain: \"" + secret + "\"}\n");
    for (const char* output : {"text", "json", "yaml"})
    {
        const auto shown = w.run(
            {"once",
             "-f",
             "-",
             "-v",
             "-o",
             output,
             "--public-url=https://x.example",
             "--gateway-url=https://g.example/?k=s3cret"},
            offers
        );
        INFO(shown.out << shown.err);
        CHECK(shown.out.find("shop") != std::string::npos);
        CHECK(shown.out.find("https://***@f.example/x?key=***") != std::string::npos);
        CHECK(shown.out.find("s3cret") == std::string::npos);
        CHECK(shown.err.find("s3cret") == std::string::npos);
    }
}

TEST_CASE("a comparison is of the offers that are named", "[cli][once][compare]")
{
    once_world w;
    const std::string pricing = "wallet: \"0x14dC79964da2C08b23698B3D3cc7Ca32193d9955\"\n"
                                "facilitatorURL: https://www.x402.org/facilitator\nroutes:\n"
                                "- {pattern: /services/one/*, price: \"0.001\"}\n"
                                "- {pattern: /services/two/*, price: \"7\"}\n"
                                "- {pattern: /services/gone/*, price: \"7\"}\n";
    json::object map{{"apiVersion", "v1"}, {"kind", "ConfigMap"}};
    map["metadata"] = json::object{{"namespace", "x402"}, {"name", "x402-pricing"}};
    map["data"] = json::object{{"pricing.yaml", pricing}};
    w.create(api::config_map_resource, json::serialize(map));
    const auto routes = [&](std::vector<std::string> words, int code) {
        words.emplace_back("--compare=x402/x402-pricing");
        std::vector<std::string> out;
        const json::object said = w.look(words, code, written("one") + written("two"));
        for (const json::value& each : kube::array_at(said, "routes"))
            out.push_back(kube::string_at(each.as_object(), "pattern"));
        return out;
    };
    using patterns = std::vector<std::string>;
    CHECK(routes({}, 2) == patterns{"/services/gone/*", "/services/one/*", "/services/two/*"});
    CHECK(routes({"shop/one"}, 0) == patterns{"/services/one/*"});
    CHECK(routes({"shop/two"}, 2) == patterns{"/services/two/*"});
    CHECK(routes({"shop/absent", "shop/one"}, 1) == patterns{"/services/one/*"});
}

TEST_CASE("an edit that cannot be sold takes the route down, step by step", "[cli][once]")
{
    once_world w;
    w.create_offer("hello");
    w.settle();
    std::string reserved = written("hello");
    reserved.insert(reserved.find("  upstream"), "  path: /.well-known/x402\n");
    const json::object said = w.only(reserved, 2);
    CHECK(kube::string_at(said, "standing") == "changed");
    CHECK(kube::string_at(said, "blocked.reason") == "ReservedPath");
    CHECK(action_of(said, "HTTPRoute") == "delete");
    CHECK(action_of(said, "Middleware") == "same");
    const json::array& next = kube::array_at(said, "next");
    const auto follows = [&](const char* text) {
        return std::find(next.begin(), next.end(), json::value(text)) != next.end();
    };
    CHECK(follows("then Middleware shop/x402-hello is deleted"));
    CHECK(follows("then PaymentRoute shop/hello-payment is deleted"));
    CHECK(
        w.run({"once", "-f", "-"}, reserved).out.find("  - delete HTTPRoute shop/so-hello\n") !=
        std::string::npos
    );
}

TEST_CASE("derived prices show how they are made", "[cli][once]")
{
    once_world w;
    const auto price = [&](const std::string& written_price) {
        const json::object said = w.only(written("hello", "price: " + written_price), 2);
        const json::object& first = said.at("terms").at("prices").at(0).as_object();
        return kube::string_at(first, "words") + " | " + kube::string_at(first, "derivation");
    };
    CHECK(price("{perRequest: \"0.10\"}") == "0.1 USDC on Base Sepolia a request | ");
    CHECK(
        price("{perMTok: \"2.5\"}") ==
        "0.0025 USDC on Base Sepolia a request | 2.5 USDC per MTok x 1000 tokens = "
        "0.0025 USDC"
    );
    CHECK(
        price("{perHour: \"7\"}") ==
        "0.583334 USDC on Base Sepolia a request | 7 USDC per hour x 5 minutes = "
        "0.583334 USDC, rounded up"
    );
    // What nobody would settle has a price all the same.
    const json::object unsettled =
        w.only(written("hello", "price: {perRequest: \"1\"}\n    facilitator: unheard-of"), 2);
    CHECK(kube::string_at(unsettled, "blocked.reason") == "UnknownFacilitator");
    CHECK(unsettled.at("terms").at("prices").at(0).at("atomic").as_string() == "1000000");
}

TEST_CASE("colours are for terminals", "[cli][once]")
{
    once_world w;
    const std::vector<std::string> words{"once", "--local", "-f", "-"};
    CHECK(w.run(words, written("hello")).out.find("\x1b[") == std::string::npos);
    w.out_is_terminal = true;
    std::vector<std::string> always = words;
    always.emplace_back("--color=always");
    CHECK(w.run(always, written("hello")).out.find("\x1b[32m+ create PaymentRoute") != std::string::npos);
}

TEST_CASE("of a thousand offers none is asked about that is as it should be", "[cli][once]")
{
    once_world w;
    std::vector<std::string> names;
    for (int i = 0; i < 1000; ++i)
        w.create_offer(names.emplace_back("offer-" + std::to_string(i)));
    w.settle_wholly(names);
    const std::clock_t before = std::clock();
    const json::object said = w.look({"-A"}, 0);
    const double took = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    CHECK(kube::int_at(said, "plan.same") == 3000);
    CHECK(kube::int_at(said, "plan.statuses") == 0);
    CHECK(w.dry_runs == 0);
    // Several times what it takes, also where every access is checked.
    CHECK(took < 20);
}

TEST_CASE("what is said comes in the same order, however it was listed", "[cli][once]")
{
    once_world w;
    for (const char* name : {"c", "a", "b"})
        w.create_offer(name);
    const std::string two = written("zoo") + written("yard");
    const std::string swapped = written("yard") + written("zoo");
    const auto first = w.run({"once", "-A", "-f", "-"}, two);
    w.manners.last_first = true;
    const auto second = w.run({"once", "-A", "-f", "-"}, swapped);
    CHECK(first.code == 2);
    CHECK(first.out == second.out);
    CHECK(first.out.find("\nshop/a\n") < first.out.find("\nshop/b\n"));
    CHECK(first.out.find("\nshop/c\n") < first.out.find("\nshop/yard (new"));
}

TEST_CASE("who may not patch is told what the server was not asked", "[cli][once]")
{
    once_world w;
    w.create_offer("hello");
    w.manners.lets_nobody_patch = true;
    const json::object said = w.look({"-A"}, 2);
    CHECK(
        said.at("lookedAt").at("notSeen").at(0).as_string() ==
        "what the API server would say of HTTPRoutes in shop: there is no such namespace yet, or no right to "
        "patch them there; it is worked out here instead"
    );
    CHECK(said.at("lookedAt").at("notSeen").as_array().size() == 3);
    CHECK(kube::int_at(said, "plan.create") == 3);
}

TEST_CASE("what somebody else has changed is told with its owner", "[cli][once]")
{
    once_world w;
    w.create_offer("hello");
    w.settle();
    w.patch(
        api::http_route_resource,
        "so-hello",
        R"([{"op":"replace","path":"/spec/hostnames","value":["else.example.com"]}])"
    );
    const auto shown = w.run({"once", "shop/hello"});
    CHECK(shown.code == 2);
    for (const char* line :
         {"  ~ change HTTPRoute shop/so-hello (somebody else has changed or deleted it)\n",
          "      -    - else.example.com\n",
          "      spec.hostnames: owned by user; the controller would take it back\n",
          "  Event DriftRepaired: HTTPRoute so-hello was changed by somebody else; it is put right\n"})
    {
        INFO(shown.out);
        CHECK(shown.out.find(line) != std::string::npos);
    }
    CHECK(w.dry_runs == 2);
}

TEST_CASE("what a change leaves as it is needs no new finding", "[cli][once]")
{
    once_world w;
    w.create_offer("web");
    w.settle();
    const auto live = w.live(api::service_offer_resource, "web");
    const std::string generation = std::to_string(live->meta.generation);
    const auto told = [&](const char* type, const char* reason) {
        return R"({"type":")" + std::string(type) + R"(","status":"True","reason":")" + reason +
               R"(","message":"","observedGeneration":)" + generation +
               R"(,"lastTransitionTime":"2026-11-24T20:00:00Z"})";
    };
    w.report(
        api::service_offer_resource,
        "web",
        R"({"conditions":[)" + told("UpstreamHealthy", "Healthy") + "," +
            told("RoutePublished", "Published") + "]}"
    );
    const auto health_of = [&](const std::string& file) {
        const json::object offer = w.only(file, 2, {"--no-dry-run"});
        for (const json::value& each : kube::array_at(offer, "conditions"))
        {
            if (kube::string_at(each.as_object(), "type") == "UpstreamHealthy")
                return kube::string_at(each.as_object(), "reason");
        }
        return std::string();
    };
    CHECK(health_of(written("web", "price: {perRequest: \"0.02\"}")) == "Healthy");
    std::string elsewhere = written("web");
    elsewhere.replace(elsewhere.find("8080"), 4, "8081");
    CHECK(health_of(elsewhere) == "Probing");
}
