#pragma once

#include <boost/json/object.hpp>

#include <string>

namespace portitor::api {

/// Where the API server's document of the schemas of this API group is.
inline constexpr const char* served_schema_path = "/openapi/v3/apis/obol.org/v1alpha1";

/// What the schemas that are served lack of what is written by them: the CRDs may be the predecessor's, or an
/// older version's. Whole, as long as nothing else is known.
struct served_schema
{
    bool offer_phase = true;                 ///< ServiceOffer has status.phase
    bool offer_condition_generation = true;  ///< and status.conditions[].observedGeneration
    std::string request_lacks;               ///< the first field that RegistrationRequest lacks; empty: none

    bool operator==(const served_schema&) const = default;
};

/// Reads the server's document (OpenAPI v3). A kind that is not in it counts as whole: that it is missing is
/// told elsewhere.
served_schema read_served_schema(const boost::json::object& document);

}  // namespace portitor::api
