#include "roles/controller/executor.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/kube/finalizer.hpp>
#include <portitor/kube/json_patch.hpp>

#include <boost/json/array.hpp>

namespace portitor::controller {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

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

asio::awaitable<result<void>> executor::carry_out(kube::object_ptr offer, offer::plan todo, report& done)
{
    if (todo.add_finalizer)
    {
        auto added = co_await add_finalizer(*offer, done);
        if (!added)
            co_return added;
    }
    std::optional<error> failure;
    for (offer::apply& each : todo.applies)
    {
        const std::string plural(each.kind.plural);
        if (each.repair || each.again)
            done.repairs.push_back(plural);
        const auto applied = co_await apply_child(std::move(each));
        done.applies.emplace_back(plural, applied ? std::string() : applied.error().message());
        note_failure(failure, applied);
    }
    for (offer::remove& each : todo.removes)
        note_failure(failure, co_await remove_child(std::move(each)));
    for (offer::release_finalizer& each : todo.releases)
        note_failure(failure, co_await release(std::move(each)));
    if (todo.status)
        note_failure(failure, co_await write_status(*offer, std::move(*todo.status), done));
    for (const offer::note& each : todo.notes)
        tell(*offer, each);
    if (failure)
        co_return *failure;
    if (todo.remove_finalizer)
    {
        auto released = co_await remove_finalizer(api::service_offer_resource, offer->meta);
        if (!released)
            co_return released;
    }
    co_return result<void>();
}

// An Event is for the seller, the log for the operator: a namespace that is going takes no Events.
void executor::tell(const kube::object& offer, const offer::note& what)
{
    const bool warning = what.type == offer::note::severity::warning;
    events_.record(offer, warning ? "Warning" : "Normal", what.reason, what.message);
    if (what.reason == offer::registration_left_on_chain)
        numbers_.left_on_chain();
    const logger about = log_.with({{"offer", offer.meta.key().to_string()}, {"reason", what.reason}});
    if (warning)
        about.warn(what.message);
    else
        about.info(what.message);
}

asio::awaitable<result<void>> executor::add_finalizer(const kube::object& offer, report& done)
{
    auto patch = kube::add_finalizer_patch(offer.meta, api::finalizer);
    if (!patch)
        co_return result<void>();
    auto patched = co_await server_.patch(api::service_offer_resource, offer.meta.key(), std::move(*patch));
    if (!patched)
        co_return guarded(patched.error()).within("adding the finalizer");
    done.offer_version = (*patched)->meta.resource_version;
    co_return result<void>();
}

asio::awaitable<result<void>> executor::remove_finalizer(kube::resource kind, kube::object_meta seen)
{
    auto patch = kube::remove_finalizer_patch(seen, api::finalizer);
    if (!patch)
        co_return result<void>();
    auto patched = co_await server_.patch(kind, seen.key(), std::move(*patch));
    if (!patched && !patched.error().is_not_found())
        co_return guarded(patched.error()).within("releasing " + describe(kind, seen.key()));
    co_return result<void>();
}

asio::awaitable<result<void>> executor::release(offer::release_finalizer todo)
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
    co_return co_await remove_finalizer(todo.kind, (*live)->meta);
}

asio::awaitable<result<void>> executor::apply_child(offer::apply todo)
{
    const kube::object_key key{
        kube::string_at(todo.desired, "metadata.namespace"), kube::string_at(todo.desired, "metadata.name")};
    if (!todo.foreign.empty())
    {
        json::array operations;
        operations.push_back(kube::patch_operation("test", "/metadata/uid", json::value(todo.uid)));
        for (const std::string& pointer : todo.foreign)
            operations.push_back(kube::patch_removal(pointer));
        auto patched = co_await server_.patch(todo.kind, key, std::move(operations));
        if (!patched && !patched.error().is_not_found())
            co_return patched.error().to_error().within(
                "removing foreign fields of " + describe(todo.kind, key)
            );
    }
    kube::apply_options how;
    how.field_manager = api::controller_field_manager;
    auto applied = co_await server_.apply(todo.kind, std::move(todo.desired), std::move(how));
    // Nothing new can be made in a namespace that is going, and our offer is going with it.
    if (!applied && applied.error().is_namespace_terminating())
        co_return result<void>();
    if (!applied)
        co_return applied.error().to_error().within("applying " + describe(todo.kind, key));
    log_.debug("applied", {{"kind", todo.kind.kind}, {"child", key.to_string()}});
    co_return result<void>();
}

asio::awaitable<result<void>> executor::remove_child(offer::remove todo)
{
    kube::delete_options which;
    which.uid = todo.uid;
    auto removed = co_await server_.remove(todo.kind, todo.key, std::move(which));
    if (!removed)
        co_return removed.error().to_error().within("deleting " + describe(todo.kind, todo.key));
    log_.debug("deleted", {{"kind", todo.kind.kind}, {"child", todo.key.to_string()}});
    co_return result<void>();
}

asio::awaitable<result<void>>
executor::write_status(const kube::object& offer, json::object status, report& done)
{
    json::object wanted = kube::make_status(api::service_offer_resource, offer.meta, std::move(status));
    kube::apply_options how;
    how.field_manager = api::controller_field_manager;
    how.subresource = "status";
    auto applied = co_await server_.apply(api::service_offer_resource, std::move(wanted), std::move(how));
    // Deleted in the meantime: there is no one left to tell.
    if (!applied && !applied.error().is_not_found() && !applied.error().is_conflict())
        co_return applied.error().to_error().within("writing the status");
    if (applied)
        done.offer_version = (*applied)->meta.resource_version;
    co_return result<void>();
}

}  // namespace portitor::controller
