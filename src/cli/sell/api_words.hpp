#pragma once

#include <portitor/kube/api_error.hpp>
#include <portitor/kube/object.hpp>

#include <string_view>

namespace portitor::cli::sell {

/// What the API server's refusal means to whoever typed the command: which right is missing, which field is
/// wrong, who else owns it. `verb` is one of RBAC's, "patch".
error in_words(
    const kube::api_error& why, std::string_view verb, const kube::resource& kind, const kube::object_key& of
);

/// Whether an apply was refused only because others own its fields.
bool is_field_conflict(const kube::api_error& why);

/// Whether all who own them are this program's commands.
bool is_only_our_conflict(const kube::api_error& why);

}  // namespace portitor::cli::sell
