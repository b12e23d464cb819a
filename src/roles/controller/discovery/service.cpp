#include "roles/controller/discovery/service.hpp"

#include "offer/drift.hpp"
#include "offer/hosts.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>

namespace portitor::controller {

namespace asio = boost::asio;

namespace {

// The Service is read, not watched: without the right to read it nothing else may suffer. Its route tells of
// its end at once, because it goes with it.
constexpr std::chrono::seconds service_period(30);

// Bytes of answers at once.
constexpr std::size_t most_under_way = 64 * 1024 * 1024;

// Lists are small next to what buyers get, but there may be many who ask.
http::server_limits limits()
{
    http::server_limits out;
    out.max_header = 16 * 1024;
    out.max_body = 1024;
    out.max_connections = 1024;
    return out;
}

}  // namespace

discovery_service::discovery_service(
    const kube::environment& around,
    asio::io_context& context,
    const offer::plan_settings& settings,
    stores from,
    config::service_port published
)
    : around_(around), settings_(settings), from_(from), published_(std::move(published)),
      by_uid_(from.offers.add_index([](const offer::offer_record& offer) {
          return std::vector<std::string>{offer.meta.uid};
      })),
      documents_(
          settings, around.clock, around.timers, [this](const kube::object_key& offer) { return find(offer); }
      ),
      front_(
          documents_,
          {[this] {
               return from_.offers.synced() && from_.payment_routes.synced() && from_.registrations.synced();
           },
           [this](const std::string& uid) { return find_uid(uid); },
           most_under_way,
           [this](std::string_view host) { return find_host(host); }}
      ),
      server_(
          context,
          around.log,
          [this](const http::server_request& message) { return answer(message); },
          limits()
      )
{}

offer_view discovery_service::find(const kube::object_key& offer) const
{
    offer_view out;
    out.offer = from_.offers.objects().find(offer);
    if (!out.offer)
        return out;
    out.children =
        offer::find_children(out.offer->meta, [this](offer::child_kind kind, const kube::object_key& key) {
            switch (kind)
            {
            case offer::child_kind::payment_route:
                return from_.payment_routes.objects().find(key);
            case offer::child_kind::registration:
                return from_.registrations.objects().find(key);
            default:
                return kube::object_ptr();
            }
        });
    return out;
}

kube::object_key discovery_service::find_uid(const std::string& uid) const
{
    const auto& found = by_uid_.find(uid);
    return found.empty() ? kube::object_key() : *found.begin();
}

// A host that no offer has for its own is a public one where every host is.
std::optional<std::string> discovery_service::find_host(std::string_view host) const
{
    std::string name = config::host_name(host);
    const config::public_hosts known = settings_.gateway.public_hosts();
    if (known.has(name))
        return std::string();
    if (from_.hosts().contains(name))
        return name;
    return known.every_host ? std::optional(std::string()) : std::nullopt;
}

asio::awaitable<http::reply> discovery_service::answer(const http::server_request& message)
{
    co_return front_.answer(message);
}

kube::object_key discovery_service::route() const
{
    return published_.service.name.empty() ? kube::object_key() : key_of(1);
}

kube::object_key discovery_service::key_of(unsigned number) const
{
    return {published_.service.ns, discovery_route_name(number)};
}

bool discovery_service::is_route(const kube::object_key& key) const
{
    return !published_.service.name.empty() && key.ns == published_.service.ns &&
           discovery_route_number(key.name);
}

asio::awaitable<kube::reconcile_result> discovery_service::publish(executor& hand)
{
    using outcome = kube::reconcile_result;
    const auto service = co_await around_.server.get(api::service_resource, published_.service);
    if (!service && service.error().is_not_found())
    {
        complain_once("there is no such Service");
        co_return outcome(service_period);
    }
    if (!service)
        co_return service.error().to_error().within("reading the Service of --discovery-service");
    if ((*service)->meta.deleted)
        co_return outcome(service_period);
    co_return co_await bring_routes(hand, (*service)->meta);
}

asio::awaitable<kube::reconcile_result>
discovery_service::bring_routes(executor& hand, kube::object_meta service)
{
    host_shares held;
    std::set<unsigned> taken;
    const auto& all = from_.http_routes.objects().all();
    for (auto at = all.lower_bound(key_of(1)); at != all.end(); ++at)
    {
        const auto& [key, live] = *at;
        if (key.ns != service.ns)
            break;
        const auto number = discovery_route_number(key.name);
        if (!number)
            continue;
        if (is_discovery_route(*live, service))
            held[*number] = hosts_of_route(*live);
        else
            taken.insert(*number);
    }
    if (taken.contains(1))
    {
        complain_once("an HTTPRoute of that name is somebody else's and is left alone");
        co_return kube::reconcile_result(service_period);
    }
    complaint_.clear();
    host_shares wanted = share_hosts(from_.hosts(), held, taken);
    wanted[1] = hosts_of_public_route(settings_);
    for (const auto& [number, hosts] : wanted)
    {
        auto done = co_await bring(hand, service, number, hosts);
        if (!done || *done)
            co_return done;
    }
    for (const auto& [number, hosts] : held)
    {
        if (wanted.contains(number))
            continue;
        auto done = co_await remove(hand, number);
        if (!done || *done)
            co_return done;
    }
    co_return kube::reconcile_result(service_period);
}

// The value is how long to wait before it may be written; nothing: it is as it is to be.
asio::awaitable<kube::reconcile_result> discovery_service::bring(
    executor& hand, const kube::object_meta& service, unsigned number, const std::vector<std::string>& hosts
)
{
    using outcome = kube::reconcile_result;
    const kube::object_ptr live = from_.http_routes.objects().find(key_of(number));
    auto todo = offer::change_to(
        live.get(), desired_discovery_route(service, published_.port, settings_, number, hosts)
    );
    if (!todo)
        co_return outcome(std::nullopt);
    const auto now = around_.timers.now();
    const auto wait = repairs_.wait(now);
    if (wait.count() > 0)
        co_return outcome(wait);
    repairs_.spend(now);
    auto applied = co_await hand.apply_object(api::http_route_resource, std::move(*todo));
    co_return applied ? outcome(std::nullopt) : outcome(applied.error());
}

asio::awaitable<kube::reconcile_result> discovery_service::remove(executor& hand, unsigned number)
{
    using outcome = kube::reconcile_result;
    const kube::object_ptr live = from_.http_routes.objects().find(key_of(number));
    if (!live || live->meta.deleted)
        co_return outcome(std::nullopt);
    auto removed = co_await hand.remove_object(api::http_route_resource, key_of(number), live->meta.uid);
    co_return removed ? outcome(std::nullopt) : outcome(removed.error());
}

void discovery_service::complain_once(std::string what)
{
    if (complaint_ == what)
        return;
    complaint_ = std::move(what);
    around_.log.warn(
        "the discovery documents are not published",
        {{"service", published_.service.to_string()}, {"route", route().to_string()}, {"err", complaint_}}
    );
}

}  // namespace portitor::controller
