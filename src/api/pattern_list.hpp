#pragma once

#include "api/fields.hpp"

#include <portitor/api/path_pattern.hpp>

#include <set>

namespace portitor::api {

/// Reads the patterns of one object's rules, each of which is about paths of its own.
class pattern_list
{
public:
    /// The pattern under a key. One that has no reading, or that another rule has too, is refused there.
    path_pattern read(const fields& in, std::string_view key);

private:
    std::set<std::string> seen_;
};

}  // namespace portitor::api
