#pragma once

#include "roles/verifier/request_path.hpp"

#include <portitor/api/payment_route.hpp>
#include <portitor/x402/networks.hpp>
#include <portitor/x402/requirement.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::verifier {

/// The terms for one path.
struct terms
{
    bool free = false;
    x402::payment_requirement requirement;  ///< without resource_url; meaningless where free
};

/// One PaymentRoute, ready to be served. Immutable.
class served_route
{
public:
    /// What decides whether a route may be served here.
    struct limits
    {
        const x402::network_table& networks;
        const std::set<std::string>& facilitator_urls;
    };

    /// errc::invalid, with the reason that goes into status.conditions, when this verifier must not serve it.
    static result<std::shared_ptr<const served_route>>
    compile(const kube::object& route, const limits& allowed);

    const api::payment_route& spec() const { return spec_; }
    const std::string& key() const { return key_; }  ///< "namespace/offer"

    /// The terms for a path, which must lie at or below the route's own. Nothing where it does not, or where
    /// the path can be read in more than one way and the rules make a difference.
    const terms* find(const request_path& path) const;

    /// The URL that stands in the requirement for this path.
    std::string resource_url(const request_path& path, std::string_view scheme, std::string_view host) const;

private:
    struct rule
    {
        std::vector<std::string> segments;
        bool open_ended = false;  ///< the pattern ends with "*"
        terms what;
    };

    static bool matches(const rule& candidate, const std::vector<std::string>& below);
    static bool more_specific(const rule& left, const rule& right);

    api::payment_route spec_;
    std::string key_;
    std::vector<std::string> prefix_;
    terms default_;
    std::vector<rule> rules_;  ///< most specific first
};

using route_ptr = std::shared_ptr<const served_route>;

/// All routes, by "namespace/offer". One strand; routes that were found stay valid as long as they are held.
class route_table
{
public:
    void put(route_ptr route) { routes_[route->key()] = std::move(route); }
    void erase(const std::string& key) { routes_.erase(key); }
    /// Null where the offer has no route here.
    route_ptr find(std::string_view key) const;
    std::size_t size() const { return routes_.size(); }

private:
    std::map<std::string, route_ptr, std::less<>> routes_;
};

}  // namespace portitor::verifier
