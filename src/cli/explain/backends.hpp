#pragma once

#include "cli/explain/seen.hpp"

#include <portitor/kube/api.hpp>

#include <map>
#include <string>

namespace portitor::cli::explain {

/// What is behind a rule of an HTTPRoute.
struct backends_word
{
    /// What the gateway answers itself because no backend can: 500 or 503; 0: one can, as far as is known.
    unsigned status = 0;
    std::string words;  ///< why; or what is wrong with some of several backends
    bool known = true;  ///< else whether one can is not known, and `words` says why
};

/// Looks up the Services and EndpointSlices of the rules that requests are followed to, each once. One
/// strand.
class backend_reader
{
public:
    /// All must outlive this.
    backend_reader(kube::api& server, const seen_kind& grants, bool is_traefik)
        : server_(server), grants_(grants), is_traefik_(is_traefik)
    {}

    /// What a request meets at the end of a rule of a route of namespace `ns`. Sources: Gateway API,
    /// HTTPRouteRule.backendRefs; Traefik, pkg/provider/kubernetes/gateway.
    boost::asio::awaitable<backends_word> look_behind(std::string ns, boost::json::object rule);

private:
    boost::asio::awaitable<backends_word> look_at(std::string ns, boost::json::object backend);
    boost::asio::awaitable<backends_word> look_at_service(kube::object_key key, std::int64_t port);
    boost::asio::awaitable<backends_word> look_at_slices(kube::object_key key, std::string port_name);
    backends_word judge_grant(const std::string& from, const kube::object_key& service) const;

    kube::api& server_;
    const seen_kind& grants_;
    bool is_traefik_;
    std::map<std::pair<kube::object_key, std::int64_t>, backends_word> services_;
};

}  // namespace portitor::cli::explain
