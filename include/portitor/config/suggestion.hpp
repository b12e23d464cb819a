#pragma once

#include <span>
#include <string>
#include <string_view>

namespace portitor::config {

/// The one of `known` that somebody who wrote `word` is likely to have meant; empty where none is near.
std::string nearest(std::string_view word, std::span<const std::string> known);

/// "; did you mean --pay-to?", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace portitor::config
