#pragma once

#include "offer/plan_settings.hpp"

#include <portitor/kube/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace portitor::offer {

/// The paths that an HTTPRoute's rules are for, to be found by: see paths_above(). What is no path, such as a
/// regular expression, is "~".
std::vector<std::string> matched_paths(const kube::object& route);

/// Each path that a rule for a request of this path may be written with, and "~".
std::vector<std::string> paths_above(std::string_view path);

/// Words for the rule of `other` that the gateway may prefer to those of `own` for a request of this host and
/// path; empty where it has none. By Traefik's order, which is by how much a rule asks for; of equals either
/// may win. What cannot be judged from here (regular expressions, headers, methods, queries) counts as met.
std::string preferred_rule(
    const kube::object& other,
    const kube::object& own,
    std::string_view host,
    std::string_view path,
    const plan_settings& settings
);

}  // namespace portitor::offer
