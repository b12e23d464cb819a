#pragma once

#include <portitor/config/loader.hpp>

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace portitor::cli::sell {

/// The flags that say how an offer is to appear as an agent; also those of `sell register`, without the
/// prefix.
struct registration_flags
{
    std::string chain;
    std::string name;
    std::string description;
    std::string image;
    std::vector<std::string> skills;    ///< each may hold several, with commas
    std::vector<std::string> domains;   ///< likewise
    std::vector<std::string> metadata;  ///< KEY=VALUE
    std::string agent_id;
    std::string key_secret;  ///< the Secret's name

    /// `prefix` stands before each name: "register-".
    void declare(config::loader& into, const std::string& prefix);

    /// Writes what was given into spec.registration. errc::invalid names the flag.
    result<void> fill(boost::json::object& registration, const std::string& prefix) const;

    bool empty() const;
};

}  // namespace portitor::cli::sell
