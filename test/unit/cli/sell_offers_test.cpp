#include "sell_world.hpp"

using namespace portitor;
using namespace portitor::cli::samples;
using namespace std::chrono_literals;
using api::service_offer_resource;

TEST_CASE("each subcommand prints what it leaves for programs, in one shape", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    world.report_ready("hello", "True", "Ready");
    const auto result_of = [&](std::vector<std::string> words) {
        words.insert(words.end(), {"-o", "json"});
        const auto done = world.sell(words);
        CAPTURE(done.out, done.err);
        const auto told = boost::json::parse(done.out).as_object();
        CHECK(kube::string_at(told, "offer.metadata.name") == "hello");
        return kube::string_at(told, "result");
    };
    CHECK(result_of({"stop", "hello", "--yes"}) == "stopped");
    CHECK(result_of({"stop", "hello", "--yes"}) == "unchanged");
    CHECK(result_of({"resume", "hello", "--no-wait"}) == "resumed");
    CHECK(result_of({"resume", "hello", "--no-wait"}) == "unchanged");
    CHECK(result_of({"register", "hello", "--no-wait"}) == "enabled");
    CHECK(result_of({"register", "hello", "--disable", "--yes", "--no-wait"}) == "disabled");
    CHECK(
        has(world.sell({"stop", "hello", "--yes", "-o", "wide"}).out, "\n\nServiceOffer shop/hello (http)\n")
    );
    CHECK(world.sell({"resume", "hello", "--no-wait", "-o", "name"}).out == "serviceoffer.obol.org/hello\n");
    CHECK(result_of({"delete", "hello", "--yes"}) == "deleted");
    world.sell_http("hello");
    CHECK(world.sell({"delete", "hello", "--yes", "-o", "wide"}).out == "ServiceOffer shop/hello deleted\n");
    for (const char* each : {"version", "pay"})
        CHECK(has(world.run({each, "--help"}).out, "--output text|json|yaml\n"));
    CHECK(has(world.run({"version", "-o", "yaml"}).out, "\nopenssl:\n  runtime: "));
    for (const char* each :
         {"http", "inference", "list", "status", "test", "stop", "resume", "delete", "register"})
    {
        CAPTURE(each);
        CHECK(has(world.run({"sell", each, "--help"}).out, "--output text|json|yaml|wide"));
    }
}

TEST_CASE("sell list shows offers in each form", "[cli][sell]")
{
    sell_world world;
    CHECK(world.sell({"list"}).err == "There are no offers in namespace shop\n");
    world.sell_http("hello");
    world.report_ready("hello", "False", "Unhealthy");
    CHECK(has(
        world.sell({"list"}).out,
        "hello   http   0.001   base-sepolia   False   Unhealthy   https://api.example.com/services/hello"
    ));
    CHECK(has(world.sell({"list", "-o", "wide"}).out, "web.shop:8080"));
    CHECK(world.sell({"list", "-o", "text"}).out == world.sell({"list"}).out);
    CHECK(world.run({"sell", "list", "-A", "-o", "name"}).out == "serviceoffer.obol.org/hello\n");
    CHECK(boost::json::parse(world.sell({"list", "-o", "json"}).out).at("items").as_array().size() == 1);
}

TEST_CASE("sell status is code 0 where the offer is Ready, and 1 where not", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    CHECK(has(world.sell({"status", "hello"}).out, "No conditions yet"));
    world.report_ready("hello", "False", "Unhealthy");
    const auto bad = world.sell({"status", "hello"});
    CHECK(bad.code == 1);
    CHECK(has(bad.out, "What to do:"));
    const auto all = world.sell({"status"});
    CHECK(all.code == 1);
    CHECK(has(all.out, "\nUnhealthy: 1\n  shop/hello: as reported\n  What to do: "));
    CHECK(has(all.out, "\n      kubectl get service,endpointslices -n shop\n"));
    CHECK(has(bad.out, "\n  Settings      the ConfigMap portitor/portitor-config\n"));
    world.report_ready("hello", "True", "Ready");
    CHECK(world.sell({"status", "hello"}).code == 0);
    CHECK(world.sell({"status", "hello", "--watch"}).code == 0);
    CHECK(world.run({"sell", "status", "-n", "empty"}).out == "There are no offers in namespace empty\n");
    CHECK(
        boost::json::parse(world.run({"sell", "status", "-n", "empty", "-o", "json"}).out) ==
        boost::json::object{{"offers", boost::json::array()}}
    );
    const auto none = world.sell({"status", "nobody"});
    CHECK(none.code == 1);
    CHECK(has(none.err, "there is no ServiceOffer shop/nobody"));
}

TEST_CASE("sell status says that the operator's selector leaves an offer out", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    world.replace_settings("offer-selector: sell=yes\n");
    const auto one = world.sell({"status", "hello"});
    CHECK(has(one.out, "No conditions: the operator's offer-selector (sell=yes) leaves it out"));
    CHECK(has(one.out, "\n      kubectl label serviceoffer hello -n shop KEY=VALUE\n"));
    CHECK(has(
        world.sell({"status"}).out, "\n  shop/hello: the operator's offer-selector (sell=yes) leaves it out"
    ));
    const auto data = boost::json::parse(world.sell({"status", "hello", "-o", "json"}).out);
    CHECK(has(std::string(data.at("leftOut").as_string()), "offer-selector"));
}

TEST_CASE("sell status --watch ends in time, and shows what has changed only", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    world.report_ready("hello", "False", "Unhealthy");
    const auto shown = world.sell({"status", "hello", "--watch", "--timeout", "5s"});
    CHECK(shown.code == 1);
    CHECK(shown.out.find("ServiceOffer") == shown.out.rfind("ServiceOffer"));
}

TEST_CASE("sell delete asks, and waits until it is gone", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    CHECK(world.sell({"delete", "hello"}).code == 2);
    CHECK(world.exists(service_offer_resource, "hello"));
    world.in_is_terminal = true;
    CHECK(
        world.run({"sell", "delete", "hello", "-n", "shop"}, "n\n").err ==
        "Delete ServiceOffer shop/hello and all that was made of it? [y/N] Nothing was changed\n"
    );
    const auto gone = world.run({"sell", "delete", "hello", "-n", "shop"}, "y\n");
    CHECK(gone.code == 0);
    CHECK(gone.out == "ServiceOffer shop/hello deleted\n");
    CHECK(!world.exists(service_offer_resource, "hello"));
    CHECK(world.sell({"delete", "hello", "--force"}).code == 1);
}

TEST_CASE("sell delete says what stays on chain", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    world.create(
        api::registration_request_resource,
        R"({"apiVersion":"obol.org/v1alpha1","kind":"RegistrationRequest","metadata":{"namespace":"shop",)"
        R"("name":"hello-registration","labels":{"app.kubernetes.io/managed-by":"portitor",)"
        R"("obol.org/serviceoffer":"hello"}},"spec":{"chain":"base-sepolia"}})"
    );
    world.report(
        api::registration_request_resource, "hello-registration", R"({"phase":"Confirmed","agentId":"42"})"
    );
    CHECK(
        has(world.sell({"delete", "hello", "--yes"}).out,
            "On chain: agent 42 on base-sepolia is marked as retired")
    );
}

TEST_CASE("sell register changes the registration and nothing else", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello", {"--description", "says hello"});
    CHECK(world.sell({"register", "hello", "--name", "Hello", "--skills", "a,b", "--no-wait"}).code == 0);
    const boost::json::object& spec = world.offer("hello").spec();
    CHECK(kube::bool_at(spec, "registration.enabled"));
    CHECK(kube::string_at(spec, "registration.name") == "Hello");
    CHECK(kube::string_at(spec, "registration.description") == "says hello");
    CHECK(world.sell({"register", "hello", "--disable", "--yes", "--no-wait"}).code == 0);
    CHECK(!kube::bool_at(world.offer("hello").spec(), "registration.enabled", true));
    const auto late = world.sell({"register", "hello", "--timeout", "2s"});
    CHECK(late.code == 1);
    CHECK(has(late.err, "is not registered yet, and is no longer waited for after 2s\n"));
    CHECK(has(late.err, "the controller has not looked at the present spec yet"));
}

TEST_CASE("sell test says why an offer has no URL", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    const auto fresh = world.sell({"test", "hello"});
    CHECK(fresh.code == 1);
    CHECK(has(fresh.err, "ServiceOffer shop/hello has no URL to ask: it is not published: the controller has")
    );
    world.sell({"stop", "hello", "--now", "--yes"});
    world.pass(2s);
    const auto stopped = world.sell({"test", "hello"});
    CHECK(has(stopped.err, "it was stopped, and is taken down since 2026-11-24T20:0"));
    CHECK(has(stopped.err, "\n  portitor sell resume hello -n shop\n"));
}

TEST_CASE("sell test reads the key and the limits before it asks", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    const auto limited = world.sell({"test", "hello", "--max-amount", "much"});
    CHECK(limited.code == 2);
    CHECK(has(limited.err, "--max-amount"));
    const auto keyless = world.sell({"test", "hello", "--key-file", "/nowhere/key"});
    CHECK(keyless.code == 2);
    CHECK(has(keyless.err, "--key-file: /nowhere/key cannot be read"));
    const auto unknown = world.sell({"test", "hello", "--ca-file", "/nowhere/ca"});
    CHECK(unknown.code == 2);
    CHECK(has(unknown.err, "--ca-file"));
}
