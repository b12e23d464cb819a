#pragma once

#include "route/request_path.hpp"

#include <portitor/api/payment_route.hpp>
#include <portitor/x402/networks.hpp>
#include <portitor/x402/requirement.hpp>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::route {

class credential;
class credential_store;
class gate_keys;

/// The price of one path.
struct terms
{
    u256 amount;                         ///< atomic units; meaningless where free
    std::string amount_text;             ///< the same in decimal digits
    std::vector<std::string> methods{};  ///< those that the path is for; empty: every one
    bool free = false;

    bool is_for(std::string_view method) const;
};

/// What decides whether a route may be served here. Routes keep pointers into it.
struct serving_limits
{
    const x402::network_table& networks;
    const std::set<std::string>& facilitator_urls;
    const credential_store& credentials;
    /// By which gateways are known that may have a credential; null where routes are only looked at: no token
    /// is right then.
    const gate_keys* keys = nullptr;
};

/// One PaymentRoute, ready to be served. Immutable, so any thread may read it.
class served_route
{
public:
    /// errc::invalid, with the reason that goes into status.conditions, when this verifier must not serve it.
    static result<std::shared_ptr<const served_route>>
    compile(const kube::object& route, const serving_limits& allowed);

    const std::string& key() const { return key_; }  ///< "namespace/offer"
    /// The namespace.
    std::string_view tenant() const { return std::string_view(key_).substr(0, key_.find('/')); }
    /// The UID of the offer: one that was deleted and made anew has another. Never empty.
    const std::string& offer_uid() const { return offer_uid_; }
    /// The path that the route begins at, without a slash at its end: "/services/hello"; empty is all paths.
    const std::string& prefix() const { return prefix_; }
    /// The URL that buyers reach that path at; empty where the operator named none.
    const std::string& public_url() const { return public_url_; }
    /// Its host, as host_name_of() writes it; empty where there is no URL.
    const std::string& public_host() const { return public_host_; }
    const std::string& facilitator_url() const { return *facilitator_url_; }
    const x402::network& network() const { return *network_; }
    const x402::token& token() const { return *token_; }
    const std::string& description() const { return description_; }
    /// The Authorization that the upstream wants; null where it wants none.
    const route::credential* credential() const { return credential_; }
    /// Whether this is the token in the address of the offer's own Middleware. Never, where the route names
    /// no credential: nobody needs one then.
    bool knows_gateway(std::string_view token) const;
    bool suspended() const { return suspended_; }
    /// What this verifier lacks to grant anything by the route; empty where it lacks nothing. It may come
    /// while the route stays as it is.
    std::string lacking() const;

    /// Whether the price may depend on the path.
    bool has_rules() const { return !rules_.empty(); }

    /// The terms for a path; null where it is neither the route's own nor below it.
    const terms* find(const request_path& path) const;

    /// The pattern of the rule that find() took these terms from; empty where they are the route's own.
    std::string rule_of(const terms& found) const;

    /// Appends the URL that stands in the requirement for this path.
    void append_resource_url(
        std::string& out, const request_path& path, std::string_view scheme, std::string_view host
    ) const;

    /// What a buyer has to pay. The view is valid as long as the route, the terms and the URL.
    x402::requirement_view requirement(const terms& price, std::string_view resource_url) const;
    /// The same to be kept.
    x402::payment_requirement owned_requirement(const terms& price, std::string_view resource_url) const;

private:
    struct rule
    {
        api::path_pattern pattern;
        api::gate access = api::gate::paid;
        terms what;
    };

    std::string key_;
    std::string offer_uid_;
    std::string prefix_;
    std::string pay_to_;
    std::string description_;
    std::string public_url_;
    std::string public_host_;
    const x402::network* network_ = nullptr;
    const x402::token* token_ = nullptr;
    const std::string* facilitator_url_ = nullptr;
    const route::credential* credential_ = nullptr;
    const gate_keys* keys_ = nullptr;
    std::uint32_t max_timeout_seconds_ = 0;
    std::uint32_t depth_ = 0;  // segments of the prefix
    bool suspended_ = false;
    terms default_;
    std::vector<rule> rules_;  // most specific first
};

using route_ptr = std::shared_ptr<const served_route>;

}  // namespace portitor::route
