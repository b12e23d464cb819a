// A whole controller at work, the same on the look-alike and on the real server.

#include "world.hpp"

#include <portitor/http/health_endpoint.hpp>
#include <portitor/kube/controller.hpp>

using namespace portitor;
using namespace portitor::test;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

kube::controller_options short_options(const std::string& name)
{
    kube::controller_options out;
    out.name = name;
    out.workers = 4;
    out.stale_limit = 2s;
    return out;
}

// Writes each widget's size into its status.
class sizer
{
public:
    explicit sizer(world& in, kube::controller_options options = short_options("sizer"))
        : in_(in), by(in), end(in.context.get_executor()),
          work_(by.around(), std::move(options), [this](kube::object_key key) { return reconcile(key); }),
          seen_(work_.watch(widgets, {}, kube::own_key<kube::object>, watching::short_timing())),
          tasks_(in.context.get_executor(), by.log)
    {
        tasks_.spawn("controller", work_.run(end));
    }
    ~sizer()
    {
        end.request();
        in_.run(tasks_.join());
    }

    std::size_t done() const
    {
        std::size_t out = 0;
        for (const auto& [key, each] : seen_.objects().all())
            out += has_status(*each) ? 1 : 0;
        return out;
    }
    bool all_done(std::size_t count) const { return seen_.objects().size() == count && done() == count; }
    bool ended() const { return tasks_.size() == 0; }

    unsigned answer(const std::string& path) const
    {
        return http::answer_health(http::verb::get, path, by.checks, by.numbers).result_int();
    }

    /// Of a watch that is away for too long.
    bool warns() const
    {
        const auto said = http::answer_health(http::verb::get, "/healthz?verbose", by.checks, by.numbers);
        return said.body().find("watches connected warns") != std::string::npos;
    }

private:
    static bool has_status(const kube::object& of)
    {
        const json::value* wanted = of.spec().if_contains("size");
        const json::value* held = of.status().if_contains("size");
        return wanted && held && *wanted == *held;
    }

    asio::awaitable<kube::reconcile_result> reconcile(kube::object_key key)
    {
        ++reconciles;
        const auto live = seen_.objects().find(key);
        if (!live || has_status(*live))
            co_return std::nullopt;
        json::object meta{{"namespace", key.ns}, {"name", key.name}, {"uid", live->meta.uid}};
        json::object status{{"size", live->spec().at("size")}};
        json::object wanted{{"apiVersion", "test.example/v1"}, {"kind", "Widget"}};
        wanted["metadata"] = std::move(meta);
        wanted["status"] = std::move(status);
        kube::apply_options how;
        how.field_manager = "sizer";
        how.subresource = "status";
        const auto written = co_await by.api->apply(widgets, std::move(wanted), how);
        if (!written)
            co_return written.error().to_error();
        co_return std::nullopt;
    }

    world& in_;

public:
    client by;
    stop_signal end;
    int reconciles = 0;

private:
    kube::controller work_;
    kube::object_informer& seen_;
    task_group tasks_;
};

}  // namespace

TEST_CASE("200 objects get a status each, and then there is peace")
{
    world w;
    create_widgets(w, "w", 200);
    sizer controller(w);
    REQUIRE(w.wait([&] { return controller.all_done(200); }));
    CHECK(controller.answer("/readyz") == 200);
    CHECK(controller.answer("/healthz") == 200);
    w.pass(1s);
    // One write for each, whatever the watch has told meanwhile.
    CHECK(controller.by.requests("method=\"PATCH\"") == 200);
    const int reconciles = controller.reconciles;
    const double asked = controller.by.requests();
    w.pass(5s);
    CHECK(controller.reconciles == reconciles);
    CHECK(controller.by.requests("method=\"PATCH\"") == 200);
    // Watches of 3 s each, and nothing else.
    CHECK(controller.by.requests() - asked <= 2);

    resize_widget(w, "w-0100", 5);
    REQUIRE(w.wait([&] { return controller.by.requests("method=\"PATCH\"") == 201; }));
    REQUIRE(w.wait([&] { return controller.all_done(200); }));
}

TEST_CASE("a server that is killed in the middle of the work: all of it is done in the end")
{
    world w;
    create_widgets(w, "w", 200);
    sizer controller(w);
    REQUIRE(w.wait([&] { return controller.done() >= 20; }));
    w.run(w.server().stop());
    REQUIRE(w.wait([&] { return controller.warns(); }));
    CHECK(controller.answer("/healthz") == 200);
    CHECK(controller.answer("/readyz") == 200);
    w.run(w.server().start());
    create_widget(w, "late");
    REQUIRE(w.wait([&] { return controller.all_done(201); }, 60s));
    CHECK(controller.answer("/healthz") == 200);
    for (const char* name : {"w-0000", "w-0199", "late"})
        CHECK(w.run(w.other().api->get(widgets, widget_key(name))).value()->status().contains("size"));
    CHECK_FALSE(controller.ended());
}

TEST_CASE("what is deleted and made again under the work has the new one's status, and only that")
{
    world w;
    create_widgets(w, "w", 50);
    sizer controller(w);
    for (int i = 0; i < 50; i += 5)
    {
        remove_widget(w, fmt::format("w-{:04}", i));
        if (i % 10 == 0)
            create_widget(w, fmt::format("w-{:04}", i), 1000 + i);
    }
    REQUIRE(w.wait([&] { return controller.all_done(45); }));
    w.pass(2s);
    CHECK_FALSE(exists(w, "w-0005"));
    CHECK(w.run(w.other().api->get(widgets, widget_key("w-0040"))).value()->status().at("size") == 1040);
}

TEST_CASE("a kind that cannot be listed in time ends a controller that is not to wait")
{
    world w;
    w.run(w.server().drop_kind());
    kube::controller_options options = short_options("impatient");
    options.sync_limit = 2s;
    options.when_unsynced = kube::when_unsynced::give_up;
    sizer controller(w, options);
    w.pass(100ms);
    CHECK(controller.answer("/readyz") != 200);
    REQUIRE(w.wait([&] { return controller.ended(); }));
    CHECK(controller.end.exit_code() == 1);
    CHECK(controller.reconciles == 0);
}

TEST_CASE("of two controllers with a lease one works, and the other one when that one leaves")
{
    world w;
    create_widgets(w, "w", 20);
    const auto options = [](const std::string& holder) {
        kube::controller_options out = short_options(holder);
        kube::lease_settings lease;
        lease.lease = {"default", "sizers"};
        lease.holder = holder;
        lease.duration = 4s;
        lease.renew_deadline = 3s;
        lease.retry_period = 500ms;
        out.lease = lease;
        return out;
    };
    auto first = std::make_unique<sizer>(w, options("first"));
    REQUIRE(w.wait([&] { return first->all_done(20); }));
    sizer second(w, options("second"));
    // Its stores are full, and yet it does nothing.
    REQUIRE(w.wait([&] { return second.all_done(20); }));
    create_widgets(w, "x", 20);
    REQUIRE(w.wait([&] { return first->all_done(40) && second.all_done(40); }));
    CHECK(second.reconciles == 0);

    first.reset();
    create_widgets(w, "y", 5);
    REQUIRE(w.wait([&] { return second.all_done(45); }));
    CHECK(second.reconciles > 0);
}

TEST_CASE("a controller that loses its lease ends at once, and says so")
{
    world w;
    create_widget(w, "a");
    kube::controller_options options = short_options("loser");
    kube::lease_settings lease;
    lease.lease = {"default", "losers"};
    lease.holder = "loser";
    lease.duration = 4s;
    lease.renew_deadline = 3s;
    lease.retry_period = 500ms;
    options.lease = lease;
    sizer controller(w, options);
    REQUIRE(w.wait([&] { return controller.all_done(1); }));
    w.run(w.server().freeze());
    REQUIRE(w.wait([&] { return controller.ended(); }));
    CHECK(controller.end.exit_code() == 1);
    w.run(w.server().thaw());
}
