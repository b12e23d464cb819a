#pragma once

#include "cli/doctor/patient.hpp"

#include <string>

namespace portitor::cli::doctor {

/// The answer to one request to whoever is asked, as far as doctor looks at it.
struct web_answer
{
    unsigned status = 0;
    std::string location;  ///< where a redirect leads, without query, printable
    std::string route;     ///< X-Portitor-Route
    std::string body;      ///< at most so much as was asked for
    long long milliseconds = 0;
};

/// A GET that follows nothing; `host` in place of the URL's, where it is not empty. Reads the body only where
/// `most_body` is not 0; one that is longer is errc::protocol. Ends within the patient's limit.
boost::asio::awaitable<result<web_answer>>
get(const patient& of, std::string url, std::string host, std::size_t most_body);

/// What may be shown of a URL, or of where a redirect leads, which may be a path alone and then is no URL to
/// masked_url(): no query and no fragment, which say nothing here.
std::string shown(const std::string& url);

}  // namespace portitor::cli::doctor
