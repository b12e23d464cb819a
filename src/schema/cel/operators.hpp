#pragma once

#include "schema/cel/expression.hpp"
#include "schema/cel/value.hpp"

namespace portitor::schema::cel {

/// What an operator comes to for values that it is not made for.
value no_such_type();

/// == != < <= > >=
value ordered(operation what, const value& left, const value& right);

/// contains, startsWith, endsWith, matches
value about_texts(const expression& given, const value& left, const value& right);

/// + - * / % of integers, + of texts; a failure where the result does not fit.
value arithmetic(operation what, const value& left, const value& right);

/// timestamp() and duration() of a text.
value time_from(operation what, const value& of);

}  // namespace portitor::schema::cel
