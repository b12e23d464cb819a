#pragma once

#include <portitor/kube/object.hpp>

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace portitor::offer {

/// How an offer whose gate was seen open is tried again before it is published: its HTTPRoute has one rule,
/// for one path that nobody can guess, through the same filters.

/// The path with a word in each place that may be anything; see paid_path().
std::string filled_path(std::string_view path, std::string_view word);

/// 128 random bits, in letters that a path may have.
std::string unguessable_word();

/// What that rule is for.
boost::json::object trial_match(std::string_view path);

/// Whether an HTTPRoute of ours publishes no more than that.
bool is_trial_route(const kube::object& route);

}  // namespace portitor::offer
