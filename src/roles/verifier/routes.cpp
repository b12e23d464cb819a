#include "roles/verifier/routes.hpp"

#include "roles/kube_connection.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/kube/leader_election.hpp>
#include <portitor/kube/object_filter.hpp>

namespace portitor::verifier {

namespace asio = boost::asio;

namespace {

constexpr int admission_workers = 8;
// What is not written then, another verifier writes: the end of this one does not wait for an API server.
constexpr std::chrono::seconds drain_limit(2);

kube::controller_options admission_options()
{
    kube::controller_options out;
    out.name = "admission";
    out.workers = admission_workers;
    out.drain_limit = drain_limit;
    // Every paid route would be an error without it, and no other pod would know more.
    out.serves_on = true;
    return out;
}

}  // namespace

routes::routes(
    const roles::process& around,
    kube::api& server,
    const options& wanted,
    const route::credential_store& credentials,
    const route::gate_keys& keys
)
    : around_(around), wanted_(wanted), credentials_(credentials), keys_(keys),
      writer_(server, around.timers, around.clock, kube::pod_name()),
      admissions_(roles::environment_of(around, server), admission_options(), [this](kube::object_key key) {
          return admit(std::move(key));
      })
{
    for (const config::facilitator& each : wanted_.lists.facilitators.entries)
        facilitator_urls_.insert(each.url);
    watch();
}

void routes::watch()
{
    kube::selection all;
    all.filter = kube::without_labels_and_annotations();
    records_ = &admissions_.watch<route::route_record>(
        api::payment_route_resource,
        all,
        [this](boost::json::object&& raw) {
            return route::route_record::read(
                std::move(raw), {wanted_.lists.networks.table, facilitator_urls_, credentials_, &keys_}
            );
        },
        {},
        {},
        [](const kube::object_identity& which, boost::json::object&& raw, const std::string& why) {
            return route::route_record::unreadable(which, raw, why);
        }
    );
    records_->on_change([this](const kube::change<route::route_record>& of) { take_or_withhold(of); });
}

/// What cannot be taken in is not sold until it is, least of all at its old terms.
void routes::take_or_withhold(const kube::change<route::route_record>& of)
{
    try
    {
        take(of);
    }
    catch (...)
    {
        for (const auto& each : {of.before, of.after})
        {
            if (each && each->served)
                publish(newest_.without(each->served->key()));
        }
        throw;
    }
}

/// Puts a changed route into the table, or takes out what must not be served any more.
void routes::take(const kube::change<route::route_record>& of)
{
    const route::route_ptr before = of.before ? of.before->served : nullptr;
    const route::route_ptr after = of.after ? of.after->served : nullptr;
    route::route_table next = newest_;
    if (before && (!after || after->key() != before->key()))
        next = next.without(before->key());
    if (after)
        next = next.with(entry_for(after));
    publish(std::move(next));
    if (of.after && !after)
        around_.log.warn("refusing a route", {{"route", of.key().to_string()}, {"err", of.after->refusal}});
    if (of.after || of.before)
        admissions_.queue().add_after(of.key(), writer_.patience());
}

route::entry_ptr routes::entry_for(const route::route_ptr& route)
{
    route::table_entry made;
    made.route = route;
    const route::entry_ptr& known = newest_.find(route->key());
    made.counters =
        known ? known->counters : std::make_shared<route::route_counters>(around_.metrics, route->key());
    return std::make_shared<const route::table_entry>(std::move(made));
}

void routes::publish(route::route_table next)
{
    newest_ = std::move(next);
    table_.set(std::make_shared<const route::route_table>(newest_));
    routes_gauge_.set(static_cast<std::int64_t>(newest_.size()));
}

asio::awaitable<void> routes::complete()
{
    co_await records_->wait_synced();
    publish(newest_.completed());
}

asio::awaitable<kube::reconcile_result> routes::admit(kube::object_key key)
{
    auto route = records_->objects().find(key);
    if (!route)
    {
        writer_.forget(key);
        co_return kube::reconcile_result(std::nullopt);
    }
    co_return co_await writer_.reconcile(std::move(route));
}

}  // namespace portitor::verifier
