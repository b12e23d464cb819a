#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace portitor::cli {

/// A text of somebody else as it may stand on a terminal: control characters, and what is not UTF-8, as
/// escapes ("\x1b"); line breaks as spaces. No longer than `longest` characters, an ellipsis after that.
std::string printable(std::string_view text, std::size_t longest = 1000);

/// A JSON text as it may stand on a terminal, for it may hold texts of others: the same value, with the
/// control characters that JSON itself lets pass as "\u009b", and what is not UTF-8 as "\ufffd". Line breaks
/// stay.
std::string printable_json(std::string_view json);

/// How long ago, as kubectl writes it: "5s", "3m", "2h", "4d". Never negative.
std::string age_in_words(std::chrono::seconds age);

/// Breaks a text into lines of at most `width` columns at spaces, each after the first one behind `indent`
/// spaces. A word that is longer stands alone.
std::string wrap(std::string_view text, std::size_t width, std::size_t indent);

/// What a piece of output means; a terminal shows it by colour.
enum class tone
{
    plain,
    good,
    warning,
    bad,
    dim,
    heading,
};

/// Colours, or none.
class palette
{
public:
    explicit palette(bool coloured) : coloured_(coloured) {}

    std::string paint(tone how, std::string_view text) const;

private:
    bool coloured_;
};

}  // namespace portitor::cli
