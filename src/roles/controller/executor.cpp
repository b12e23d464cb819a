#include "roles/controller/executor.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/kube/apply_status.hpp>
#include <portitor/kube/finalizer.hpp>
#include <portitor/kube/json_patch.hpp>

#include <boost/json/array.hpp>

#include <algorithm>

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

bool is_written(const executor::report& done, offer::child_kind kind)
{
    return std::none_of(done.applies.begin(), done.applies.end(), [kind](const executor::applied& each) {
        return each.kind == kind && !each.failure.empty();
    });
}

// The first failure is the one that is reported: later ones often follow from it.
void note_failure(std::optional<error>& first, const result<void>& outcome)
{
    if (!outcome && !first)
        first = outcome.error();
}

}  // namespace

asio::awaitable<executor::report> executor::carry_out(offer::record_ptr offer, offer::plan todo)
{
    report done;
    if (todo.add_finalizer)
    {
        note_failure(done.failure, co_await add_finalizer(offer->meta, done));
        if (done.failure)
            co_return done;
    }
    for (offer::apply& each : todo.applies)
    {
        applied of{each.kind, {}, each.repair || each.again};
        const kube::resource& kind = offer::type_of(each.kind).resource;
        const auto outcome = co_await apply_object(kind, std::move(each));
        if (outcome)
            of.generation = *outcome;
        else
        {
            of.failure = outcome.error().message();
            note_failure(done.failure, outcome.error());
        }
        done.applies.push_back(std::move(of));
    }
    for (offer::remove& each : todo.removes)
        note_failure(
            done.failure, co_await remove_object(offer::type_of(each.kind).resource, each.key, each.uid)
        );
    for (offer::release_finalizer& each : todo.releases)
        note_failure(done.failure, co_await release(std::move(each)));
    if (todo.status)
        note_failure(done.failure, co_await write_status(offer->meta, std::move(*todo.status), done));
    for (const offer::note& each : todo.notes)
    {
        if (!each.once_written || is_written(done, *each.once_written))
            tell(offer->meta, each);
    }
    if (todo.remove_finalizer && !done.failure)
        note_failure(done.failure, co_await remove_finalizer(api::service_offer_resource, offer->meta));
    co_return done;
}

// An Event is for the seller, the log for the operator: a namespace that is going takes no Events.
void executor::tell(const kube::object_meta& offer, const offer::note& what)
{
    const bool warning = what.type == offer::note::severity::warning;
    events_.record(
        api::service_offer_resource, offer, warning ? "Warning" : "Normal", what.reason, what.message
    );
    if (what.reason == offer::registration_left_on_chain)
        numbers_.left_on_chain();
    const logger about = log_.with({{"offer", offer.key().to_string()}, {"reason", what.reason}});
    if (warning)
        about.warn(what.message);
    else
        about.info(what.message);
}

asio::awaitable<result<void>> executor::add_finalizer(kube::object_meta offer, report& done)
{
    auto patch = kube::add_finalizer_patch(offer, api::finalizer);
    if (!patch)
        co_return result<void>();
    auto patched = co_await server_.patch(api::service_offer_resource, offer.key(), std::move(*patch));
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
    const kube::resource& kind = offer::type_of(todo.kind).resource;
    auto live = co_await server_.get(kind, todo.key);
    if (!live && live.error().is_not_found())
        co_return result<void>();
    if (!live)
        co_return live.error().to_error().within("reading " + describe(kind, todo.key));
    if ((*live)->meta.uid != todo.uid)
        co_return result<void>();
    if ((*live)->meta.resource_version != todo.resource_version)
        co_return fail(errc::conflict, "{} has changed, looking again", describe(kind, todo.key));
    co_return co_await remove_finalizer(kind, (*live)->meta);
}

asio::awaitable<result<std::int64_t>> executor::apply_object(kube::resource kind, offer::change todo)
{
    const kube::object_key key{
        kube::string_at(todo.desired, "metadata.namespace"), kube::string_at(todo.desired, "metadata.name")};
    if (!todo.foreign.empty())
    {
        json::array operations;
        operations.push_back(kube::patch_operation("test", "/metadata/uid", json::value(todo.uid)));
        for (const std::string& pointer : todo.foreign)
            operations.push_back(kube::patch_removal(pointer));
        auto patched = co_await server_.patch(kind, key, std::move(operations));
        if (!patched && !patched.error().is_not_found())
            co_return patched.error().to_error().within("removing foreign fields of " + describe(kind, key));
    }
    kube::apply_options how;
    how.field_manager = api::controller_field_manager;
    auto applied = co_await server_.apply(kind, std::move(todo.desired), std::move(how));
    // Nothing new can be made in a namespace that is going, and our offer is going with it.
    if (!applied && applied.error().is_namespace_terminating())
        co_return 0;
    if (!applied)
        co_return applied.error().to_error().within("applying " + describe(kind, key));
    log_.debug("applied", {{"kind", kind.kind}, {"child", key.to_string()}});
    co_return (*applied)->meta.generation;
}

asio::awaitable<result<void>>
executor::remove_object(kube::resource kind, kube::object_key key, std::string uid)
{
    kube::delete_options which;
    which.uid = std::move(uid);
    auto removed = co_await server_.remove(kind, key, std::move(which));
    if (!removed)
        co_return removed.error().to_error().within("deleting " + describe(kind, key));
    log_.debug("deleted", {{"kind", kind.kind}, {"child", key.to_string()}});
    co_return result<void>();
}

asio::awaitable<result<void>>
executor::write_status(kube::object_meta offer, json::object status, report& done)
{
    auto applied = co_await kube::apply_status(
        server_,
        api::service_offer_resource,
        std::move(offer),
        std::move(status),
        std::string(api::controller_field_manager)
    );
    if (!applied)
        co_return applied.error().within("writing the status");
    // Null: deleted in the meantime, and there is no one left to tell.
    if (*applied)
        done.offer_version = (*applied)->meta.resource_version;
    co_return result<void>();
}

}  // namespace portitor::controller
