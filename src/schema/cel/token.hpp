#pragma once

#include <portitor/core/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace portitor::schema::cel {

enum class token_type
{
    name,
    integer,
    number,
    text,    ///< a string; `text` is what it says, without quotes and escapes
    symbol,  ///< an operator or a bracket, such as "&&"
    end,
};

struct token
{
    token_type type = token_type::end;
    std::string text;
};

/// The tokens of a rule, with an `end` behind them. errc::invalid for what this subset of CEL does not have:
/// comments, bytes, unsigned integers, texts in three quotes.
result<std::vector<token>> tokens_of(std::string_view rule);

}  // namespace portitor::schema::cel
