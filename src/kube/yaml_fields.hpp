#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/value.hpp>
#include <yaml-cpp/yaml.h>

#include <string>

namespace portitor::kube {

/// What is wrong with a configuration: thrown and caught within the reading of one file.
struct bad_configuration
{
    std::string what;
};

/// A kubeconfig that is no YAML: its line, and what the parser says up to where it may quote; never the text,
/// which may hold a key.
error refuse_yaml(const std::string& path, const YAML::Exception& wrong);

/// Whether a field says something: null, "", [] and {} are as good as absent.
bool is_given(const YAML::Node& field);

/// The text of a field, empty where it is not given. Throws bad_configuration with its name where it is no
/// text; never tells the value. `field` is the name that people know, `name` the last part of it.
std::string text_of(const YAML::Node& parent, const std::string& name, const std::string& field);

/// As text_of(), for true and false.
bool flag_of(const YAML::Node& parent, const std::string& name, const std::string& field);

/// The same value in JSON. Scalars without quotes become null, booleans and numbers where they look so.
boost::json::value to_json(const YAML::Node& node);

}  // namespace portitor::kube
