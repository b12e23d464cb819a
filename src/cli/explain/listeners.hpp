#pragma once

#include "cli/explain/request_target.hpp"
#include "offer/plan_settings.hpp"

#include <portitor/kube/object.hpp>

#include <string>
#include <vector>

namespace portitor::cli::explain {

/// A listener of the operator's Gateway that a request may arrive at.
struct listener
{
    std::string name;
    std::string hostname;  ///< empty: all
    std::int64_t port = 0;
    std::string protocol;
    std::string from = "All";  ///< allowedRoutes.namespaces.from
    std::string broken;        ///< why the gateway serves nothing there; empty: it does
    bool takes_http_routes = true;
    bool is_assumed = false;  ///< the Gateway could not be read: it stands for all that it may have
};

/// Where a request arrives.
struct arrival
{
    std::vector<listener> at;
    std::size_t of_all = 1;            ///< how many listeners for HTTP the Gateway has
    std::string scheme;                ///< as the gateway sees it: "http" or "https"
    std::vector<std::string> remarks;  ///< what was taken for granted
};

/// Which listeners take a request, by the scheme and the port of its URL. A Service in front may give ports
/// other numbers, so a port that none has says nothing; and TLS may end in front, so https goes to listeners
/// for http where there are no others. `gateway` may be null: it is not known.
arrival find_arrival(
    const kube::object_ptr& gateway, const request_target& request, const offer::plan_settings& settings
);

/// How an HTTPRoute is attached to one of them.
struct attachment
{
    std::vector<std::string> hostnames;  ///< that it is served for there; empty: all
    std::string not_served;              ///< why it is not; empty: it is
    std::string only_if;                 ///< what is not known of it
};

/// Each way in which a route is attached where the request arrives, by its parentRefs and by what the
/// Gateway's controller says of each of them. Empty where it names another Gateway.
std::vector<attachment>
find_attachments(const kube::object& route, const arrival& where, const offer::plan_settings& settings);

/// Whether a request's host, lower-case and without a port, falls under a hostname of Gateway API.
bool host_fits(std::string_view hostname, std::string_view host);

}  // namespace portitor::cli::explain
