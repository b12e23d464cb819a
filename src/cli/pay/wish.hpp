#pragma once

#include <portitor/http/message.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portitor::cli::pay {

/// What a buyer asks a server for.
struct wish
{
    http::url where;
    std::string url;  ///< as it was given, for people
    std::string method = "GET";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::chrono::seconds timeout{60};  ///< for each exchange
};

/// An http(s) URL for a buyer to ask. errc::invalid otherwise.
result<wish> wish_for(const std::string& url);

/// Whether whoever is on the way can read what is sent: plain http, and not to this machine itself.
bool is_in_clear(const wish& what);

/// Reads "Name: value". errc::invalid for what is no header, and for those that are set here.
result<std::pair<std::string, std::string>> parse_header(std::string_view line);

/// Whether the text can be a request's method.
bool is_method(std::string_view text) noexcept;

}  // namespace portitor::cli::pay
