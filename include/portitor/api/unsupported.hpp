#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace portitor::api {

/// A field of an offer that the schema keeps and nothing is sold by: the predecessor sells by it.
struct unsupported_field
{
    std::string field;  ///< "spec.async.enabled"
    std::string words;  ///< what it would mean, and what to write instead
    /// Whether something else would be sold if it were passed over: then nothing is.
    bool withholds = false;
};

/// Those of a ServiceOffer's spec, as it was written: also of one that cannot be read. At most 16, the ones
/// that withhold first.
std::vector<unsupported_field> find_unsupported(const boost::json::object& spec);

}  // namespace portitor::api
