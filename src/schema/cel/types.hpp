#pragma once

#include "schema/cel/expression.hpp"
#include "schema/node.hpp"

#include <portitor/core/error.hpp>

namespace portitor::schema::cel {

enum class kind
{
    dynamic,  ///< known when it is looked at
    null,
    boolean,
    integer,
    number,
    text,
    moment,
    duration,
    list,
    map,
    object,
};

/// What an expression comes to. `of` is the schema of a list, a map or an object that is one of the value.
struct static_type
{
    kind what = kind::dynamic;
    const node* of = nullptr;
    kind items = kind::dynamic;  ///< of a list that is written in the rule
};

/// What a value of the schema is to a rule.
static_type type_of(const node& schema);

struct rule_types
{
    static_type whole;
    bool compares_with_old = false;
};

/// The type of a rule about a value of `self`; errc::invalid where the types in it do not fit, or it names
/// what is not there.
result<rule_types> check_types(const expression& rule, const node& self);

}  // namespace portitor::schema::cel
