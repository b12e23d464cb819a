#include "roles/controller/reconciler.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <algorithm>

namespace portitor::controller {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

json::object test(std::string path, std::string value)
{
    return {{"op", "test"}, {"path", std::move(path)}, {"value", std::move(value)}};
}

std::string describe(const kube::resource& kind, const kube::object_key& key)
{
    return fmt::format("{} {}", kind.kind, key.to_string());
}

// 422 is how the API server says that a `test` of a patch did not hold: our view was old.
error guarded(const kube::api_error& failure)
{
    return failure.http_status() == 422 ? error(errc::conflict, failure.message()) : failure.to_error();
}

// The first failure is the one that is reported: later ones often follow from it.
void note_failure(std::optional<error>& first, const result<void>& outcome)
{
    if (!outcome && !first)
        first = outcome.error();
}

}  // namespace

asio::awaitable<result<void>> reconciler::carry_out(kube::object_ptr offer, plan todo, report& done)
{
    if (todo.add_finalizer)
    {
        auto added = co_await add_finalizer(*offer, done);
        if (!added)
            co_return added;
    }
    std::optional<error> failure;
    for (apply& each : todo.applies)
    {
        const std::string plural(each.kind.plural);
        const auto applied = co_await apply_child(std::move(each));
        done.applies.emplace_back(plural, applied ? std::string() : applied.error().message());
        note_failure(failure, applied);
    }
    for (remove& each : todo.removes)
        note_failure(failure, co_await remove_child(std::move(each)));
    for (release_finalizer& each : todo.releases)
        note_failure(failure, co_await release(std::move(each)));
    if (todo.status)
        note_failure(failure, co_await write_status(*offer, std::move(*todo.status), done));
    for (const note& each : todo.notes)
        events_.record(
            *offer, each.type == note::severity::warning ? "Warning" : "Normal", each.reason, each.message
        );
    if (failure)
        co_return *failure;
    if (todo.remove_finalizer)
    {
        auto released = co_await remove_finalizer(
            api::service_offer_resource,
            offer->meta.key(),
            offer->meta.uid,
            offer->meta.resource_version,
            offer->meta.finalizers
        );
        if (!released)
            co_return released;
    }
    co_return result<void>();
}

asio::awaitable<result<void>> reconciler::add_finalizer(const kube::object& offer, report& done)
{
    json::array operations;
    operations.push_back(test("/metadata/uid", offer.meta.uid));
    if (offer.meta.finalizers.empty())
    {
        // Without the version somebody else's first finalizer could be overwritten.
        operations.push_back(test("/metadata/resourceVersion", offer.meta.resource_version));
        json::array list;
        list.emplace_back(json::string_view(api::finalizer.data(), api::finalizer.size()));
        json::object add{{"op", "add"}, {"path", "/metadata/finalizers"}};
        add["value"] = std::move(list);
        operations.push_back(std::move(add));
    }
    else
    {
        json::object add{{"op", "add"}, {"path", "/metadata/finalizers/-"}};
        add["value"] = json::string_view(api::finalizer.data(), api::finalizer.size());
        operations.push_back(std::move(add));
    }
    auto patched =
        co_await server_.patch(api::service_offer_resource, offer.meta.key(), std::move(operations));
    if (!patched)
        co_return guarded(patched.error()).within("adding the finalizer");
    done.offer_version = (*patched)->meta.resource_version;
    co_return result<void>();
}

asio::awaitable<result<void>> reconciler::remove_finalizer(
    kube::resource kind,
    kube::object_key key,
    std::string uid,
    std::string resource_version,
    std::vector<std::string> present
)
{
    const auto at = std::find(present.begin(), present.end(), api::finalizer);
    if (at == present.end())
        co_return result<void>();
    const std::string path = fmt::format("/metadata/finalizers/{}", at - present.begin());
    json::array operations;
    operations.push_back(test("/metadata/uid", uid));
    if (!resource_version.empty())
        operations.push_back(test("/metadata/resourceVersion", resource_version));
    operations.push_back(test(path, std::string(api::finalizer)));
    operations.push_back(json::object{{"op", "remove"}, {"path", path}});
    auto patched = co_await server_.patch(kind, key, std::move(operations));
    if (!patched && !patched.error().is_not_found())
        co_return guarded(patched.error()).within("releasing " + describe(kind, key));
    co_return result<void>();
}

asio::awaitable<result<void>> reconciler::release(release_finalizer todo)
{
    auto live = co_await server_.get(todo.kind, todo.key);
    if (!live && live.error().is_not_found())
        co_return result<void>();
    if (!live)
        co_return live.error().to_error().within("reading " + describe(todo.kind, todo.key));
    if ((*live)->meta.uid != todo.uid)
        co_return result<void>();
    if ((*live)->meta.resource_version != todo.resource_version)
        co_return fail(errc::conflict, "{} has changed, looking again", describe(todo.kind, todo.key));
    co_return co_await remove_finalizer(
        todo.kind, todo.key, todo.uid, todo.resource_version, (*live)->meta.finalizers
    );
}

asio::awaitable<result<void>> reconciler::apply_child(apply todo)
{
    const kube::object_key key{
        kube::string_at(todo.desired, "metadata.namespace"), kube::string_at(todo.desired, "metadata.name")};
    if (!todo.foreign.empty())
    {
        json::array operations;
        operations.push_back(test("/metadata/uid", todo.uid));
        for (const std::string& pointer : todo.foreign)
            operations.push_back(json::object{{"op", "remove"}, {"path", pointer}});
        auto patched = co_await server_.patch(todo.kind, key, std::move(operations));
        if (!patched && !patched.error().is_not_found())
            co_return patched.error().to_error().within(
                "removing foreign fields of " + describe(todo.kind, key)
            );
    }
    auto applied = co_await server_.apply(
        todo.kind, std::move(todo.desired), std::string(api::controller_field_manager), ""
    );
    if (!applied)
        co_return applied.error().to_error().within("applying " + describe(todo.kind, key));
    log_.debug("applied", {{"kind", todo.kind.kind}, {"child", key.to_string()}});
    co_return result<void>();
}

asio::awaitable<result<void>> reconciler::remove_child(remove todo)
{
    auto removed = co_await server_.remove(todo.kind, todo.key, todo.uid);
    if (!removed)
        co_return removed.error().to_error().within("deleting " + describe(todo.kind, todo.key));
    log_.debug("deleted", {{"kind", todo.kind.kind}, {"child", todo.key.to_string()}});
    co_return result<void>();
}

asio::awaitable<result<void>>
reconciler::write_status(const kube::object& offer, json::object status, report& done)
{
    // The uid keeps the apply from meaning another offer of the same name.
    const json::object metadata{
        {"namespace", offer.meta.ns}, {"name", offer.meta.name}, {"uid", offer.meta.uid}};
    json::object wanted{
        {"apiVersion", api::service_offer_resource.api_version()},
        {"kind", std::string(api::service_offer_resource.kind)},
        {"metadata", metadata},
    };
    wanted["status"] = std::move(status);
    auto applied = co_await server_.apply(
        api::service_offer_resource, std::move(wanted), std::string(api::controller_field_manager), "status"
    );
    // Deleted in the meantime: there is no one left to tell.
    if (!applied && !applied.error().is_not_found() && !applied.error().is_conflict())
        co_return applied.error().to_error().within("writing the status");
    if (applied)
        done.offer_version = (*applied)->meta.resource_version;
    co_return result<void>();
}

}  // namespace portitor::controller
