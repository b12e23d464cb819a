#include "sell_world.hpp"

using namespace portitor;
using namespace portitor::cli::samples;
using namespace std::chrono_literals;
using api::service_offer_resource;

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

TEST_CASE("what ends something is asked about, and --yes says it before", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello", {"--register"});
    const auto is_registered = [&] {
        return kube::object_at(world.offer("hello").spec(), "registration").at("enabled") == true;
    };
    for (const std::vector<std::string>& each : std::vector<std::vector<std::string>>{
             {"stop", "hello"}, {"delete", "hello"}, {"register", "hello", "--disable"}})
    {
        CAPTURE(each.front());
        const auto unasked = world.sell(each);
        CHECK(unasked.code == 2);
        CHECK(has(unasked.err, "say so with --yes"));
        const std::string help = world.run({"sell", each.front(), "--help"}).out;
        CHECK(has(help, "  -y, --yes "));
        CHECK(has(help, "      --no-wait "));
        world.in_is_terminal = true;
        CHECK(world.sell(each).code == 1);
        world.in_is_terminal = false;
        CHECK(!world.offer("hello").spec().contains("drainAt"));
        CHECK(is_registered());
    }
    CHECK(world.sell({"register", "hello", "--disable", "-y", "--no-wait"}).code == 0);
    CHECK(!is_registered());
    // To register ends nothing.
    CHECK(world.sell({"register", "hello", "--no-wait"}).code == 0);
    CHECK(is_registered());
    CHECK(world.sell({"stop", "hello", "-y", "--no-wait"}).code == 0);
}

TEST_CASE("sell delete takes -y, and what it was called before", "[cli][sell]")
{
    for (const char* each : {"-y", "--yes", "-f", "--force"})
    {
        CAPTURE(each);
        sell_world world;
        world.sell_http("hello");
        CHECK(world.sell({"delete", "hello", each, "--no-wait"}).code == 0);
        CHECK(!world.exists(service_offer_resource, "hello"));
    }
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

TEST_CASE("an API server that is lost while an offer is waited for is told as such", "[cli][sell]")
{
    sell_world world;
    world.sell_http("hello");
    world.sell({"stop", "hello", "--yes"});
    unsigned looks = 0;
    world.between = [&](std::unique_ptr<kube::api> inner) -> std::unique_ptr<kube::api> {
        return std::make_unique<dated_api>(std::move(inner), "", nullptr, [&] {
            if (++looks == 3)
                world.server.stop();
        });
    };
    const auto resumed = world.sell({"resume", "hello", "--timeout", "5s"});
    world.server.start();
    CAPTURE(resumed.out, resumed.err);
    CHECK(resumed.code == 1);
    CHECK(has(resumed.err, "the API server could not be asked how it stands: "));
    CHECK(has(resumed.out, "ServiceOffer shop/hello has no end any more\n"));
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
    CHECK(
        has(world.sell({"stop", "hello", "--grace", "5h", "--yes"}).out,
            "was stopped already: it is being taken down\n")
    );
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
