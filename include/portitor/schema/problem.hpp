#pragma once

#include <string>

namespace portitor::schema {

/// What kind of mistake a problem is, as the API server tells them apart.
enum class fault
{
    unknown_field,  ///< the schema has no such field
    required,       ///< the field is missing
    wrong_type,     ///< such as a number where a text belongs
    unsupported,    ///< none of the values that are listed
    too_long,       ///< a text or an object of too many entries
    too_many,       ///< a list of too many items
    duplicate,      ///< an item of a list that has the key of another
    invalid,        ///< a format, a bound or a rule that does not hold
};

/// One mistake in an object. All its texts may be printed: what came from the object is cut and escaped.
struct problem
{
    fault what = fault::invalid;
    std::string field;    ///< as Kubernetes writes it, such as spec.routes[1].path; empty: the object itself
    std::string value;    ///< the value in JSON, cut; empty where there is nothing to show
    std::string message;  ///< what was expected; the rule's own message where it has one

    /// In the words of the API server: "spec.upstream.port: Invalid value: 0: should be at least 1".
    std::string text() const;
};

}  // namespace portitor::schema
