// Each ConfigMap with the label "greet" gets a second one that greets it. See docs/kube.md.
#include <portitor/kube/controller.hpp>
#include <portitor/kube/owner.hpp>
#include <portitor/kube/standalone.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

using namespace portitor;
namespace asio = boost::asio;
constexpr kube::resource config_maps{"", "v1", "configmaps", "ConfigMap"};

asio::awaitable<kube::reconcile_result> greet(kube::api& server, kube::object_ptr map)
{
    if (!map || map->meta.deleted)  // its greeting goes with it: the owner reference sees to that
        co_return kube::reconcile_result(std::nullopt);
    auto owner = kube::make_controller_reference(config_maps, map->meta, map->meta.ns);
    if (!owner)
        co_return owner.error();
    boost::json::object wanted{{"apiVersion", "v1"}, {"kind", "ConfigMap"}};
    wanted["metadata"] = {{"namespace", map->meta.ns}, {"name", map->meta.name + "-greeting"}};
    wanted["metadata"].as_object()["ownerReferences"] = boost::json::array{std::move(*owner)};
    wanted["data"] = {{"text", "Hello " + kube::string_at(map->raw, "data.name")}};
    kube::apply_options how;
    how.field_manager = "greeter";
    const auto applied = co_await server.apply(config_maps, std::move(wanted), std::move(how));
    if (!applied)
        co_return applied.error().to_error();  // tried again, later each time
    co_return kube::reconcile_result(std::nullopt);
}

int main(int argc, char** argv)
{
    asio::io_context context(1);
    kube::standalone around(context.get_executor());
    auto server = around.connect(argc > 1 ? argv[1] : "");
    if (!server)
        return around.complain(server.error());
    kube::object_informer* maps = nullptr;
    kube::controller_options options;
    options.name = "greeter";
    kube::controller controller(around.environment(**server), options, [&](kube::object_key key) {
        return greet(**server, maps->objects().find(key));
    });
    kube::selection greeted;
    greeted.labels = "greet";
    maps = &controller.watch(config_maps, greeted, kube::own_key<kube::object>);

    stop_signal end(context.get_executor());
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](auto, int) { end.request(); });
    asio::co_spawn(context, controller.run(end), [&](std::exception_ptr) { signals.cancel(); });
    context.run();
    return end.exit_code();
}
