#pragma once

#include "cli/cluster/market_view.hpp"
#include "cli/cluster/operator_settings.hpp"
#include "cli/explain/explanation.hpp"
#include "route/credentials.hpp"
#include "route/route_table.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace portitor::cli::explain {

/// Explains requests by what a cluster holds, with the verifier's own table and ruling. One strand.
class explainer
{
public:
    /// `routes` are all HTTPRoutes, whole; `payment_routes` all PaymentRoutes. All must outlive this.
    explainer(
        const market_view& market,
        const operator_settings& settings,
        std::vector<kube::object_ptr> routes,
        std::vector<kube::object_ptr> payment_routes,
        clock::time_point now
    );

    /// `written` as a user writes it; `host` where he gave none; errc::invalid for what no client can send.
    result<explanation>
    explain(const std::string& written, const std::string& host, const std::string& method) const;

private:
    void follow_gateway(explanation& into) const;
    std::string gate_of(const candidate& which, std::string& missing) const;
    void judge(explanation& into, const std::string& bound_to) const;
    void price(
        explanation& into,
        const route::served_route& route,
        const route::ruling& said,
        const route::request_path& path
    ) const;
    void add_remarks(explanation& into) const;

    const market_view& market_;
    const operator_settings& settings_;
    std::vector<kube::object_ptr> routes_;
    clock::time_point now_;
    metrics unused_;
    std::set<std::string> facilitators_;
    std::unique_ptr<route::credential_store> credentials_;
    std::map<std::string, kube::object_ptr> payment_routes_;  ///< by "namespace/offer"
    std::map<std::string, std::string> refused_;  ///< why the verifier serves no route of that offer
    route::route_table table_;
};

}  // namespace portitor::cli::explain
