#pragma once

#include "sandbox/fields.hpp"

#include <portitor/kube/object.hpp>

#include <set>
#include <string>
#include <vector>

namespace portitor::sandbox {

/// A kind that a storage knows, as far as a CRD says what the storage goes by.
struct kind_info
{
    std::string group;  ///< empty for the core group
    std::string version;
    std::string plural;
    std::string kind;
    bool namespaced = true;
    bool has_status = false;  ///< a status subresource: a write is about the status or about all else
    /// x-kubernetes-list-type of what is applied, besides those that every kind has.
    std::vector<list_rule> lists = {};
    /// The members of spec that an apply may have; empty: any.
    std::set<std::string> spec_fields = {};

    /// "group/version/plural".
    std::string id() const;
    /// "group/version", or "version" for the core group.
    std::string api_version() const;
};

/// The id of the kind that a client means.
std::string kind_id(const kube::resource& of);

/// A namespaced kind.
kind_info make_kind(const kube::resource& of, bool has_status = false);

/// The kinds of a cluster with Portitor, Traefik and the Gateway API in it, as far as Portitor's roles, its
/// sellers and their upstreams use them.
std::vector<kind_info> installed_kinds();

}  // namespace portitor::sandbox
