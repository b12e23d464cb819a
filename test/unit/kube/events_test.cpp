#include "catch.hpp"
#include "run.hpp"
#include "scripted_api.hpp"

#include <portitor/kube/events.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <string>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using portitor::test::run;
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

struct fixture
{
    asio::io_context context;
    scripted_api server;
    logger log{log_level::error, log_format::text};
    task_group tasks{context.get_executor(), log};
    event_recorder recorder{server, tasks, "portitor", log};
    object_ptr about = parse_object(json::parse(R"({
        "apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer",
        "metadata": {"namespace": "shop", "name": "hello", "uid": "u-1", "resourceVersion": "42"}})")
                                        .as_object())
                           .value();

    ~fixture()
    {
        tasks.cancel();
        run(context, tasks.join());
    }
};

}  // namespace

TEST_CASE("an Event names its object, reason and reporter", "[kube][events]")
{
    fixture f;
    f.recorder.record(*f.about, "Warning", "PriceInvalid", "the price is no number");
    run(f.context, f.tasks.join());
    REQUIRE(f.server.created.size() == 1);
    const json::object& event = f.server.created[0];
    CHECK(string_at(event, "apiVersion") == "v1");
    CHECK(string_at(event, "kind") == "Event");
    CHECK(string_at(event, "metadata.namespace") == "shop");
    CHECK(string_at(event, "metadata.name").starts_with("hello."));
    CHECK(string_at(event, "involvedObject.apiVersion") == "obol.org/v1alpha1");
    CHECK(string_at(event, "involvedObject.kind") == "ServiceOffer");
    CHECK(string_at(event, "involvedObject.name") == "hello");
    CHECK(string_at(event, "involvedObject.uid") == "u-1");
    CHECK(string_at(event, "type") == "Warning");
    CHECK(string_at(event, "reason") == "PriceInvalid");
    CHECK(string_at(event, "message") == "the price is no number");
    CHECK(string_at(event, "source.component") == "portitor");
    CHECK(from_rfc3339(string_at(event, "lastTimestamp")) != clock::time_point{});
}

TEST_CASE("no two Events have one name, and none is longer than a name may be", "[kube][events]")
{
    fixture f;
    object long_named = *f.about;
    long_named.meta.name = std::string(253, 'a');
    f.recorder.record(long_named, "Normal", "One", "one");
    f.recorder.record(long_named, "Normal", "Two", "two");
    run(f.context, f.tasks.join());
    REQUIRE(f.server.created.size() == 2);
    const std::string first = string_at(f.server.created[0], "metadata.name");
    CHECK(first != string_at(f.server.created[1], "metadata.name"));
    CHECK(first.size() <= 253);
}

TEST_CASE("a message is cut to what the API server takes", "[kube][events]")
{
    fixture f;
    std::string snow = "xx";
    for (int i = 0; i < 1000; ++i)
        snow += "☃";
    f.recorder.record(*f.about, "Normal", "Long", snow);
    run(f.context, f.tasks.join());
    REQUIRE(f.server.created.size() == 1);
    const std::string message = string_at(f.server.created[0], "message");
    CHECK(message.size() <= 1024);
    CHECK(message.size() > 1000);
    boost::system::error_code ec;
    json::parse(json::serialize(f.server.created[0]), ec);  // refuses half a character
    CHECK_FALSE(ec);
}

TEST_CASE("Events that cannot be written are dropped, and make room", "[kube][events]")
{
    fixture f;
    f.server.create_failure = api_error(403, "Forbidden", "no", std::chrono::seconds(0));
    for (int i = 0; i < 100; ++i)
        f.recorder.record(*f.about, "Normal", "Many", "many");
    CHECK(f.tasks.size() == 64);
    run(f.context, f.tasks.join());
    f.recorder.record(*f.about, "Normal", "Again", "again");
    run(f.context, f.tasks.join());
    CHECK(f.server.created.size() == 65);
}
