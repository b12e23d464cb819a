#include "roles/controller/discovery/service.hpp"

#include "offer/drift.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>

namespace portitor::controller {

namespace asio = boost::asio;

namespace {

// The Service is read, not watched: without the right to read it nothing else may suffer. Its route tells of
// its end at once, because it goes with it.
constexpr std::chrono::seconds service_period(30);

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
           [this](const std::string& uid) { return find_uid(uid); }}
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

asio::awaitable<http::reply> discovery_service::answer(const http::server_request& message)
{
    co_return front_.answer(message);
}

kube::object_key discovery_service::route() const
{
    if (published_.service.name.empty())
        return {};
    return {published_.service.ns, api::discovery_route_name};
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
    const kube::object_meta& owner = (*service)->meta;
    const kube::object_ptr live = from_.http_routes.objects().find(route());
    if (live && !is_discovery_route(*live, owner))
    {
        complain_once("an HTTPRoute of that name is somebody else's and is left alone");
        co_return outcome(service_period);
    }
    if (!owner.deleted)
    {
        complaint_.clear();
        auto todo = offer::change_to(live.get(), desired_discovery_route(owner, published_.port, settings_));
        if (todo)
        {
            const auto now = around_.timers.now();
            const auto wait = repairs_.wait(now);
            if (wait.count() > 0)
                co_return outcome(wait);
            repairs_.spend(now);
            auto applied = co_await hand.apply_object(api::http_route_resource, std::move(*todo));
            if (!applied)
                co_return applied.error();
        }
    }
    co_return outcome(service_period);
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
