#pragma once

#include "roles/verifier/forwarded_request.hpp"
#include "roles/verifier/route_table.hpp"

#include <portitor/core/http_server.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/x402/gate.hpp>

#include <functional>

namespace portitor::verifier {

/// Answers Traefik's ForwardAuth at /verify/<namespace>/<offer>: 2xx lets the request pass to the upstream,
/// everything else goes to the client as it is. A 2xx is made in one place only, from a settled payment or a
/// rule that says free; whatever else happens is a refusal. One strand.
class forward_auth
{
public:
    /// `ready` says whether the route table is complete; before that any route may be missing.
    forward_auth(
        const route_table& routes,
        x402::gate& gate,
        const x402::network_table& networks,
        std::function<bool()> ready,
        logger log,
        metrics& numbers
    );

    /// Never throws but for cancellation: an exception on the way is a 503.
    boost::asio::awaitable<http::reply> answer(const http::request& message);

private:
    struct outcome;

    boost::asio::awaitable<outcome> judge(const http::request& message, const std::string& key);
    boost::asio::awaitable<outcome>
    sell(const forwarded_request& asked, const served_route& route, x402::payment_requirement wanted);
    outcome judge_unavailable(const x402::verdict_unavailable& said, const std::string& key);
    void count(const std::string& key, const char* what);

    const route_table& routes_;
    x402::gate& gate_;
    const x402::network_table& networks_;
    std::function<bool()> ready_;
    logger log_;
    metrics& numbers_;
    histogram& duration_;
};

}  // namespace portitor::verifier
