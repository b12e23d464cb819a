#pragma once

#include "schema/cel/expression.hpp"
#include "schema/node.hpp"

#include <portitor/core/error.hpp>

#include <boost/json/value.hpp>

#include <string_view>

namespace portitor::schema::cel {

/// A rule, checked against the schema of what it is about.
class program
{
public:
    /// errc::invalid for a rule that is none, whose types do not fit, or that uses what is not known here.
    static result<program> compile(std::string_view rule, const node& self);

    /// Whether it speaks of oldSelf: such a rule says nothing of a new object.
    bool compares_with_old() const { return compares_with_old_; }

    /// Whether it holds for a value that the schema takes; an error where it cannot be said, which the API
    /// server takes for a no. @pre `self` is the schema that it was compiled for
    result<bool> holds(const boost::json::value& value, const node& self) const;

private:
    program(expression rule, bool compares_with_old)
        : rule_(std::move(rule)), compares_with_old_(compares_with_old)
    {}

    expression rule_;
    bool compares_with_old_;
};

}  // namespace portitor::schema::cel
