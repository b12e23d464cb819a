#pragma once

#include <portitor/kube/api.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace portitor::cli::explain {

/// The objects of one kind, as far as they could be listed.
struct seen_kind
{
    std::map<kube::object_key, kube::object_ptr> objects;
    bool listed = false;
    std::optional<std::string> only;  ///< the one namespace that could be listed; nothing: all could
    bool has_unreadable = false;      ///< an object that is there could not be read

    /// Whether what is not among the objects of a namespace is not there.
    bool covers(const std::string& ns) const { return listed && (!only || *only == ns); }
    bool covers_all() const { return listed && !only && !has_unreadable; }
    /// Which objects may be there beside, in words; empty where covers_all().
    std::string gap() const;
    /// Null where it is not among them.
    kube::object_ptr find(const kube::object_key& key) const;
};

/// What a cluster holds that decides about requests, at one moment.
struct seen
{
    seen_kind offers, payment_routes, http_routes, middlewares, grants;
    kube::object_ptr gateway;             ///< null where it could not be read
    std::vector<std::string> unseen;      ///< what could not be looked at, and what is not known therefore
    std::vector<std::string> unreadable;  ///< objects that are left out, and why
};

/// Reads it. Who may not list all namespaces sees `fallback` alone. errc of the API server where not even
/// HTTPRoutes or PaymentRoutes can be listed: nothing can be said then.
boost::asio::awaitable<result<seen>>
look_around(kube::api& server, kube::object_key gateway, std::string fallback);

}  // namespace portitor::cli::explain
