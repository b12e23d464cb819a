// What only the real processes show: etcd away from under the API server, and the garbage collector.

#include "world.hpp"

#include <portitor/kube/owner.hpp>

using namespace portitor;
using namespace portitor::test;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

constexpr kube::resource namespaces{"", "v1", "namespaces", "Namespace"};

json::object config_map(const std::string& ns, const std::string& name)
{
    return {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"namespace", ns}, {"name", name}}}};
}

// As somebody would write it who does not ask make_controller_reference().
json::object owned_by(json::object child, const kube::object_ptr& owner)
{
    json::object reference{
        {"apiVersion", "v1"},
        {"kind", "ConfigMap"},
        {"name", owner->meta.name},
        {"uid", owner->meta.uid},
        {"controller", true},
    };
    json::array owners;
    owners.push_back(std::move(reference));
    child["metadata"].as_object()["ownerReferences"] = std::move(owners);
    return child;
}

kube::object_ptr create(world& w, const kube::resource& kind, const json::object& wanted)
{
    return w.run(w.other().api->create(kind, wanted, kube::request_class::normal)).value();
}

bool is_there(world& w, const std::string& ns, const std::string& name)
{
    return w.run(w.other().api->get(config_maps, {ns, name})).has_value();
}

}  // namespace

TEST_CASE("a child in another namespace is deleted by the garbage collector though its owner lives", "[real]")
{
    world w;
    const auto owner = create(w, config_maps, config_map("default", "owner"));
    CHECK_FALSE(kube::make_controller_reference(config_maps, owner->meta, "elsewhere"));
    create(w, config_maps, owned_by(config_map("elsewhere", "lost"), owner));
    create(w, config_maps, owned_by(config_map("default", "kept"), owner));
    bool lost = false;
    for (int i = 0; i < 40 && !lost; ++i)
    {
        w.pass(500ms);
        lost = !is_there(w, "elsewhere", "lost");
    }
    CHECK(lost);
    CHECK(is_there(w, "default", "owner"));
    CHECK(is_there(w, "default", "kept"));
}

TEST_CASE("in a namespace that is being deleted nothing can be made, and the error says so", "[real]")
{
    world w;
    json::object wanted{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "dying"}}}};
    const auto made = create(w, namespaces, wanted);
    json::object keeper = widget("keeper");
    json::array finalizers;
    finalizers.emplace_back("example.com/keeper");
    keeper["metadata"].as_object()["namespace"] = "dying";
    keeper["metadata"].as_object()["finalizers"] = finalizers;
    create(w, widgets, keeper);
    kube::delete_options which;
    which.uid = made->meta.uid;
    REQUIRE(w.run(w.other().api->remove(namespaces, {"", "dying"}, which)));

    json::object late = widget("late");
    late["metadata"].as_object()["namespace"] = "dying";
    kube::apply_options how;
    how.field_manager = "tester";
    const auto refused = w.run(w.other().api->apply(widgets, late, how));
    REQUIRE_FALSE(refused);
    CAPTURE(refused.error().http_status(), refused.error().reason(), refused.error().message());
    CHECK(refused.error().is_namespace_terminating());

    json::object operation{{"op", "remove"}, {"path", "/metadata/finalizers"}};
    json::array operations;
    operations.push_back(operation);
    // The namespace controller would come back for it some time later.
    const auto kept = w.run(w.other().api->get(widgets, {"dying", "keeper"})).value();
    which.uid = kept->meta.uid;
    REQUIRE(w.run(w.other().api->remove(widgets, {"dying", "keeper"}, which)));
    REQUIRE(w.run(w.other().api->patch(widgets, {"dying", "keeper"}, operations)));
}

TEST_CASE("etcd killed under the API server: nothing is lost, and nobody ends", "[real]")
{
    world w;
    create_widgets(w, "w", 10);
    client mine(w);
    watching seen(w, mine);
    REQUIRE(w.wait([&] { return seen.connected(); }));
    w.run(w.real().command("stop_etcd"));
    w.pass(4s);
    CHECK(seen.size() == 10);
    CHECK(seen.informer.synced());
    w.run(w.real().command("start_etcd"));
    bool made = false;
    for (int i = 0; i < 60 && !made; ++i)
    {
        const auto tried = w.run(w.other().api->create(widgets, widget("late"), kube::request_class::normal));
        made = tried || tried.error().is_already_exists();
        w.pass(200ms);
    }
    REQUIRE(made);
    REQUIRE(w.wait([&] { return seen.has("late"); }, 45s));
    CHECK(seen.size() == 11);
    CHECK(seen.told.size() == 11);
}

TEST_CASE("etcd that stands still holds up a write, and the watch goes on", "[real]")
{
    world w;
    create_widget(w, "a", 1);
    client mine(w);
    watching seen(w, mine);
    REQUIRE(w.wait([&] { return seen.connected(); }));
    w.run(w.real().command("freeze_etcd"));
    task_group tasks(w.context.get_executor(), mine.log);
    bool written = false;
    const auto write = [&]() -> asio::awaitable<void> {
        kube::apply_options how;
        how.field_manager = "tester";
        const auto done = co_await mine.api->apply(widgets, widget("a", 2), how);
        written = done.has_value();
    };
    tasks.spawn("write", write());
    w.pass(3s);
    CHECK_FALSE(written);
    w.run(w.real().command("thaw_etcd"));
    REQUIRE(w.wait([&] { return written; }));
    REQUIRE(w.wait([&] { return seen.find("a")->spec().at("size") == 2; }));
    CHECK(seen.told == std::vector<std::string>{"+a", "a"});
    w.run(tasks.join());
}

TEST_CASE("a server that is killed again and again under writes: the store is right in the end", "[real]")
{
    world w;
    client mine(w);
    watching seen(w, mine);
    REQUIRE(w.wait([&] { return seen.connected(); }));
    for (int round = 0; round < 2; ++round)
    {
        create_widgets(w, fmt::format("r{}", round), 20);
        w.run(w.server().stop());
        w.run(w.server().remove_unseen(widget_key(fmt::format("r{}-0007", round))));
        w.run(w.server().start());
    }
    REQUIRE(w.wait([&] { return seen.size() == 38; }, 45s));
    CHECK_FALSE(seen.has("r0-0007"));
    CHECK_FALSE(seen.has("r1-0007"));
}
