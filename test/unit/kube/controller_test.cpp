#include "catch.hpp"
#include "harness.hpp"
#include "lease_api.hpp"
#include "objects.hpp"
#include "run.hpp"
#include "scripted_api.hpp"

#include <portitor/http/health_endpoint.hpp>
#include <portitor/kube/controller.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using namespace std::chrono_literals;
using portitor::test::run;
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr resource widgets{"test.example", "v1", "widgets", "Widget"};
constexpr resource gadgets{"test.example", "v1", "gadgets", "Gadget"};

using names = std::vector<std::string>;

// Lists and watches each kind from a script of its own, and keeps leases.
class whole_api final : public api
{
public:
    explicit whole_api(timekeeper& time) : kept(time), leasing(kept, time) {}

    scripted_api first;   ///< widgets
    scripted_api second;  ///< gadgets
    lease_server kept;
    lease_api leasing;

    asio::awaitable<api_result<list_page>>
    list(resource kind, selection which, list_position from, item_handler each) override
    {
        return of(kind).list(kind, std::move(which), std::move(from), std::move(each));
    }
    asio::awaitable<api_result<std::unique_ptr<http::body_stream>>>
    watch(resource kind, selection which, std::string version, std::chrono::seconds timeout) override
    {
        return of(kind).watch(kind, std::move(which), std::move(version), timeout);
    }
    asio::awaitable<api_result<object_ptr>> get(resource kind, object_key key, request_class urgency) override
    {
        return leasing.get(kind, std::move(key), urgency);
    }
    asio::awaitable<api_result<object_ptr>>
    replace(resource kind, json::object whole, request_class urgency) override
    {
        return leasing.replace(kind, std::move(whole), urgency);
    }
    asio::awaitable<api_result<object_ptr>>
    create(resource kind, json::object wanted, request_class urgency) override
    {
        return leasing.create(kind, std::move(wanted), urgency);
    }
    asio::awaitable<api_result<object_ptr>>
    apply(resource kind, json::object wanted, apply_options how) override
    {
        return leasing.apply(kind, std::move(wanted), std::move(how));
    }
    asio::awaitable<api_result<object_ptr>>
    patch(resource kind, object_key key, json::array operations) override
    {
        return leasing.patch(kind, std::move(key), std::move(operations));
    }
    asio::awaitable<api_result<void>> remove(resource kind, object_key key, delete_options which) override
    {
        return leasing.remove(kind, std::move(key), std::move(which));
    }

private:
    scripted_api& of(const resource& kind) { return kind.plural == gadgets.plural ? second : first; }
};

controller_options options_of(int workers = 1)
{
    controller_options out;
    out.name = "test";
    out.workers = workers;
    return out;
}

lease_settings lease_of(std::string holder)
{
    lease_settings out;
    out.lease = {"shop", "test"};
    out.holder = std::move(holder);
    return out;
}

const error broken = fail(errc::unavailable, "the connection broke");

struct fixture : surroundings
{
    whole_api server{time};
    stop_signal end{context.get_executor()};
    log_level level = log_level::error;
    std::unique_ptr<controller> control;
    task_group running{context.get_executor(), logger(log_level::error, log_format::text)};
    bool ended = false;

    names seen;                                    ///< keys, as their reconciles begin
    names finished;                                ///< and as they end, with "!" where they were cut off
    std::map<std::string, reconcile_result> says;  ///< what the reconcile of a key returns
    std::map<std::string, std::chrono::milliseconds> takes;
    std::map<std::string, int> throws;  ///< how often the reconcile of a key throws
    std::exception_ptr thrown = std::make_exception_ptr(std::runtime_error("a broken invariant"));
    int at_once = 0;
    int most_at_once = 0;
    std::string holder_at_end;  ///< of the lease, when the last reconcile ended

    ~fixture()
    {
        end.request();
        settle(context);
        for (int i = 0; i < 100 && running.size() > 0; ++i)
            pass(10s);
        CHECK(running.size() == 0);
        control.reset();
    }

    void make(controller_options options = options_of())
    {
        control =
            std::make_unique<controller>(around(server, level), std::move(options), [this](object_key key) {
                return reconcile(key);
            });
    }

    struct mark
    {
        mark(fixture& to, std::string name) : f(to), key(std::move(name))
        {
            f.seen.push_back(key);
            f.most_at_once = std::max(f.most_at_once, ++f.at_once);
        }
        mark(const mark&) = delete;
        mark& operator=(const mark&) = delete;
        ~mark()
        {
            --f.at_once;
            f.finished.push_back(done ? key : key + "!");
            f.holder_at_end = f.holder();
        }

        fixture& f;
        std::string key;
        bool done = false;
    };

    asio::awaitable<reconcile_result> reconcile(object_key key)
    {
        mark here(*this, key.name);
        if (takes.contains(key.name))
            co_await time.sleep_for(takes.at(key.name));
        here.done = true;
        if (throws[key.name] > 0)
        {
            --throws[key.name];
            std::rethrow_exception(thrown);
        }
        if (says.contains(key.name))
            co_return says.at(key.name);
        co_return std::optional<std::chrono::milliseconds>();
    }

    asio::awaitable<void> work()
    {
        co_await control->run(end);
        ended = true;
    }

    void start()
    {
        running.spawn("controller", work());
        settle(context);
    }

    // A list of these and a watch that stays silent.
    static void on_list(scripted_api& script, const names& all)
    {
        std::vector<json::object> items;
        for (const std::string& each : all)
            items.push_back(raw_object(each, "1"));
        script.on_list(std::move(items), "10");
        script.on_watch({}, false);
    }

    // One kind, these objects, each its own key.
    void start_with(const names& all, controller_options options = options_of())
    {
        if (!control)
            make(std::move(options));
        control->watch(widgets, {}, own_key<object>);
        on_list(server.first, all);
        start();
    }

    void add(const std::string& name)
    {
        control->queue().add({"default", name});
        settle(context);
    }

    http::response probe(const char* target)
    {
        return http::answer_health(http::verb::get, target, checks, numbers);
    }
    std::string reconciles(const std::string& outcome) const
    {
        return value_of("controller_runtime_reconcile_total{controller=\"test\",result=\"" + outcome + "\"}");
    }

    std::string holder() const
    {
        const object_ptr lease = server.kept.find({"shop", "test"});
        return lease ? read_lease(*lease).holder : "nobody ever";
    }
    void lease_to(const std::string& who)
    {
        json::object spec;
        spec["holderIdentity"] = who;
        spec["leaseDurationSeconds"] = 15;
        server.kept.put({"shop", "test"}, std::move(spec));
    }
};

change<object> change_of(object_ptr before, object_ptr after)
{
    return {before, after};
}

object_ptr
owned(const std::string& name, const std::string& kind, const std::string& owner, bool controls = true)
{
    return parse_object(json_object(
                            R"({"metadata": {"namespace": "shop", "name": ")" + name +
                            R"(", "ownerReferences": [
                                {"kind": "Other", "name": "x", "uid": "u-0", "controller": false},
                                {"kind": ")" +
                            kind + R"(", "name": ")" + owner + R"(", "uid": "u-1", "controller": )" +
                            (controls ? "true" : "false") + "}]}}"
                        ))
        .value();
}

}  // namespace

TEST_CASE("a child's key is that of its controller, before and after", "[kube][controller]")
{
    const auto keys = controller_key("Widget");
    const object_ptr child = owned("c", "Widget", "w");
    CHECK(keys(change_of(nullptr, child)) == std::vector<object_key>{{"shop", "w"}});
    CHECK(keys(change_of(child, nullptr)) == std::vector<object_key>{{"shop", "w"}});
    const std::vector<object_key> both{{"shop", "w"}, {"shop", "v"}};
    CHECK(keys(change_of(child, owned("c", "Widget", "v"))) == both);
    CHECK(keys(change_of(nullptr, owned("c", "Gadget", "w"))).empty());
    CHECK(keys(change_of(nullptr, owned("c", "Widget", "w", false))).empty());
    CHECK(keys(change_of(nullptr, make_object("c", "1"))).empty());
    CHECK(own_key(change_of(nullptr, make_object("c", "1"))) == std::vector<object_key>{{"default", "c"}});
}

TEST_CASE("nothing is reconciled before every store is filled", "[kube][controller]")
{
    fixture f;
    f.make();
    const auto& first = f.control->watch(widgets, {}, own_key<object>);
    const auto& second = f.control->watch(gadgets, {}, nullptr);
    int starts = 0;
    f.control->on_start([&] {
        ++starts;
        CHECK(f.seen.empty());
        CHECK(first.objects().size() == 2);
        CHECK(second.objects().size() == 1);
    });
    f.on_list(f.server.first, {"a", "b"});
    f.server.second.on_list(api_error(broken));
    f.on_list(f.server.second, {"g"});
    f.start();
    CHECK(first.synced());
    CHECK_FALSE(second.synced());
    CHECK(f.seen.empty());
    CHECK(starts == 0);
    CHECK(f.control->queue().depth() == 2);
    f.pass(1s);
    CHECK(starts == 1);
    CHECK(f.seen == names{"a", "b"});  // without a mapper a kind only fills its store
    f.pass(10min);
    CHECK(f.seen.size() == 2);
    CHECK(starts == 1);
}

TEST_CASE("a change's keys are those of its mapper", "[kube][controller]")
{
    fixture f;
    f.make();
    f.control->watch(widgets, {}, [](const change<object>& of) {
        std::vector<object_key> keys;
        keys.push_back({of.key().ns, (of.before ? "" : "+") + of.key().name + (of.after ? "" : "-")});
        keys.push_back({of.key().ns, "all"});
        return keys;
    });
    f.server.first.on_list({}, "10");
    f.server.first.on_watch(
        {event_line("ADDED", "a", "11"), event_line("MODIFIED", "a", "12"), event_line("DELETED", "a", "13")},
        false
    );
    f.start();
    CHECK(f.seen == names{"+a", "all", "a", "a-"});
}

TEST_CASE("a change that is news goes before the first list", "[kube][controller]")
{
    fixture f;
    f.make();
    f.control->watch(widgets, {}, own_key<object>);
    f.control->watch(gadgets, {}, own_key<object>);
    std::vector<json::object> items;
    items.push_back(raw_object("a", "1"));
    items.push_back(raw_object("b", "1"));
    f.server.first.on_list(std::move(items), "10");
    f.server.first.on_watch({event_line("ADDED", "news", "11"), event_line("MODIFIED", "b", "12")}, false);
    f.server.second.on_list(api_error(broken));
    f.on_list(f.server.second, {"g"});
    f.start();
    f.pass(1s);
    CHECK(f.seen == names{"news", "b", "a", "g"});
}

TEST_CASE("a reconcile says when it wants to be called again", "[kube][controller]")
{
    fixture f;
    f.says.emplace("a", std::optional<std::chrono::milliseconds>(5s));
    f.start_with({"a", "b"});
    CHECK(f.seen == names{"a", "b"});
    CHECK(f.reconciles("success") == "1");
    CHECK(f.reconciles("requeue_after") == "1");
    f.pass(4999ms);
    CHECK(f.seen.size() == 2);
    f.pass(1ms);
    CHECK(f.seen == names{"a", "b", "a"});
    f.pass(5s);
    CHECK(f.seen == names{"a", "b", "a", "a"});
    CHECK(f.reconciles("requeue_after") == "3");
}

TEST_CASE("a reconcile that fails is tried again, ever later, and said so", "[kube][controller]")
{
    fixture f;
    f.level = log_level::warn;
    const captured_stderr log;
    f.says.emplace("a", fail(errc::unavailable, "the upstream is away"));
    f.start_with({"a"});
    CHECK(f.seen.size() == 1);
    CHECK(log.count("reconcile failed") == 1);
    CHECK(log.count("the upstream is away") == 1);
    CHECK(log.count("key=default/a") == 1);
    f.pass(24ms);
    CHECK(f.seen.size() == 1);
    f.pass(26ms);
    CHECK(f.seen.size() == 2);
    f.pass(49ms);
    CHECK(f.seen.size() == 2);
    f.pass(51ms);
    CHECK(f.seen.size() == 3);
    CHECK(f.reconciles("error") == "3");
    CHECK(f.value_of("controller_runtime_reconcile_errors_total{controller=\"test\"}") == "3");
    CHECK(f.reconciles("success") == "0");
    f.says.clear();
    f.pass(60s);
    CHECK(f.seen.size() == 4);
    CHECK(f.reconciles("success") == "1");
    // A success starts the delays over.
    f.says.emplace("a", fail(errc::unavailable, "the upstream is away"));
    f.add("a");
    f.pass(50ms);
    CHECK(f.seen.size() == 6);
}

TEST_CASE("a conflict is tried again without a word", "[kube][controller]")
{
    fixture f;
    f.level = log_level::warn;
    const captured_stderr log;
    f.says.emplace("a", fail(errc::conflict, "somebody was faster"));
    f.start_with({"a"});
    f.pass(50ms);
    CHECK(f.seen.size() == 2);
    CHECK(f.reconciles("error") == "2");
    CHECK(log.text().empty());
}

TEST_CASE("several workers, and never two for one key", "[kube][controller]")
{
    fixture f;
    for (const char* name : {"a", "b", "c", "d"})
        f.takes[name] = 100ms;
    f.start_with({"a", "b", "c", "d"}, options_of(3));
    CHECK(f.seen == names{"a", "b", "c"});
    CHECK(f.value_of("controller_runtime_active_workers{controller=\"test\"}") == "3");
    CHECK(f.value_of("controller_runtime_max_concurrent_reconciles{controller=\"test\"}") == "3");
    f.add("a");
    f.pass(100ms);
    // Which of the three is done first decides what the queue holds by then.
    const bool either = f.seen == names{"a", "b", "c", "a", "d"} || f.seen == names{"a", "b", "c", "d", "a"};
    CHECK(either);
    f.pass(100ms);
    CHECK(f.most_at_once == 3);
    CHECK(f.value_of("controller_runtime_active_workers{controller=\"test\"}") == "0");
    CHECK(f.value_of("controller_runtime_reconcile_time_seconds_sum{controller=\"test\"}") == "0.5");
    CHECK(f.value_of("controller_runtime_reconcile_time_seconds_count{controller=\"test\"}") == "5");
}

TEST_CASE("a kind that cannot be listed in time ends a process that is to give up", "[kube][controller]")
{
    fixture f;
    auto options = options_of();
    options.when_unsynced = when_unsynced::give_up;
    f.make(options);
    f.control->watch(widgets, {}, own_key<object>);
    f.control->watch(gadgets, {}, own_key<object>);
    f.on_list(f.server.first, {"a"});
    const captured_stderr log;
    f.start();
    f.pass(119999ms);
    CHECK_FALSE(f.ended);
    f.pass(1ms);
    CHECK(f.ended);
    CHECK(f.end.exit_code() == 1);
    CHECK(f.seen.empty());
    CHECK(log.count("gadgets not listed yet") == 1);
    CHECK(log.count("seconds=120") == 1);
}

TEST_CASE("a process that may wait for its kinds says so once", "[kube][controller]")
{
    fixture f;
    auto options = options_of();
    options.sync_limit = 30s;
    f.make(options);
    f.control->watch(widgets, {}, own_key<object>);
    for (int i = 0; i < 20; ++i)
        f.server.first.on_list(api_error(broken));
    f.on_list(f.server.first, {"a"});
    const captured_stderr log;
    f.start();
    for (int i = 0; i < 25; ++i)
    {
        CHECK(f.seen.empty() == (log.count("not synced") == 0 || f.server.first.calls.size() <= 21));
        f.pass(30s);
    }
    CHECK(f.seen == names{"a"});
    CHECK_FALSE(f.ended);
    CHECK(log.count("widgets not listed yet") == 1);
}

TEST_CASE("a kind that is missing is named, and waited for", "[kube][controller]")
{
    const auto forbidden = [] { return api_error(403, "Forbidden", "you may not", 0s); };
    fixture f;
    f.make();
    f.control->watch(widgets, {}, own_key<object>);
    watch_options how;
    how.optional = GENERATE(false, true);
    CAPTURE(how.optional);
    f.control->watch(gadgets, {}, own_key<object>, how);
    int found = 0;
    f.control->on_found([&] { ++found; });
    f.on_list(f.server.first, {"a"});
    for (int i = 0; i < 3; ++i)
        f.server.second.on_list(forbidden());
    f.on_list(f.server.second, {});
    f.start();
    f.pass(0s);
    CHECK(
        f.probe("/readyz").body().find(
            "[-]test watches synced failed: missing: gadgets.test.example: this account may not"
        ) == 0
    );
    CHECK(f.probe("/healthz").result_int() == 200);
    // Work begins without what is optional.
    CHECK(f.seen == (how.optional ? names{"a"} : names{}));
    CHECK_FALSE(f.control->all_synced());
    for (int i = 0; i < 10; ++i)
        f.pass(30s);
    CHECK_FALSE(f.ended);
    CHECK(f.probe("/readyz").result_int() == 200);
    CHECK(f.seen == names{"a"});
    CHECK(f.control->all_synced());
    CHECK(found == (how.optional ? 1 : 0));
}

TEST_CASE("who serves on what it knows stays ready when its kind goes missing", "[kube][controller]")
{
    fixture f;
    auto options = options_of();
    options.serves_on = GENERATE(false, true);
    CAPTURE(options.serves_on);
    f.make(options);
    f.control->watch(widgets, {}, own_key<object>);
    const auto forbidden = [] { return api_error(403, "Forbidden", "you may not", 0s); };
    // Not before it knows anything.
    f.server.first.on_list(forbidden());
    f.server.first.on_list({raw_object("a", "1")}, "10");
    for (int i = 0; i < 100; ++i)
        f.server.first.on_watch(forbidden());
    f.start();
    f.pass(0s);
    CHECK(f.probe("/readyz").result_int() == 503);
    f.pass(1s);
    f.pass(30s);
    f.pass(20min);
    const auto verdict = f.probe("/readyz?verbose");
    CHECK(verdict.result_int() == (options.serves_on ? 200 : 503));
    CHECK_THAT(verdict.body(), Catch::Matchers::Contains("widgets.test.example: this account may not"));
    CHECK(f.seen == names{"a"});
}

TEST_CASE("a synced process does not end at the limit", "[kube][controller]")
{
    fixture f;
    f.start_with({"a"});
    f.pass(10min);
    CHECK_FALSE(f.ended);
}

TEST_CASE("a process is ready once its stores are filled", "[kube][controller]")
{
    fixture f;
    f.make();
    f.control->watch(widgets, {}, own_key<object>);
    f.server.first.on_list(api_error(broken));
    f.on_list(f.server.first, {});
    f.start();
    CHECK(f.probe("/readyz").result_int() == 503);
    CHECK(f.probe("/readyz").body().find("[-]test watches synced failed: widgets not listed yet") == 0);
    f.pass(1s);
    CHECK(f.probe("/readyz").result_int() == 200);
}

TEST_CASE("a watch that is away for too long is a warning", "[kube][controller]")
{
    fixture f;
    auto options = options_of();
    options.stale_limit = 600s;
    f.make(options);
    f.control->watch(widgets, {}, own_key<object>);
    f.server.first.on_list({}, "10");
    f.server.first.on_watch({broken}, false);
    for (int i = 0; i < 100; ++i)
        f.server.first.on_watch(api_error(broken));
    f.start();
    CHECK(f.probe("/healthz").result_int() == 200);
    f.pass(600s);
    CHECK(f.probe("/healthz?verbose").body().find("[+]test watches connected ok") == 0);
    f.pass(1s);
    const auto answer = f.probe("/healthz?verbose");
    CHECK(answer.result_int() == 200);
    CHECK(answer.body().find("[!]test watches connected warns: widgets not seen for 601 s") == 0);
    // The checks go with the controller.
    f.end.request();
    settle(f.context);
    REQUIRE(f.ended);
    f.control.reset();
    CHECK(f.probe("/healthz?verbose").body() == "ok\n");
    CHECK(f.probe("/readyz?verbose").body() == "ok\n");
}

TEST_CASE("the end may come before the stores are filled", "[kube][controller]")
{
    fixture f;
    f.make();
    f.control->watch(widgets, {}, own_key<object>);
    f.control->watch(gadgets, {}, own_key<object>);
    f.on_list(f.server.first, {"a"});
    bool started = false;
    f.control->on_start([&] { started = true; });
    SECTION("while a list hangs")
    {
        f.start();
        f.end.request();
    }
    SECTION("while a list waits for its next attempt")
    {
        f.server.second.on_list(api_error(broken));
        f.start();
        f.end.request();
    }
    SECTION("before anything has begun")
    {
        f.end.request();
        f.start();
    }
    SECTION("with the last list")
    {
        f.on_list(f.server.second, {"g"});
        f.control->watch(gadgets, {}, [&](const change<object>&) {
            f.end.request();
            return std::vector<object_key>();
        });
        f.on_list(f.server.second, {"g"});
        f.start();
    }
    settle(f.context);
    CHECK(f.ended);
    CHECK(f.end.exit_code() == 0);
    CHECK(f.seen.empty());
    CHECK_FALSE(started);
    f.control.reset();
    settle(f.context);
}

TEST_CASE("a list that arrives in the moment of the end starts no workers", "[kube][controller]")
{
    fixture f;
    f.make(options_of(4));
    f.control->watch(widgets, {}, own_key<object>);
    // An answer that was there already when its request was canceled.
    const auto arrival = f.time.make_timer(f.context.get_executor());
    f.server.first.before_list = [&] { return arrival->wait(); };
    f.on_list(f.server.first, {"a"});
    bool started = false;
    f.control->on_start([&] { started = true; });
    f.start();
    f.end.request();
    settle(f.context);
    CHECK(f.ended);
    CHECK_FALSE(started);
    // Nothing of it is left that could still run.
    f.control.reset();
    settle(f.context);
    CHECK(f.seen.empty());
}

TEST_CASE("at the end a reconcile may finish, and what is queued is dropped", "[kube][controller]")
{
    fixture f;
    f.takes["a"] = 5s;
    f.start_with({"a", "b", "c"});
    f.pass(1s);
    f.end.request();
    settle(f.context);
    CHECK(f.control->queue().depth() == 0);
    CHECK_FALSE(f.ended);
    f.pass(4s);
    CHECK(f.ended);
    CHECK(f.finished == names{"a"});
    CHECK(f.end.exit_code() == 0);
}

TEST_CASE("a reconcile that hangs is cut off at the drain limit", "[kube][controller]")
{
    fixture f;
    f.takes["a"] = 1h;
    f.takes["b"] = 5s;
    f.start_with({"a", "b", "c"}, options_of(2));
    f.end.request();
    settle(f.context);
    f.pass(19999ms);
    CHECK_FALSE(f.ended);
    CHECK(f.finished == names{"b"});
    f.pass(1ms);
    CHECK(f.ended);
    CHECK(f.finished == names{"b", "a!"});
    CHECK(f.control->queue().in_work() == 0);
    CHECK(f.value_of("controller_runtime_active_workers{controller=\"test\"}") == "0");
}

TEST_CASE("the drain limit is an option", "[kube][controller]")
{
    fixture f;
    auto options = options_of();
    options.drain_limit = 0ms;
    f.takes["a"] = 1h;
    f.start_with({"a"}, options);
    f.end.request();
    settle(f.context);
    CHECK(f.ended);
    CHECK(f.finished == names{"a!"});
}

TEST_CASE("while others may still finish, a failure at the end is not tried again", "[kube][controller]")
{
    fixture f;
    f.takes["a"] = 5s;
    f.says.emplace("a", fail(errc::unavailable, "away"));
    f.start_with({"a"});
    f.end.request();
    settle(f.context);
    f.pass(5s);
    CHECK(f.ended);
    f.pass(1h);
    CHECK(f.seen == names{"a"});
}

TEST_CASE(
    "nothing is reconciled before this process leads, but its stores are filled", "[kube][controller][lease]"
)
{
    fixture f;
    auto options = options_of();
    options.lease = lease_of("me");
    f.lease_to("other");
    f.make(options);
    bool started = false;
    f.control->on_start([&] {
        started = true;
        CHECK(f.holder() == "me");
    });
    const auto& watching = f.control->watch(widgets, {}, own_key<object>);
    std::vector<json::object> items;
    items.push_back(raw_object("a", "1"));
    f.server.first.on_list(std::move(items), "10");
    f.server.first.on_watch({event_line("ADDED", "b", "11")}, false);
    f.start();
    CHECK(watching.objects().size() == 2);
    for (int i = 0; i < 14; ++i)
    {
        f.pass(1s);
        CHECK(f.seen.empty());
    }
    CHECK_FALSE(started);
    CHECK(f.probe("/readyz").result_int() == 200);
    // The other one does not renew it.
    for (int i = 0; i < 10; ++i)
        f.pass(1s);
    CHECK(started);
    CHECK(f.holder() == "me");
    CHECK(f.seen == names{"b", "a"});
    // It is renewed while there is nothing to do.
    for (int i = 0; i < 60; ++i)
        f.pass(1s);
    CHECK_FALSE(f.ended);
    CHECK(f.holder() == "me");
}

TEST_CASE("the lease is not asked for before the stores are filled", "[kube][controller][lease]")
{
    fixture f;
    auto options = options_of();
    options.lease = lease_of("me");
    f.make(options);
    f.control->watch(widgets, {}, own_key<object>);
    f.server.first.on_list(api_error(broken));
    f.on_list(f.server.first, {"a"});
    f.start();
    CHECK(f.server.leasing.calls.empty());
    f.pass(1s);
    CHECK(f.holder() == "me");
    CHECK(f.seen == names{"a"});
}

TEST_CASE("a lost lease cuts off everything at once and ends the process", "[kube][controller][lease]")
{
    fixture f;
    auto options = options_of(2);
    options.lease = lease_of("me");
    f.takes["a"] = 1h;
    f.takes["b"] = 1h;
    const captured_stderr log;
    f.start_with({"a", "b", "c"}, options);
    REQUIRE(f.seen == names{"a", "b"});
    std::string after;
    SECTION("somebody took it")
    {
        f.lease_to("other");
        after = "other";
        f.pass(2s);
    }
    SECTION("it could not be renewed")
    {
        f.server.leasing.fate = [](const std::string&) { return lease_api::hang(); };
        after = "me";
        for (int i = 0; i < 9; ++i)
        {
            f.pass(1s);
            CHECK_FALSE(f.ended);
        }
        f.pass(1s);
    }
    CHECK(f.ended);
    CHECK(f.end.exit_code() == 1);
    CHECK(f.finished == names{"a!", "b!"});
    CHECK(f.seen.size() == 2);
    // What is not ours is not released.
    CHECK(f.holder() == after);
    CHECK(log.count("no longer the leader") == 1);
}

TEST_CASE(
    "a lease that is lost while the process ends cuts off what is under way", "[kube][controller][lease]"
)
{
    fixture f;
    auto options = options_of();
    options.lease = lease_of("me");
    f.takes["a"] = 1h;
    const captured_stderr log;
    f.start_with({"a"}, options);
    f.end.request();
    settle(f.context);
    f.lease_to("other");
    f.pass(2s);
    CHECK(f.ended);
    CHECK(f.finished == names{"a!"});
    CHECK(f.end.exit_code() == 1);
    CHECK(f.holder() == "other");
}

TEST_CASE("the lease is released once the last reconcile has ended", "[kube][controller][lease]")
{
    fixture f;
    auto options = options_of();
    options.lease = lease_of("me");
    f.takes["a"] = 15s;
    f.takes["hangs"] = 1h;
    const std::string key = GENERATE("a", "hangs");
    f.start_with({key}, options);
    REQUIRE(f.holder() == "me");
    f.end.request();
    settle(f.context);
    for (int i = 0; i < 20 && !f.ended; ++i)
    {
        CHECK(f.holder() == "me");  // renewed meanwhile
        f.pass(1s);
    }
    CHECK(f.ended);
    CHECK(f.finished == names{key == "a" ? "a" : "hangs!"});
    CHECK(f.holder_at_end == "me");
    CHECK(f.holder().empty());
    CHECK(f.end.exit_code() == 0);
}

TEST_CASE("a process that ends while it waits for the lease leaves it alone", "[kube][controller][lease]")
{
    fixture f;
    auto options = options_of();
    options.lease = lease_of("me");
    f.lease_to("other");
    f.start_with({"a"}, options);
    f.pass(5s);
    const auto writes = f.server.kept.history.size();
    f.end.request();
    settle(f.context);
    CHECK(f.ended);
    CHECK(f.end.exit_code() == 0);
    CHECK(f.seen.empty());
    CHECK(f.holder() == "other");
    CHECK(f.server.kept.history.size() == writes);
}

TEST_CASE("a lease that is won in the moment of the end is released unused", "[kube][controller][lease]")
{
    fixture f;
    auto options = options_of();
    options.lease = lease_of("me");
    f.make(options);
    bool started = false;
    f.control->on_start([&] { started = true; });
    f.server.leasing.fate = [&](const std::string& verb) {
        // The first write is carried out, but its answer takes a while.
        request_fate out;
        out.back = verb == "create" ? 1s : 0s;
        return out;
    };
    f.start_with({"a"}, options);
    f.end.request();
    f.time.advance(1s);
    settle(f.context);
    f.pass(5s);
    CHECK(f.ended);
    CHECK_FALSE(started);
    CHECK(f.seen.empty());
    CHECK(f.holder().empty());
}

TEST_CASE("an exception is the failure of its key, and of no other", "[kube][controller]")
{
    fixture f;
    f.level = log_level::warn;
    const captured_stderr log;
    f.throws["a"] = 2;
    SECTION("of any kind") {}
    SECTION("a want of memory")
    {
        f.thrown = std::make_exception_ptr(std::bad_alloc());
    }
    SECTION("no std::exception")
    {
        f.thrown = std::make_exception_ptr(7);
    }
    SECTION("as of a cancellation, where nobody cancels")
    {
        f.thrown = std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted));
    }
    f.start_with({"a", "b"});
    CHECK(f.seen == names{"a", "b"});
    CHECK(f.reconciles("error") == "1");
    f.pass(50ms);
    CHECK(f.seen == names{"a", "b", "a"});
    f.pass(100ms);
    CHECK(f.seen == names{"a", "b", "a", "a"});
    CHECK(f.reconciles("error") == "2");
    CHECK(f.reconciles("success") == "2");
    CHECK(f.value_of("controller_runtime_reconcile_panics_total{controller=\"test\"}") == "2");
    CHECK(log.count("key=default/a") == 2);
    CHECK_FALSE(f.ended);
    f.pass(10min);
    CHECK(f.seen.size() == 4);
}

TEST_CASE("an exception before the reconcile has begun is one of its key too", "[kube][controller]")
{
    fixture f;
    int calls = 0;
    f.control = std::make_unique<controller>(
        f.around(f.server),
        options_of(),
        [&](object_key key) -> asio::awaitable<reconcile_result> {
            if (++calls == 1)
                throw std::length_error("too long");
            return f.reconcile(std::move(key));
        }
    );
    f.start_with({"a"});
    f.pass(1s);
    CHECK(calls == 2);
    CHECK(f.seen == names{"a"});
}

TEST_CASE("who is told of exceptions may fail as well", "[kube][controller]")
{
    fixture f;
    names told;
    auto options = options_of();
    options.on_exception = [&](object_key key, std::string what) -> asio::awaitable<void> {
        told.push_back(key.name + ": " + what);
        co_await f.time.sleep_for(10ms);
        if (key.name == "b")
            throw std::runtime_error("no");
    };
    f.throws = {{"a", 1}, {"b", 1}};
    f.start_with({"a", "b"}, std::move(options));
    for (int i = 0; i < 20; ++i)
        f.pass(10ms);
    CHECK(told == names{"a: a broken invariant", "b: a broken invariant"});
    // Their second attempts come after random pauses.
    std::sort(f.seen.begin(), f.seen.end());
    CHECK(f.seen == names{"a", "a", "b", "b"});
    CHECK(f.reconciles("success") == "2");
}

TEST_CASE("a change whose mapper throws reaches its keys later", "[kube][controller]")
{
    fixture f;
    f.make();
    int throws = 2;
    f.control->watch(widgets, {}, [&](const change<object>& of) {
        if (of.key().name == "a" && throws-- > 0)
            throw std::runtime_error("no key");
        return own_key<object>(of);
    });
    f.on_list(f.server.first, {"a", "b"});
    f.start();
    CHECK(f.seen == names{"b"});
    f.pass(1s);
    f.pass(1s);
    CHECK(f.seen == names{"b", "a"});
    CHECK_FALSE(f.ended);
}
