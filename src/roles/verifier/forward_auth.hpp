#pragma once

#include "roles/verifier/forwarded_request.hpp"
#include "roles/verifier/route_table.hpp"

#include <portitor/core/http_server.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/x402/gate.hpp>

#include <functional>

namespace portitor::verifier {

/// Answers Traefik's ForwardAuth: 2xx lets the request pass to the upstream, everything else goes to the client as it
/// is. A 2xx leaves through one place only (grant()), with a settled payment or a rule that says free; whatever else
/// happens is a refusal. One strand.
class forward_auth
{
public:
    /// `ready` says whether the route table is complete; before that every route may be missing.
    forward_auth(
        const route_table& routes, x402::gate& gate, const x402::network_table& networks,
        std::function<bool()> ready, logger log, metrics& numbers
    );

    /// Never throws: an exception on the way is a 503.
    boost::asio::awaitable<http::reply> answer(const http::request& message);

private:
    struct outcome;

    boost::asio::awaitable<outcome> judge(const http::request& message, std::string key);
    boost::asio::awaitable<outcome> sell(
        const forwarded_request& asked, route_ptr route, x402::payment_requirement wanted
    );
    outcome judge_free() const;
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
