#pragma once

#include <portitor/kube/api_error.hpp>

#include <string>

namespace portitor::cli {

/// Why the API server would not take an object, for who wrote it: which fields, and what was expected there,
/// without what Go prints of values. May hold what others wrote: print it as printable().
std::string refusal_in_words(const kube::api_error& why);

/// Whether a 403 says that somebody lacks a right, and not that a policy of the cluster does not like what he
/// writes.
bool is_missing_right(const kube::api_error& why);

/// The same as a policy's or webhook's own words, without what comes before them.
std::string policy_in_words(const kube::api_error& why);

}  // namespace portitor::cli
