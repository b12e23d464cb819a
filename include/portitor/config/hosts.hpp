#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/kube/selector.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::config {

/// The host of a URL's authority or of a Host header as hosts are compared: lower-case, without a port and
/// without a point at the end.
std::string host_name(std::string_view authority);

/// Whether a route can be published for it: a DNS name, no IP address, in the spelling of host_name().
bool is_dns_name(std::string_view host);

/// A host, or hosts, that offers of some namespaces may have for their own.
struct host_entry
{
    std::string host;                     ///< a name; "*.example.com": all below it; "*": all
    std::vector<std::string> namespaces;  ///< "*" stands for all
    /// In place of `namespaces`: those whose Namespace object has these labels.
    std::optional<kube::object_predicate> selector;

    bool covers(std::string_view name) const;
    bool names(std::string_view ns) const;
};

/// The hosts that are everybody's, by path.
struct public_hosts
{
    std::vector<std::string> names;  ///< the first one comes first; may be empty
    bool every_host = false;         ///< of the listener, whatever is named

    bool has(std::string_view host) const;
};

/// Whose hosts are whose: "publicHosts" and "hosts".
struct host_lists
{
    std::vector<std::string> written_public;  ///< names, and "*"
    std::vector<host_entry> entries;

    void declare(loader& into);

    /// errc::invalid where the two do not go together.
    result<void> check(const std::string& public_url) const;

    /// The host of the public URL first, then those of the list; every host where neither names one.
    public_hosts public_with(const std::string& public_url) const;

    /// Whether it takes the labels of Namespaces to judge by.
    bool needs_labels() const;
};

}  // namespace portitor::config
