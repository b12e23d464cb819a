#pragma once

#include "cli/sell/registration_flags.hpp"

#include <portitor/api/service_offer.hpp>

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace portitor::cli::sell {

/// What `sell http` and `sell inference` read of an offer. An empty text was not given.
struct offer_flags
{
    api::offer_type type = api::offer_type::http;
    std::string upstream;
    std::string upstream_ns;
    std::string port;
    std::string health_path;
    std::string credential;
    std::string model;
    std::string runtime;
    std::string price;
    std::string per_mtok;
    std::string per_hour;
    std::string network;
    std::string asset;
    bool obol_token = false;
    std::string pay_to;
    std::string max_timeout;
    std::string facilitator;
    std::string path;
    std::string hostname;
    std::string description;
    std::vector<std::string> routes;
    bool wants_registration = false;
    bool no_registration = false;
    registration_flags registration;

    explicit offer_flags(api::offer_type what) : type(what) {}

    void declare(config::loader& into);

    /// The spec that comes of `base` (empty, or a file's) and the flags, which go before it. Names the flag
    /// that is wrong or missing. Reads X402_WALLET where neither says who is paid.
    result<boost::json::object> make_spec(boost::json::object base) const;
};

}  // namespace portitor::cli::sell
