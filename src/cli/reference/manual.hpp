#pragma once

#include "cli/reference/declared.hpp"

namespace portitor::cli {

/// portitor(1), in the language of man(7).
std::string manual_page(std::span<const declared> all);

}  // namespace portitor::cli
