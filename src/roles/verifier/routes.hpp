#pragma once

#include "roles/process.hpp"
#include "roles/verifier/admission.hpp"
#include "roles/verifier/options.hpp"
#include "route/credentials.hpp"
#include "route/gate_keys.hpp"
#include "route/route_record.hpp"
#include "route/route_table.hpp"

#include <portitor/core/published.hpp>
#include <portitor/kube/controller.hpp>

#include <memory>
#include <set>
#include <string>

namespace portitor::verifier {

/// The routes that are served: watched, compiled, published to all threads, and admitted in their status. One
/// strand, the role's.
class routes
{
public:
    /// All of them must outlive this.
    routes(
        const roles::process& around,
        kube::api& server,
        const options& wanted,
        const route::credential_store& credentials,
        const route::gate_keys& keys
    );

    /// For readers on any thread.
    const published<route::route_table>& table() const { return table_; }

    /// Watches, and writes what is admitted, until `end`.
    boost::asio::awaitable<void> run(stop_signal& end) { return admissions_.run(end); }

    /// Returns when all routes have been seen once: from then on, what is not in the table is sold nowhere.
    boost::asio::awaitable<void> complete();

private:
    void watch();
    void take_or_withhold(const kube::change<route::route_record>& of);
    void take(const kube::change<route::route_record>& of);
    route::entry_ptr entry_for(const route::route_ptr& route);
    void publish(route::route_table next);
    boost::asio::awaitable<kube::reconcile_result> admit(kube::object_key key);

    const roles::process& around_;
    const options& wanted_;
    const route::credential_store& credentials_;
    const route::gate_keys& keys_;
    std::set<std::string> facilitator_urls_;
    route::route_table newest_;
    published<route::route_table> table_{std::make_shared<const route::route_table>()};
    gauge& routes_gauge_ = around_.metrics.gauge("portitor_routes", "Routes that are served");
    admission_writer writer_;
    kube::controller admissions_;
    kube::informer<route::route_record>* records_ = nullptr;
};

}  // namespace portitor::verifier
