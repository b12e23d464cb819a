#include "command_world.hpp"
#include "forwarding_api.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>

using namespace portitor;
using portitor::cli::samples::command_world;
using namespace std::chrono_literals;

namespace {

using api::service_offer_resource;

constexpr const char* seller = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

using hook = std::function<void()>;

/// An API server that says what time it is, as real ones do with each answer; others may act between.
class dated_api final : public cli::samples::forwarding_api
{
public:
    dated_api(std::unique_ptr<kube::api> inner, std::string date, hook before_patch = {}, hook before_get = {})
        : forwarding_api(std::move(inner)), date_(std::move(date)), before_patch_(std::move(before_patch)),
          before_get_(std::move(before_get))
    {}

    boost::asio::awaitable<result<http::response>> ask(http::verb, std::string, std::string) override
    {
        http::response out = http::make_response(http::status::ok, "{}");
        out.set(http::field::date, date_);
        co_return out;
    }

    answer<kube::object_ptr>
    patch(kube::resource kind, kube::object_key key, boost::json::array operations) override
    {
        if (before_patch_)
            std::exchange(before_patch_, nullptr)();
        return forwarding_api::patch(kind, std::move(key), std::move(operations));
    }

    answer<kube::object_ptr>
    get(kube::resource kind, kube::object_key key, kube::request_class urgency) override
    {
        if (before_get_)
            before_get_();
        return forwarding_api::get(kind, std::move(key), urgency);
    }

private:
    std::string date_;
    hook before_patch_;
    hook before_get_;
};

struct sell_world : command_world
{
    sell_world()
    {
        create(
            api::service_resource,
            R"({"apiVersion":"v1","kind":"Service","metadata":{"namespace":"shop","name":"web"},)"
            R"("spec":{"ports":[{"port":8080}]}})"
        );
        create(
            {"", "v1", "configmaps", "ConfigMap"},
            R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"portitor","name":"portitor-config"},)"
            R"("data":{"portitor.yaml":"public-url: https://api.example.com\n"}})"
        );
    }

    outcome sell(std::vector<std::string> words)
    {
        words.insert(words.begin(), "sell");
        words.insert(words.end(), {"-n", "shop"});
        return run(words);
    }

    outcome sell_http(const std::string& name, const std::vector<std::string>& more = {})
    {
        std::vector<std::string> words{
            "http", name, "--upstream", "web", "--price", "0.001", "--pay-to", seller, "--no-wait"};
        words.insert(words.end(), more.begin(), more.end());
        return sell(words);
    }

    /// As the controller does.
    void report_ready(const std::string& name, const std::string& status, const std::string& reason)
    {
        const auto generation = live(service_offer_resource, name)->meta.generation;
        const auto condition = [&](const char* type) {
            return fmt::format(
                R"({{"type":"{}","status":"{}","reason":"{}","message":"as reported","observedGeneration":{},)"
                R"("lastTransitionTime":"2026-11-24T20:00:00Z"}})",
                type,
                status,
                reason,
                generation
            );
        };
        report(
            service_offer_resource,
            name,
            fmt::format(
                R"({{"observedGeneration":{},"phase":"x","endpoint":"https://api.example.com/services/{}","conditions":[{},{}]}})",
                generation,
                name,
                condition("UpstreamHealthy"),
                condition("Ready")
            )
        );
    }

    const kube::object& offer(const std::string& name)
    {
        kept_ = live(service_offer_resource, name);
        return *kept_;
    }

private:
    kube::object_ptr kept_;
};

}  // namespace

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
        {{"update", "hello", "--price", "2"}, "there is no portitor sell update: give the portitor sell http"},
        {{"pricing", "--wallet", seller}, "portitor sell status NAME"},
        {{"probe", "hello"}, "portitor sell test NAME"},
        {{"mcp", "x"}, "--upstream SERVICE"},
        {{"register", "hello", "--endpoint", "https://x"}, "its offer's own URL"},
        {{"register", "hello", "--sponsored"}, "--sponsored"},
        {{"register", "hello", "--private-key-file", "/key"}, "the operator's registrar signs"},
        {{"register", "hello", "--chain", "base,base-sepolia"}, "--chain: \"base,base-sepolia\" are several"},
        {{"resume", "hello", "--install-boot-unit"}, "outlives a restart"},
        {{"http", "hello", "--upstream", "web", "--price", "1", "-w", seller, "--route", "path=/x,methods=GET"},
         "--route: methods: the gate is the same for every method"},
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
        return world.sell({"http", "hello", "--upstream", "web", "--price", price, "-w", seller, "--dry-run"});
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
    CHECK(result_of({"register", "hello", "--disable", "--no-wait"}) == "disabled");
    CHECK(has(world.sell({"stop", "hello", "--yes", "-o", "wide"}).out, "\n\nServiceOffer shop/hello (http)\n"));
    CHECK(world.sell({"resume", "hello", "--no-wait", "-o", "name"}).out == "serviceoffer.obol.org/hello\n");
    CHECK(result_of({"delete", "hello", "--yes"}) == "deleted");
    for (const char* each :
         {"http", "inference", "list", "status", "test", "stop", "resume", "delete", "register"})
    {
        CAPTURE(each);
        CHECK(has(world.run({"sell", each, "--help"}).out, "--output text|json|yaml"));
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
    CHECK(world.run({"sell", "status", "-n", "empty"}).out == "There are no offers\n");
    CHECK(boost::json::parse(world.run({"sell", "status", "-n", "empty", "-o", "json"}).out) ==
          boost::json::object{{"offers", boost::json::array()}});
    const auto none = world.sell({"status", "nobody"});
    CHECK(none.code == 1);
    CHECK(has(none.err, "there is no ServiceOffer shop/nobody"));
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

TEST_CASE("sell stop sets an end, and sell resume takes it away", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    const auto unasked = world.sell({"stop", "hello"});
    CHECK(unasked.code == 2);
    CHECK(has(unasked.err, "--yes"));
    CHECK(!world.offer("hello").spec().contains("drainAt"));
    const auto stopped = world.sell({"stop", "hello", "--grace", "90m", "--yes"});
    CHECK(stopped.code == 0);
    CHECK(has(stopped.out, "stopped: it stays paid until 2026-11-24T21:30:0"));
    CHECK(kube::string_at(world.offer("hello").spec(), "drainGracePeriod") == "90m");
    // The controller's fields, and those of the offer, are as they were.
    CHECK(kube::string_at(world.offer("hello").spec(), "payment.payTo") == seller);
    CHECK(has(world.sell({"status", "hello"}).out, "Stopped       sold until 2026-11-24T21:30:0"));
    const auto resumed = world.sell({"resume", "hello", "--timeout", "2s"});
    CHECK(resumed.code == 1);
    CHECK(has(resumed.out, "ServiceOffer shop/hello has no end any more\n"));
    CHECK(has(resumed.err, "ServiceOffer shop/hello is not sold yet"));
    CHECK(!world.offer("hello").spec().contains("drainAt"));
    world.sell({"stop", "hello", "--now", "-y"});
    CHECK(kube::string_at(world.offer("hello").spec(), "drainGracePeriod") == "0s");
    CHECK(has(world.sell_http("hello").out, "warning     sale      the offer was stopped"));
}

TEST_CASE("sell resume leaves the grace period as it is, and says what it changes", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    const auto grace = [&] { return kube::string_at(world.offer("hello").spec(), "drainGracePeriod"); };
    world.patch(
        service_offer_resource, "hello", R"([{"op":"add","path":"/spec/drainGracePeriod","value":"2h"}])"
    );
    const auto before = world.offer("hello").meta.resource_version;
    const auto idle = world.sell({"resume", "hello"});
    CHECK(idle.code == 0);
    CHECK(has(idle.out, "was not stopped: nothing was changed"));
    CHECK(world.offer("hello").meta.resource_version == before);
    // The offer's own period is that of a stop that names none.
    CHECK(has(world.sell({"stop", "hello", "--yes"}).out, "until 2026-11-24T22:00:0"));
    world.sell({"resume", "hello", "--no-wait"});
    CHECK(grace() == "2h");
    // Nothing is sold for no time unless somebody says so.
    world.sell({"stop", "hello", "--now", "--yes"});
    world.sell({"resume", "hello", "--no-wait"});
    world.sell({"stop", "hello", "--yes"});
    CHECK(grace() == "1h");
}

TEST_CASE("sell resume waits until it is sold again", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    world.sell({"stop", "hello", "--yes"});
    unsigned looks = 0;
    world.between = [&](std::unique_ptr<kube::api> inner) -> std::unique_ptr<kube::api> {
        return std::make_unique<dated_api>(std::move(inner), "", nullptr, [&] {
            if (++looks == 3)
                world.report_ready("hello", "True", "Ready");
        });
    };
    const auto resumed = world.sell({"resume", "hello"});
    CAPTURE(resumed.out, resumed.err);
    CHECK(resumed.code == 0);
    CHECK(has(resumed.out, "Ready             True    Ready\nServiceOffer shop/hello is sold again\n"));
}

TEST_CASE("an end is a time of the API server's clock", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    world.between = [](std::unique_ptr<kube::api> inner) -> std::unique_ptr<kube::api> {
        return std::make_unique<dated_api>(std::move(inner), "Wed, 25 Nov 2026 08:00:00 GMT", nullptr);
    };
    // This machine is twelve hours behind.
    const auto stopped = world.sell({"stop", "hello", "--yes"});
    CHECK(has(stopped.out, "it stays paid until 2026-11-25T09:00:0"));
    CHECK(kube::string_at(world.offer("hello").spec(), "drainAt").starts_with("2026-11-25T08:00:0"));
    world.sell({"resume", "hello", "--no-wait"});
    CHECK(has(world.sell({"stop", "hello", "--now", "--yes"}).out, "stopped: it is being taken down\n"));
    world.sell({"resume", "hello", "--no-wait"});
    for (const char* lie : {"", "soon", "Fri, 31 Dec 9999 23:59:59 GMT"})
    {
        CAPTURE(lie);
        world.between = [lie](std::unique_ptr<kube::api> inner) -> std::unique_ptr<kube::api> {
            return std::make_unique<dated_api>(std::move(inner), lie, nullptr);
        };
        CHECK(has(world.sell({"stop", "hello", "--yes"}).err, "it is taken from this machine"));
        CHECK(kube::string_at(world.offer("hello").spec(), "drainAt").starts_with("2026-11-24T20:"));
    }
}

TEST_CASE("to stop an offer once more never sells it for longer", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    world.sell({"stop", "hello", "--now", "--yes"});
    const std::string begin = kube::string_at(world.offer("hello").spec(), "drainAt");
    world.pass(2s);
    CHECK(has(
        world.sell({"stop", "hello", "--grace", "5h", "--yes"}).out, "was stopped already: it is being taken down\n"
    ));
    CHECK(kube::string_at(world.offer("hello").spec(), "drainAt") == begin);
    CHECK(kube::string_at(world.offer("hello").spec(), "drainGracePeriod") == "0s");
    world.sell({"resume", "hello", "--no-wait"});
    world.sell({"stop", "hello", "--yes"});
    CHECK(has(world.sell({"stop", "hello", "--grace", "1m", "--yes"}).out, "stopped: it stays paid until"));
    CHECK(kube::string_at(world.offer("hello").spec(), "drainGracePeriod") == "1m");
}

TEST_CASE("who was faster to stop an offer is not sold past", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    const auto others = [&world] {
        world.patch(
            service_offer_resource,
            "hello",
            R"([{"op":"add","path":"/spec/drainAt","value":"2026-11-24T19:00:00Z"},)"
            R"({"op":"add","path":"/spec/drainGracePeriod","value":"0s"}])"
        );
    };
    world.between = [&](std::unique_ptr<kube::api> inner) -> std::unique_ptr<kube::api> {
        return std::make_unique<dated_api>(std::move(inner), "Tue, 24 Nov 2026 20:00:00 GMT", others);
    };
    const auto late = world.sell({"stop", "hello", "--grace", "5h", "--yes"});
    CAPTURE(late.out, late.err);
    CHECK(late.code == 0);
    CHECK(has(late.out, "was stopped already: it is being taken down\n"));
    CHECK(kube::string_at(world.offer("hello").spec(), "drainAt") == "2026-11-24T19:00:00Z");
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
        R"("name":"hello-registration"},"spec":{"chain":"base-sepolia"}})"
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
    CHECK(world.sell({"register", "hello", "--disable", "--no-wait"}).code == 0);
    CHECK(!kube::bool_at(world.offer("hello").spec(), "registration.enabled", true));
    const auto late = world.sell({"register", "hello", "--timeout", "2s"});
    CHECK(late.code == 1);
    CHECK(has(late.err, "is not registered yet, and is no longer waited for after 2s\n"));
    CHECK(has(late.err, "the controller has not looked at it yet"));
}

TEST_CASE("somebody else's fields are taken only when asked for", "[cli][sell]")
{
    sell_world world;
    world.create(
        service_offer_resource,
        R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","metadata":{"namespace":"shop","name":"hello"},)"
        R"("spec":{"path":"/theirs","upstream":{"service":"web","port":8080},"payment":{"network":"base-sepolia",)"
        R"("payTo":"0x00000000000000000000000000000000000000aB","price":{"perRequest":"0.01"}}}})"
    );
    const auto refused = world.sell_http("hello", {"--path", "/ours"});
    CAPTURE(refused.out, refused.err);
    CHECK(refused.code == 1);
    CHECK(has(refused.out, "is owned by \"user\""));
    CHECK(kube::string_at(world.offer("hello").spec(), "path") == "/theirs");
    CHECK(world.sell_http("hello", {"--path", "/ours", "--force-conflicts"}).code == 0);
    CHECK(kube::string_at(world.offer("hello").spec(), "path") == "/ours");
}

TEST_CASE("sell test says why an offer has no URL", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    const auto fresh = world.sell({"test", "hello"});
    CHECK(fresh.code == 1);
    CHECK(has(fresh.err, "ServiceOffer shop/hello has no URL to ask: it is not published: the controller has"));
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
