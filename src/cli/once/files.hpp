#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/object.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace portitor::cli::once {

/// A ServiceOffer of a file, as it is written there.
struct written_offer
{
    boost::json::object raw;  ///< metadata.name is there, and metadata.namespace has been filled in
    std::string from;         ///< the file; "-" is standard input
};

/// What files hold. Other kinds are passed over, Lists are opened.
struct written_offers
{
    std::vector<written_offer> offers;
    std::vector<std::string> errors;  ///< what could not be read, one text each; the rest was
};

/// Reads files, directories (their *.yaml, *.yml and *.json, by name) and "-". An offer that stands in two
/// places is an error and taken from the first.
/// Those that name no namespace are of the one given.
written_offers read_offers(
    const std::vector<std::string>& paths, std::istream& standard_input, const std::string& default_namespace
);

/// A whole file, or standard input: 64 MiB at most.
result<std::string> read_text(const std::string& path, std::istream& standard_input);

}  // namespace portitor::cli::once
