#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>

namespace portitor::test {

/// A file of test/unit/schema/cases.
boost::json::value read_cases(const std::string& file);

/// The object of a case; taken.yaml says how one is written.
boost::json::object object_of(const boost::json::object& one);

}  // namespace portitor::test
