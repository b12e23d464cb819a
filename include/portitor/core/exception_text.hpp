#pragma once

#include <exception>
#include <string>

namespace portitor {

/// What an exception says of itself, for a log. @pre `thrown` is not null
std::string describe(const std::exception_ptr& thrown);

}  // namespace portitor
