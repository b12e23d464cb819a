#pragma once

#include <string>

namespace portitor::config {

/// What --version prints: the version in the first line, and a line for each fact of the build.
std::string version_text();

/// The version of Boost as it is spoken of: "1.81".
std::string boost_version();

}  // namespace portitor::config
