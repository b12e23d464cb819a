#pragma once

#include <portitor/core/error.hpp>

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

namespace portitor::config {

/// A settings document. A YAML::Node can be made of nearly everything: alone it would make a result
/// ambiguous.
struct document
{
    YAML::Node root;
};

/// Both say `where` the text is, and the line where it is no YAML.
result<document> parse_file(const std::string& path, const std::string& where);
result<document> parse_text(const std::string& text, const std::string& where);

/// "PLACE:LINE" of a node.
std::string at_line(const std::string& where, const YAML::Node& node);

/// The values of a list that is written as a YAML list or as a text with one value a line.
result<std::vector<std::string>> list_values(const YAML::Node& value, const std::string& where);
result<std::vector<std::string>> list_values(const std::string& text, const std::string& where);

}  // namespace portitor::config
