#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace portitor::cli {

/// What becomes of scalars that stand without quotes.
enum class plain_scalars
{
    as_kubectl,  ///< see plain_value()
    as_text,     ///< as they are written: amounts of money, which are no floating-point numbers
};

/// One document of a YAML text, and the line that it begins on.
struct yaml_document
{
    boost::json::value value;
    int line = 1;
};

/// What there is in a YAML text: the documents that can be read, and what is wrong with the others, each with
/// its line.
struct yaml_text
{
    std::vector<yaml_document> documents;  ///< without those that hold nothing
    std::vector<std::string> mistakes;     ///< no more than most_mistakes, and a word that there are more
};

constexpr std::size_t most_mistakes = 20;

/// Reads a YAML text as kubectl does: documents end at lines that begin with "---", scalars and keys are
/// those of YAML 1.1, "<<" merges. Stricter than kubectl, it refuses a key that comes twice. Nesting beyond
/// 64 and aliases that multiply are refused, so memory is in proportion to the text.
yaml_text read_yaml(const std::string& text, plain_scalars how = plain_scalars::as_kubectl);

/// The same for who needs all of it: the first mistake is the error, errc::invalid.
result<std::vector<boost::json::value>>
parse_yaml(const std::string& text, plain_scalars how = plain_scalars::as_kubectl);

/// JSON as YAML, block style, for people to read.
std::string to_yaml(const boost::json::value& value);

}  // namespace portitor::cli
