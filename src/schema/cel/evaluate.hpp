#pragma once

#include "schema/cel/expression.hpp"
#include "schema/cel/value.hpp"

namespace portitor::schema::cel {

/// What a checked rule comes to for `self`; a failure where it has no value, such as that of a field that is
/// not there. As in CEL, a failure on one side of && or || does not matter where the other side decides.
value evaluate(const expression& rule, value self);

}  // namespace portitor::schema::cel
