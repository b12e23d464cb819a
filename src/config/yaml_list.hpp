#pragma once

#include <portitor/core/error.hpp>

#include <yaml-cpp/node/node.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::config {

// What the readers of the operator's lists share. Their errors are errc::invalid and name the line.

using section_reader = std::function<result<void>(const YAML::Node&)>;

/// A list, or nothing at all: one that is not there, or has nothing in it, is an empty list.
result<void> check_list(const YAML::Node& list);

/// The same reader, which is given nothing but lists.
section_reader read_list(section_reader read);

/// Whether an entry is a mapping of these keys, each of which comes once at most.
result<void> only_keys(const YAML::Node& entry, std::initializer_list<std::string_view> known);

/// A text that must be there, and not empty.
result<std::string> required_text(const YAML::Node& entry, const char* key);

/// A text that need not be there.
result<std::string> optional_text(const YAML::Node& entry, const char* key);

/// A list of texts that need not be there.
result<std::vector<std::string>> texts(const YAML::Node& entry, const char* key);

}  // namespace portitor::config
