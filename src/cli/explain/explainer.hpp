#pragma once

#include "cli/cluster/operator_settings.hpp"
#include "cli/explain/backends.hpp"
#include "cli/explain/rule_steps.hpp"
#include "cli/explain/verifier_view.hpp"

#include <string>
#include <vector>

namespace portitor::cli::explain {

/// Explains requests by what a cluster holds: which route the gateway follows, what becomes of the request on
/// the way, and what the verifier answers. One strand.
class explainer
{
public:
    /// All must outlive this.
    explainer(const seen& around, const operator_settings& settings, kube::api& server);

    boost::asio::awaitable<explanation> explain(request_target request);

    /// What is there and could not be taken into account, and why, one text each.
    std::vector<std::string> left_out() const;

private:
    void complete_request(explanation& into) const;
    bool read_path(explanation& into) const;
    boost::asio::awaitable<void> follow_gateway(explanation& into);
    void say_not_taken(explanation& into) const;
    boost::asio::awaitable<void> follow(explanation& into, passage way);
    boost::asio::awaitable<void> pass_on_unasked(explanation& into, passage way);
    boost::asio::awaitable<void> ask_gate(explanation& into, passage way);
    boost::asio::awaitable<backends_word> look_behind(const explanation& what);

    const seen& seen_;
    const operator_settings& settings_;
    const bool is_traefik_;
    gate_address gate_;
    verifier_view verifier_;
    backend_reader backends_;
};

}  // namespace portitor::cli::explain
