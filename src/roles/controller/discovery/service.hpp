#pragma once

#include "roles/controller/discovery/front.hpp"
#include "roles/controller/discovery/route.hpp"
#include "roles/controller/executor.hpp"
#include "roles/controller/repair_budget.hpp"

#include <portitor/config/service_port.hpp>
#include <portitor/kube/controller.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace portitor::controller {

/// Serves the discovery documents on a listener of its own, on every replica; and publishes them where this
/// one leads. One strand.
class discovery_service
{
public:
    /// The stores that the documents are made of. They outlive the service.
    struct stores
    {
        kube::informer<offer::offer_record>& offers;
        kube::object_informer& payment_routes;
        kube::object_informer& registrations;
        kube::object_informer& http_routes;
        /// See offer::market::hosts().
        std::function<const std::map<std::string, std::size_t>&()> hosts;
    };

    /// All of it outlives the service. Before the informers run. `published` names the Service by which the
    /// gateway reaches this listener; none: nothing is published.
    discovery_service(
        const kube::environment& around,
        boost::asio::io_context& context,
        const offer::plan_settings& settings,
        stores from,
        config::service_port published
    );

    /// See http::server::listen().
    result<void> listen(const std::string& endpoint) { return server_.listen(endpoint); }

    /// Serves until drain() is called.
    boost::asio::awaitable<void> run() { return server_.run(); }

    /// Stops serving within the limit.
    boost::asio::awaitable<void> drain(std::chrono::milliseconds limit) { return server_.drain(limit); }

    /// See catalogue::note_change().
    void note_change(const kube::object_key& offer) { documents_.note_change(offer); }

    /// The key of the first HTTPRoute; an empty name where none is to be published.
    kube::object_key route() const;

    /// Whether that key is one of theirs.
    bool is_route(const kube::object_key& key) const;

    /// Makes the HTTPRoutes, or puts them right. By the leader alone; the value is when to look again.
    boost::asio::awaitable<kube::reconcile_result> publish(executor& hand);

private:
    offer_view find(const kube::object_key& offer) const;
    kube::object_key find_uid(const std::string& uid) const;
    std::optional<std::string> find_host(std::string_view host) const;
    boost::asio::awaitable<http::reply> answer(const http::server_request& message);
    boost::asio::awaitable<kube::reconcile_result> bring_routes(executor& hand, kube::object_meta service);
    boost::asio::awaitable<kube::reconcile_result> bring(
        executor& hand,
        const kube::object_meta& service,
        unsigned number,
        const std::vector<std::string>& hosts
    );
    boost::asio::awaitable<kube::reconcile_result> remove(executor& hand, unsigned number);
    kube::object_key key_of(unsigned number) const;
    void complain_once(std::string what);

    kube::environment around_;
    const offer::plan_settings& settings_;
    stores from_;
    config::service_port published_;
    const kube::store<offer::offer_record>::index& by_uid_;
    catalogue documents_;
    discovery_front front_;
    http::server server_;
    repair_budget repairs_;  ///< for who keeps changing or deleting the route
    std::string complaint_;  ///< the last one, so that it stands once in the log
};

}  // namespace portitor::controller
