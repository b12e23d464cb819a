#include "catch.hpp"
#include "harness.hpp"
#include "objects.hpp"
#include "run.hpp"
#include "scripted_api.hpp"

#include <portitor/kube/events.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <string>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using namespace std::chrono_literals;
using portitor::test::run;
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr resource offer_resource{"obol.org", "v1alpha1", "serviceoffers", "ServiceOffer"};

object_ptr offer(const std::string& name, const std::string& uid)
{
    return parse_object(json_object(
                            R"({"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer",
                                "metadata": {"namespace": "shop", "resourceVersion": "42", "name": ")" +
                            name + R"(", "uid": ")" + uid + "\"}}"
                        ))
        .value();
}

struct fixture : surroundings
{
    scripted_api server;
    task_group tasks{context.get_executor(), logger(log_level::error, log_format::text)};
    event_recorder recorder{around(server), tasks, "portitor"};
    object_ptr about = offer("hello", "u-1");

    ~fixture()
    {
        inside(context, [this] { tasks.cancel(); });
        run(context, tasks.join());
    }

    void record(const std::string& message = "all is well", const std::string& reason = "Ready")
    {
        recorder.record(offer_resource, about->meta, "Normal", reason, message);
    }

    // The same, and waits until it is written.
    void write(const std::string& message = "all is well")
    {
        record(message);
        run(context, tasks.join());
    }

    // Writes take so long from now on.
    void slow_down(std::chrono::milliseconds by)
    {
        server.before_write = [this, by] { return time.sleep_for(by); };
    }

    std::string dropped() const { return value_of("portitor_events_dropped_total"); }
};

api_error refusal(unsigned status, std::string reason)
{
    return {status, std::move(reason), "the test says so", 0s};
}

}  // namespace

TEST_CASE("an Event names its object, reason and reporter", "[kube][events]")
{
    fixture f;
    f.recorder.record(offer_resource, f.about->meta, "Warning", "PriceInvalid", "the price is no number");
    run(f.context, f.tasks.join());
    REQUIRE(f.server.created.size() == 1);
    const json::object& event = f.server.created[0];
    CHECK(string_at(event, "apiVersion") == "v1");
    CHECK(string_at(event, "kind") == "Event");
    CHECK(string_at(event, "metadata.namespace") == "shop");
    CHECK(string_at(event, "metadata.name").starts_with("hello."));
    CHECK(string_at(event, "involvedObject.apiVersion") == "obol.org/v1alpha1");
    CHECK(string_at(event, "involvedObject.kind") == "ServiceOffer");
    CHECK(string_at(event, "involvedObject.namespace") == "shop");
    CHECK(string_at(event, "involvedObject.name") == "hello");
    CHECK(string_at(event, "involvedObject.uid") == "u-1");
    CHECK(string_at(event, "involvedObject.resourceVersion") == "42");
    CHECK(string_at(event, "type") == "Warning");
    CHECK(string_at(event, "reason") == "PriceInvalid");
    CHECK(string_at(event, "message") == "the price is no number");
    CHECK(string_at(event, "source.component") == "portitor");
    CHECK(string_at(event, "firstTimestamp") == "2026-11-24T20:17:00Z");
    CHECK(string_at(event, "lastTimestamp") == "2026-11-24T20:17:00Z");
    CHECK(int_at(event, "count") == 1);
}

TEST_CASE("an object without a namespace has its Events in the default one", "[kube][events]")
{
    fixture f;
    object global = *f.about;
    global.meta.ns.clear();
    f.recorder.record(offer_resource, global.meta, "Normal", "Ready", "all is well");
    run(f.context, f.tasks.join());
    REQUIRE(f.server.created.size() == 1);
    CHECK(string_at(f.server.created[0], "metadata.namespace") == "default");
    CHECK(string_at(f.server.created[0], "involvedObject.namespace").empty());
}

TEST_CASE("what repeats is one Event with a count", "[kube][events]")
{
    fixture f;
    f.write();
    f.wall.at += 5s;
    f.write();
    f.wall.at += 5s;
    f.write();
    REQUIRE(f.server.created.size() == 1);
    const std::string name = string_at(f.server.created[0], "metadata.name");
    CHECK(f.server.calls == std::vector<std::string>{"create", "patch shop/" + name, "patch shop/" + name});
    REQUIRE(f.server.patched.size() == 2);
    CHECK(f.server.patched[1] == json::parse(R"([
        {"op": "replace", "path": "/count", "value": 3},
        {"op": "replace", "path": "/lastTimestamp", "value": "2026-11-24T20:17:10Z"}])"));
    CHECK(f.dropped() == "0");
}

TEST_CASE("another type, reason, message or object is another Event", "[kube][events]")
{
    fixture f;
    f.write();
    f.recorder.record(offer_resource, f.about->meta, "Warning", "Ready", "all is well");
    f.recorder.record(offer_resource, f.about->meta, "Normal", "Other", "all is well");
    f.recorder.record(offer_resource, f.about->meta, "Normal", "Ready", "all is better");
    // The same name, but another object.
    f.recorder.record(offer_resource, offer("hello", "u-2")->meta, "Normal", "Ready", "all is well");
    run(f.context, f.tasks.join());
    CHECK(f.server.created.size() == 5);
    CHECK(f.server.patched.empty());
}

TEST_CASE("what comes while an Event is being written is one more write", "[kube][events]")
{
    fixture f;
    f.slow_down(10ms);
    f.record();
    settle(f.context);
    for (int i = 0; i < 5; ++i)
        f.record();
    CHECK(f.tasks.size() == 1);
    f.pass(10ms);
    f.pass(10ms);
    CHECK(f.tasks.size() == 0);
    CHECK(f.server.created.size() == 1);
    REQUIRE(f.server.patched.size() == 1);
    CHECK(f.server.patched[0].at(0).at("value") == 6);
}

TEST_CASE("an Event that the API server has forgotten is written anew, with its count", "[kube][events]")
{
    fixture f;
    f.write();
    f.server.patch_failure = refusal(404, "NotFound");
    f.write();
    CHECK(f.server.calls.size() == 3);
    REQUIRE(f.server.created.size() == 2);
    CHECK(int_at(f.server.created[1], "count") == 2);
    CHECK(string_at(f.server.created[1], "metadata.name") == string_at(f.server.created[0], "metadata.name"));
    CHECK(f.dropped() == "0");
}

TEST_CASE("an Event that cannot be written is dropped, and the next one tries again", "[kube][events]")
{
    fixture f;
    SECTION("not created")
    {
        f.server.create_failure = refusal(403, "Forbidden");
        f.write();
        CHECK(f.dropped() == "1");
        f.server.create_failure.reset();
        f.server.patch_failure = refusal(404, "NotFound");
        f.write();
        REQUIRE(f.server.created.size() == 2);
        CHECK(int_at(f.server.created[1], "count") == 2);
    }
    SECTION("not counted")
    {
        f.write();
        f.server.patch_failure = refusal(500, "InternalError");
        f.write();
        CHECK(f.dropped() == "1");
        CHECK(f.server.created.size() == 1);
        f.server.patch_failure.reset();
        f.write();
        CHECK(f.server.patched.back().at(0).at("value") == 3);
    }
    CHECK(f.dropped() == "1");
}

TEST_CASE("an object that is never at rest has 25 Events, and then one in five minutes", "[kube][events]")
{
    fixture f;
    for (int i = 0; i < 40; ++i)
        f.write("news " + std::to_string(i));
    CHECK(f.server.created.size() == 25);
    CHECK(f.dropped() == "15");
    // Even what would be folded into one that is there.
    f.write("news 1");
    CHECK(f.server.patched.empty());
    f.pass(299s);
    f.write("too soon");
    CHECK(f.server.created.size() == 25);
    f.pass(1s);
    f.write("now");
    f.write("not now");
    CHECK(f.server.created.size() == 26);
    // Others have their own.
    f.recorder.record(offer_resource, offer("other", "u-2")->meta, "Normal", "Ready", "all is well");
    run(f.context, f.tasks.join());
    CHECK(f.server.created.size() == 27);
    f.pass(100h);
    for (int i = 0; i < 40; ++i)
        f.write("later news " + std::to_string(i));
    CHECK(f.server.created.size() == 27 + 25);
}

TEST_CASE("so many Events at once that the API server is not flooded", "[kube][events]")
{
    fixture f;
    f.slow_down(10ms);
    for (int i = 0; i < 100; ++i)
        f.recorder.record(
            offer_resource, offer("o", "u-" + std::to_string(i))->meta, "Normal", "Many", "many"
        );
    settle(f.context);
    CHECK(f.tasks.size() == 64);
    CHECK(f.dropped() == "36");
    f.pass(10ms);
    CHECK(f.tasks.size() == 0);
    CHECK(f.server.created.size() == 64);
    // That makes room, and cost the others nothing of their own.
    f.recorder.record(offer_resource, offer("o", "u-99")->meta, "Normal", "Many", "many");
    f.pass(10ms);
    f.pass(10ms);
    CHECK(f.server.created.size() == 65);
}

TEST_CASE("an Event may be under way at the end", "[kube][events]")
{
    fixture f;
    f.slow_down(1h);
    f.record();
    settle(f.context);
    f.record();
    inside(f.context, [&] { f.tasks.cancel(); });
    run(f.context, f.tasks.join());
    CHECK(f.server.created.size() == 1);
}

TEST_CASE("thousands of different Events are not all remembered", "[kube][events]")
{
    fixture f;
    const auto record_all = [&](int count) {
        for (int i = 0; i < count; ++i)
        {
            f.recorder.record(
                offer_resource, offer("o", "u-" + std::to_string(i))->meta, "Normal", "Many", "many"
            );
            settle(f.context);
        }
    };
    record_all(2100);
    CHECK(f.server.created.size() == 2100);
    // The first ones were forgotten, the last one was not.
    f.recorder.record(offer_resource, offer("o", "u-2099")->meta, "Normal", "Many", "many");
    settle(f.context);
    CHECK(f.server.patched.size() == 1);
    f.recorder.record(offer_resource, offer("o", "u-0")->meta, "Normal", "Many", "many");
    settle(f.context);
    CHECK(f.server.created.size() == 2101);
}

TEST_CASE("no two Events have one name, and each is a name", "[kube][events]")
{
    fixture f;
    object long_named = *f.about;
    const std::string start(199, 'a');
    for (const std::string& rest :
         {std::string(54, 'b'), "." + std::string(53, 'b'), "-" + std::string(53, 'b')})
    {
        long_named.meta.name = start + rest;
        f.server.created.clear();
        f.recorder.record(offer_resource, long_named.meta, "Normal", "One", rest);
        f.recorder.record(offer_resource, long_named.meta, "Normal", "Two", rest);
        run(f.context, f.tasks.join());
        REQUIRE(f.server.created.size() == 2);
        const std::string first = string_at(f.server.created[0], "metadata.name");
        CHECK(first != string_at(f.server.created[1], "metadata.name"));
        CHECK(first.size() <= 253);
        // Each label of a DNS name begins and ends with a letter or a digit.
        CHECK(first.find("..") == std::string::npos);
        CHECK(first.find("-.") == std::string::npos);
    }
}

TEST_CASE("a message is cut to what the API server takes", "[kube][events]")
{
    fixture f;
    std::string snow = "xx";
    for (int i = 0; i < 1000; ++i)
        snow += "☃";
    f.write(snow);
    REQUIRE(f.server.created.size() == 1);
    const std::string message = string_at(f.server.created[0], "message");
    CHECK(message.size() <= 1024);
    CHECK(message.size() > 1000);
    boost::system::error_code ec;
    json::parse(json::serialize(f.server.created[0]), ec);  // refuses half a character
    CHECK_FALSE(ec);
}
