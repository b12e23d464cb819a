#pragma once

#include "cli/cluster/operator_settings.hpp"
#include "cli/explain/explanation.hpp"
#include "cli/explain/seen.hpp"
#include "route/credentials.hpp"
#include "route/route_table.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace portitor::cli::explain {

/// The verifier's answers, by its own table and ruling on the PaymentRoutes that are there. One strand.
class verifier_view
{
public:
    /// Both must outlive this.
    verifier_view(const seen_kind& payment_routes, const operator_settings& settings);

    /// Fills in what an unpaid request is answered that the gateway asks about.
    /// @param offer "namespace/offer" that the gateway names; where it names none, `into.bound` is false
    void judge(explanation& into, const std::string& offer) const;

    /// The PaymentRoute of an offer, "namespace/offer"; null where none is served.
    kube::object_ptr route_of(const std::string& offer) const;

    /// PaymentRoutes that the verifier does not serve, and why.
    const std::vector<std::string>& refused() const { return refused_; }

private:
    void say_unknown(explanation& into, const std::string& offer, const route::told& why) const;
    void price(
        explanation& into,
        const route::served_route& route,
        const route::ruling& said,
        const route::request_path& path
    ) const;

    const seen_kind& seen_;
    const operator_settings& settings_;
    metrics unused_;
    std::set<std::string> facilitators_;
    std::unique_ptr<route::credential_store> credentials_;
    std::map<std::string, kube::object_ptr> served_;     ///< by "namespace/offer"
    std::map<std::string, std::string> why_not_served_;  ///< likewise
    std::vector<std::string> refused_;
    route::route_table table_;
};

}  // namespace portitor::cli::explain
