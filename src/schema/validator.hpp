#pragma once

#include "schema/node.hpp"
#include "schema/problems.hpp"

#include <boost/json/object.hpp>

namespace portitor::schema {

/// Finds what the schema and its rules say against an object whose defaults are set. Its metadata is not
/// looked at.
void check_values(const boost::json::object& object, const node& root, problem_list& into);

/// Finds the fields that the schema does not know; metadata has its own check.
void check_unknown_fields(const boost::json::object& object, const node& root, problem_list& into);

/// Sets the defaults of a value, and takes away nulls that mean nothing.
void set_defaults(boost::json::object& object, const node& schema);

/// Judges metadata as the API server does that of a new object in a namespace; what is within ownerReferences
/// and managedFields is not looked at.
void check_metadata(const boost::json::object& object, problem_list& into);

}  // namespace portitor::schema
