#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::cli::doctor {

/// Where a right holds.
enum class reach
{
    everywhere,  ///< all namespaces, or what has none
    release,     ///< the namespace of the release
    gateway,     ///< the namespace of the Gateway
};

/// "everywhere", "release", "gateway".
const char* to_string(reach value) noexcept;

/// When a right is needed.
enum class needed
{
    always,
    by_labels,  ///< where the operator's list of hosts goes by the labels of Namespaces
};

/// "" for always, "hosts[].namespaceSelector".
const char* to_string(needed value) noexcept;

/// One verb on one kind of objects that somebody needs.
struct right
{
    std::string_view who;  ///< "controller", "verifier", "registrar", "doctor"
    std::string verb;
    std::string_view group;     ///< empty: the core group
    std::string_view resource;  ///< with its subresource: "serviceoffers/status"
    reach where = reach::everywhere;
    std::string_view name;  ///< of the one object; empty: all
    needed when = needed::always;

    /// "patch serviceoffers.obol.org/status", "list pods in the release's namespace".
    std::string to_string() const;
};

/// Everything that the roles and doctor need. The chart's rbac.yaml give the same: test/chart compares.
const std::vector<right>& needed_rights();

/// The table, one right a line.
std::string rights_in_text();
/// The same as JSON: a list of objects with the members of `right`.
std::string rights_in_json();

}  // namespace portitor::cli::doctor
