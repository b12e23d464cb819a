#pragma once

#include "cli/sell/common_options.hpp"

#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <string_view>

namespace portitor::cli::sell {

/// Shows the offer that a command leaves behind, as -o asks for it: all of it for programs, its name, or with
/// wide how it stands. Nothing for text, which is each command's own.
/// @param done what was done to it, in a word: "created"
boost::asio::awaitable<void> show_outcome(
    const common_options& how,
    const console& terminal,
    roles::process around,
    kube::api& server,
    std::string_view done,
    kube::object_ptr offer
);

}  // namespace portitor::cli::sell
