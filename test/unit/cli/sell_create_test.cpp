#include "files.hpp"
#include "sell_world.hpp"

using namespace portitor;
using namespace portitor::cli::samples;
using namespace std::chrono_literals;
using api::service_offer_resource;

TEST_CASE("sell http writes an offer, and says what it checked", "[cli][sell]")
{
    sell_world world;
    const auto made = world.sell_http("hello");
    CAPTURE(made.out, made.err);
    CHECK(made.code == 0);
    CHECK(has(made.out, "ok          price     0.001 USDC on Base Sepolia a request\n"));
    CHECK(has(made.out, "ok          upstream  Service shop/web has port 8080\n"));
    CHECK(has(made.out, "not checked health    "));
    CHECK(has(made.out, "ok          path      https://api.example.com/services/hello is available\n"));
    CHECK(has(made.out, "ServiceOffer shop/hello created (type: http)\n"));
    CHECK(has(made.out, "ok          settings  the ConfigMap portitor/portitor-config\n"));
    CHECK(made.err.empty());
    CHECK(kube::string_at(world.offer("hello").spec(), "payment.payTo") == seller);
}

TEST_CASE("sell http tells what it changes, and that nothing does", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    CHECK(has(world.sell_http("hello").out, "ServiceOffer shop/hello unchanged"));
    const auto again = world.sell_http("hello", {"--path", "/x"});
    CHECK(has(again.out, "It is there already; this changes:\n  spec.path: (none) -> \"/x\"\n"));
    CHECK(has(again.out, "ServiceOffer shop/hello updated (type: http)"));
}

TEST_CASE("what is wrong is told before anything is written", "[cli][sell]")
{
    sell_world world;
    world.sell_http("older", {"--path", "/taken"});
    struct wrong
    {
        std::vector<std::string> flags;
        const char* told;
    };
    const std::vector<wrong> all{
        {{"--path", "/taken/below"}, "path      spec.path: /taken/below overlaps"},
        {{"--path", "/api"}, "path      spec.path: /api"},
        {{"--network", "moon"}, "network   spec.payment.network"},
        {{"--token", "DOGE"}, "token     spec.payment.asset"},
        {{"--port", "81"}, "has no port 81; its ports: 8080"},
        {{"--facilitator", "nobody"}, "spec.payment.facilitator"},
        {{"--upstream-namespace", "other"}, "there is no Service other/web"},
        {{"--health-path", "health"}, "healthPath"},
    };
    for (const wrong& each : all)
    {
        CAPTURE(each.told);
        const auto refused = world.sell_http("hello", each.flags);
        CAPTURE(refused.out, refused.err);
        CHECK(refused.code == 1);
        CHECK(has(refused.out, each.told));
        CHECK(has(refused.err, "was not written"));
        CHECK(!world.exists(service_offer_resource, "hello"));
    }
    const auto price =
        world.sell({"http", "hello", "--upstream", "web", "--price", "0.0000001", "--pay-to", seller});
    CHECK(price.code == 1);
    CHECK(has(price.out, "error       price     spec.payment.price.perRequest"));
    CHECK(!world.exists(service_offer_resource, "hello"));
}

TEST_CASE("sell http says of what nobody would sell who leaves it alone, and what is ignored", "[cli][sell]")
{
    sell_world world;
    const auto sell = [&](const std::string& name, const std::vector<std::string>& more = {}) {
        return world.sell_http(name, more);
    };
    CHECK(sell("hello").code == 0);
    CHECK(sell("other").code == 0);
    world.patch(
        service_offer_resource,
        "hello",
        R"([{"op":"add","path":"/metadata/finalizers","value":["monetize.obol.org/finalizer"]}])"
    );
    const auto held = sell("hello");
    CHECK(held.code == 0);
    CHECK(has(held.out, "warning     sale      the predecessor's controller holds the offer"));
    CHECK(!has(held.out, "is available"));

    world.patch(
        service_offer_resource, "other", R"([{"op":"add","path":"/spec/listing","value":{"category":"a"}}])"
    );
    const auto ignored = sell("other");
    CHECK(ignored.code == 0);
    CHECK(has(ignored.out, "warning     fields    spec.listing: "));
    CHECK(has(ignored.out, "The offer is sold without"));
    world.patch(
        service_offer_resource, "other", R"([{"op":"add","path":"/spec/async","value":{"enabled":true}}])"
    );
    const auto withheld = sell("other");
    CHECK(withheld.code == 1);
    CHECK(has(withheld.out, "error       fields    spec.async: "));
}

TEST_CASE("a usage error is code 2", "[cli][sell]")
{
    sell_world world;
    CHECK(world.sell({"http", "hello", "--price", "1"}).code == 2);
    CHECK(world.sell({"http", "--upstream", "web"}).code == 2);
    CHECK(world.sell({"stop", "hello", "--now", "--grace", "1h"}).code == 2);
    CHECK(world.sell({"status", "hello", "--timeout", "5s"}).code == 2);
    CHECK(world.sell({"test", "hello", "--path", "x"}).code == 2);
    CHECK(world.sell({"register", "hello", "--disable", "--name", "x"}).code == 2);
    const auto grace = world.sell({"stop", "hello", "--grace", "1.5h", "--yes"});
    CHECK(grace.code == 2);
    CHECK(has(grace.err, "--grace: \"1.5h\" must be a duration"));
    const auto file = world.sell({"http", "--from-json", "/nowhere"});
    CHECK(file.code == 2);
    CHECK(has(file.err, "--from-json: /nowhere cannot be read"));
}

TEST_CASE("what only the predecessor knows is refused with what replaces it", "[cli][sell]")
{
    sell_world world;
    struct typed
    {
        std::vector<std::string> words;
        const char* told;
    };
    const std::vector<typed> all{
        {{"update", "hello", "--price", "2"},
         "there is no portitor sell update: give the portitor sell http"},
        {{"pricing", "--wallet", seller}, "portitor sell status NAME"},
        {{"probe", "hello"}, "portitor sell test NAME"},
        {{"mcp", "x"}, "--upstream SERVICE"},
        {{"register", "hello", "--endpoint", "https://x"}, "its offer's own URL"},
        {{"register", "hello", "--sponsored"}, "--sponsored"},
        {{"register", "hello", "--private-key-file", "/key"}, "the operator's registrar signs"},
        {{"register", "hello", "--chain", "base,base-sepolia"}, "--chain: \"base,base-sepolia\" are several"},
        {{"resume", "hello", "--install-boot-unit"}, "outlives a restart"},
        {{"http",
          "hello",
          "--upstream",
          "web",
          "--price",
          "1",
          "-w",
          seller,
          "--route",
          "path=/x,methods=GET"},
         "--route: methods: leave it out, and write spec.routes[].methods"},
    };
    for (const typed& each : all)
    {
        CAPTURE(each.told);
        const auto refused = world.sell(each.words);
        CAPTURE(refused.err);
        CHECK(refused.code == 2);
        CHECK(has(refused.err, each.told));
    }
}

TEST_CASE("what is refused is not in the help, and defaults are written in one form", "[cli][sell]")
{
    sell_world world;
    for (const char* each : {"http", "inference", "register", "resume"})
    {
        const std::string help = world.run({"sell", each, "--help=all"}).out;
        CAPTURE(help);
        CHECK(!has(help, "refused"));
        CHECK(!has(help, "predecessor"));
        CHECK(!has(help, "left out"));
        CHECK(!has(help, "--provenance-file"));
        CHECK(!has(help, "--sponsored"));
    }
    const std::string help = world.run({"sell", "http", "--help"}).out;
    CHECK(has(help, "chain (default the operator's first chain)\n"));
    CHECK(has(help, "its port (default 8080)\n"));
}

TEST_CASE("sell http waits until it is sold, and says why it is not", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    world.report_ready("hello", "True", "Ready");
    const auto good =
        world.sell({"http", "hello", "--upstream", "web", "--price", "0.001", "--pay-to", seller});
    CAPTURE(good.out);
    CHECK(good.code == 0);
    CHECK(has(good.out, "0.0s  UpstreamHealthy   True    Ready\n"));
    CHECK(has(good.out, "URL: https://api.example.com/services/hello\n"));
    world.report_ready("hello", "False", "Unhealthy");
    const auto bad = world.sell(
        {"http", "hello", "--upstream", "web", "--price", "0.001", "--pay-to", seller, "--timeout", "3s"}
    );
    CHECK(bad.code == 1);
    CHECK(has(bad.out, "UpstreamHealthy   False   Unhealthy: as reported\n"));
    CHECK(has(bad.err, "is not sold yet, and is no longer waited for after 3s\n"));
    CHECK(has(bad.err, "Ready is False (Unhealthy): as reported\n"));
    CHECK(has(bad.err, "\n  portitor sell status hello -n shop\n"));
}

TEST_CASE("a manifest may be typed, and is only printed in a dry run", "[cli][sell]")
{
    sell_world world;
    const std::string typed =
        "apiVersion: obol.org/v1alpha1\nkind: ServiceOffer\nmetadata: {name: typed, namespace: shop}\n"
        "spec: {upstream: {service: web}}\n";
    const auto shown = world.run(
        {"sell", "http", "--from-json", "-", "--price", "1", "--pay-to", seller, "--dry-run", "-o", "json"},
        typed
    );
    CAPTURE(shown.out, shown.err);
    CHECK(shown.code == 0);
    CHECK(has(shown.out, R"("metadata":{"name":"typed","namespace":"shop"})"));
    CHECK(!world.exists(service_offer_resource, "typed"));
    CHECK(world.run({"sell", "http", "other", "--from-json", "-", "--dry-run"}, typed).code == 2);
    const auto data = world.sell_http("hello", {"-o", "json"});
    const auto told = boost::json::parse(data.out).as_object();
    CHECK(told.at("result") == "created");
    CHECK(told.at("ready") == false);
    CHECK(told.at("hints").is_array());
    CHECK(told.at("settings") == "the ConfigMap portitor/portitor-config");
    CHECK(told.at("offer").as_object().contains("spec"));
    CHECK(has(data.err, "Checks of ServiceOffer shop/hello"));
    CHECK(world.sell_http("hello", {"-o", "name"}).out == "serviceoffer.obol.org/hello\n");
}

TEST_CASE("a dry run checks what can be checked, and writes nothing", "[cli][sell]")
{
    sell_world world;
    const auto with = [&](const std::string& price, const std::vector<std::string>& more = {}) {
        std::vector<std::string> words{
            "http", "hello", "--upstream", "web", "--price", price, "--pay-to", seller, "--dry-run"};
        words.insert(words.end(), more.begin(), more.end());
        return world.sell(words);
    };
    const auto good = with("0.001");
    CAPTURE(good.out, good.err);
    CHECK(good.code == 0);
    CHECK(has(good.err, "ok          price     0.001 USDC on Base Sepolia a request\n"));
    CHECK(has(good.err, "ok          upstream  "));
    CHECK(good.out.starts_with("apiVersion: obol.org/v1alpha1\n"));
    const auto fine = with("0.0000001");
    CHECK(fine.code == 1);
    CHECK(has(fine.err, "error       price     spec.payment.price.perRequest"));
    CHECK(has(with("0.001", {"--upstream-namespace", "other"}).err, "there is no Service other/web"));
    CHECK(!world.exists(service_offer_resource, "hello"));
}

TEST_CASE("a dry run without a cluster judges the price all the same", "[cli][sell]")
{
    sell_world world;
    world.between = [](std::unique_ptr<kube::api>) -> result<std::unique_ptr<kube::api>> {
        return fail(errc::unavailable, "no cluster is named");
    };
    const auto with = [&](const std::string& price) {
        return world.sell({"http", "hello", "--upstream", "web", "--price", price, "-w", seller, "--dry-run"}
        );
    };
    const auto good = with("0.001");
    CAPTURE(good.out, good.err);
    CHECK(good.code == 0);
    CHECK(has(good.err, "not checked cluster   no cluster is named\n"));
    CHECK(has(good.err, "ok          price     0.001 USDC on Base Sepolia a request\n"));
    CHECK(has(good.out, "kind: ServiceOffer\n"));
    CHECK(with("0.0000001").code == 1);
    CHECK(with("abc").code == 1);
}

TEST_CASE("a dry run without a cluster tells all that the API server would refuse", "[cli][sell]")
{
    sell_world world;
    world.between = [](std::unique_ptr<kube::api>) -> result<std::unique_ptr<kube::api>> {
        return fail(errc::unavailable, "no cluster is named");
    };
    const auto with = [&](const char* name, const char* price, const char* path) {
        return world.sell(
            {"http", name, "--upstream", "web", "--price", price, "--path", path, "-w", seller, "--dry-run"}
        );
    };
    const auto named = with("Hello", "0.0000001", "/x");
    CAPTURE(named.err);
    CHECK(named.code == 1);
    CHECK(has(named.err, "error       offer     metadata.name: Invalid value: \"Hello\": "));
    // The name says nothing of the terms.
    CHECK(has(named.err, "error       price     spec.payment.price.perRequest"));
    const auto all = with("Hello", "abc", "x");
    CAPTURE(all.err);
    CHECK(has(all.err, "metadata.name: Invalid value"));
    CHECK(has(all.err, "spec.path: Invalid value"));
    CHECK(has(all.err, "spec.payment.price.perRequest: Invalid value"));
    CHECK(has(all.out, "kind: ServiceOffer\n"));
    CHECK(with("hello", "0.001", "/x").code == 0);
}

TEST_CASE("a host that goes by labels which the seller may not see is no error", "[cli][sell]")
{
    /// As for a seller who may not read Namespaces.
    class blind final : public forwarding_api
    {
    public:
        using forwarding_api::forwarding_api;

        answer<kube::list_page> list(
            kube::resource kind, kube::selection which, kube::list_position from, kube::item_handler each
        ) override
        {
            if (kind.plural == portitor::api::namespace_resource.plural)
                co_return kube::api_error(403, "Forbidden", "no", 0s);
            co_return co_await forwarding_api::list(kind, std::move(which), std::move(from), std::move(each));
        }
        answer<kube::object_ptr>
        get(kube::resource kind, kube::object_key key, kube::request_class urgency) override
        {
            if (kind.plural == portitor::api::namespace_resource.plural)
                co_return kube::api_error(403, "Forbidden", "no", 0s);
            co_return co_await forwarding_api::get(kind, std::move(key), urgency);
        }
    };
    sell_world world;
    world.replace_settings(
        "public-url: https://api.example.com\n"
        "hosts: [{host: a.example.com, namespaceSelector: {matchLabels: {sells: 'yes'}}}]\n"
    );
    world.between = [](std::unique_ptr<kube::api> inner) {
        return result<std::unique_ptr<kube::api>>(std::make_unique<blind>(std::move(inner)));
    };
    const auto by_label = world.sell_http("hello", {"--hostname", "a.example.com"});
    CAPTURE(by_label.out, by_label.err);
    CHECK(by_label.code == 0);
    CHECK(has(
        by_label.out, "warning     hostname  spec.hostname: whether namespace shop may have a.example.com"
    ));
    CHECK(world.sell_http("other", {"--hostname", "b.example.com"}).code == 1);
}

TEST_CASE("a dry run without a cluster judges host and path by the operator's file", "[cli][sell]")
{
    sell_world world;
    world.between = [](std::unique_ptr<kube::api>) -> result<std::unique_ptr<kube::api>> {
        return fail(errc::unavailable, "no cluster is named");
    };
    const test::temp_folder folder;
    const std::string config =
        "--config=" +
        folder.write(
            "portitor.yaml",
            "public-url: https://api.example.com\nhosts: [{host: ours.example.com, namespaces: [shop]}]\n"
        );
    const auto with = [&](std::vector<std::string> more) {
        std::vector<std::string> words{"http", "hello", "--upstream", "web", "--price", "1", "-w", seller};
        words.insert(words.end(), more.begin(), more.end());
        words.emplace_back("--dry-run");
        return world.sell(words);
    };
    CHECK(with({"--hostname=ours.example.com", config}).code == 0);
    const auto other = with({"--hostname=llm.example.com", config});
    CHECK(other.code == 1);
    CHECK(has(other.err, "error       hostname  spec.hostname: namespace shop may not have llm.example.com"));
    // Nobody knows whose it is.
    CHECK(with({"--hostname=llm.example.com"}).code == 0);
    CHECK(has(with({"--path=/api/x"}).err, "error       path      spec.path: /api/x is reserved"));
}

TEST_CASE(
    "an offer that the operator's selector leaves out is not written, and its labels may be given",
    "[cli][sell]"
)
{
    sell_world world;
    world.replace_settings("public-url: https://api.example.com\noffer-selector: sell=yes\n");
    const auto refused = world.sell_http("hello");
    CHECK(refused.code == 1);
    CHECK(has(refused.out, "error       labels    the operator's offer-selector (sell=yes) leaves it out"));
    CHECK(!world.exists(service_offer_resource, "hello"));
    CHECK(world.sell_http("hello", {"--label", "nonsense"}).code == 2);
    const auto written = world.sell_http("hello", {"--label", "sell=yes", "--label", "team=a=b"});
    CHECK(written.code == 0);
    CHECK(kube::string_at(world.offer("hello").raw, "metadata.labels.team") == "a=b");
    // Without it now, it would lose the label.
    CHECK(world.sell_http("hello").code == 1);
}

TEST_CASE("somebody else's fields are taken only when asked for", "[cli][sell]")
{
    sell_world world;
    world.create(
        service_offer_resource,
        R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","metadata":{"namespace":"shop","name":"hello"},)"
        R"("spec":{"path":"/theirs","upstream":{"service":"web","port":8080},"payment":{"network":"base-sepolia",)"
        R"("payTo":"0x00000000000000000000000000000000000000AB","price":{"perRequest":"0.01"}}}})"
    );
    const auto refused = world.sell_http("hello", {"--path", "/ours"});
    CAPTURE(refused.out, refused.err);
    CHECK(refused.code == 1);
    CHECK(has(refused.out, "is owned by \"user\""));
    CHECK(kube::string_at(world.offer("hello").spec(), "path") == "/theirs");
    CHECK(world.sell_http("hello", {"--path", "/ours", "--force-conflicts"}).code == 0);
    CHECK(kube::string_at(world.offer("hello").spec(), "path") == "/ours");
}
