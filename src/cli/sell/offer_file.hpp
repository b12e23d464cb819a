#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/object.hpp>

#include <string>

namespace portitor::cli::sell {

/// An offer as somebody has written it in a file.
struct written_offer
{
    std::string name;                 ///< empty where it says none
    std::string ns;                   ///< likewise
    boost::json::object labels;       ///< likewise
    boost::json::object annotations;  ///< likewise
    boost::json::object spec;
};

/// Reads a whole manifest of a ServiceOffer, or its spec alone, in JSON or YAML. errc::invalid for anything
/// else, and for several documents.
result<written_offer> read_offer_file(const std::string& text);

}  // namespace portitor::cli::sell
