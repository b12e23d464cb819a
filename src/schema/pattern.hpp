#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>

namespace portitor::schema {

/// A regular expression as the API server understands it; `ok()` says whether it is one.
std::shared_ptr<const re2::RE2> make_pattern(const std::string& text);

}  // namespace portitor::schema
