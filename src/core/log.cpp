#include <portitor/core/characters.hpp>
#include <portitor/core/clock.hpp>
#include <portitor/core/log.hpp>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <iterator>
#include <unistd.h>

namespace portitor {

namespace {

constexpr std::size_t longest_value = 4096;
constexpr std::size_t most_lines = 1024;  // are not longer

std::string_view name_of(log_level level)
{
    switch (level)
    {
    case log_level::debug:
        return "debug";
    case log_level::info:
        return "info";
    case log_level::warn:
        return "warn";
    case log_level::error:
        return "error";
    }
    return "unknown";
}

// Peers send any bytes, but JSON is UTF-8: each byte that is none becomes U+FFFD.
std::string valid_utf8(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty())
    {
        const character next = first_character(text);
        out += next.is_good ? next.bytes : std::string_view("\xef\xbf\xbd");
        text.remove_prefix(next.bytes.size());
    }
    return out;
}

void append_quoted(std::string& line, std::string_view text)
{
    // Nearly all of it.
    const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
    });
    if (plain)
        line.append(1, '"').append(text).append(1, '"');
    else
        line += boost::json::serialize(boost::json::value(valid_utf8(text)));
}

// At most so many bytes, ending between two characters.
std::string_view cut(std::string_view text, std::size_t longest)
{
    if (text.size() <= longest)
        return text;
    while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xc0) == 0x80)
        --longest;
    return text.substr(0, longest);
}

bool needs_quotes(std::string_view text)
{
    return text.empty() || text.find_first_of(" \"=\\\n\r\t") != text.npos ||
           std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20; });
}

// Milliseconds, since several lines of one reconcile fall into the same second.
std::string timestamp()
{
    const auto now = std::chrono::system_clock::now();
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    std::string text = to_rfc3339(now);
    text.pop_back();
    return fmt::format("{}.{:03}Z", text, milliseconds);
}

}  // namespace

logger logger::with(std::initializer_list<log_field> fields) const
{
    logger child = *this;
    for (const log_field& field : fields)
        append(child.inherited_, field);
    return child;
}

void logger::append(std::string& line, const log_field& field) const
{
    const std::string_view value = cut(field.value, longest_value);
    const bool json = format_ == log_format::json;
    if (json)
    {
        line += ',';
        append_quoted(line, field.key);
        line += ':';
    }
    else
        line.append(1, ' ').append(field.key).append(1, '=');
    if (json ? field.quoted : needs_quotes(value))
        append_quoted(line, value);
    else
        line += value;
}

void logger::write(log_level level, std::string_view message, std::initializer_list<log_field> fields) const
{
    if (level < level_)
        return;
    std::string line;
    line.reserve(most_lines);
    if (format_ == log_format::json)
    {
        fmt::format_to(
            std::back_inserter(line), R"({{"ts":"{}","level":"{}","msg":)", timestamp(), name_of(level)
        );
        append_quoted(line, message);
    }
    else
        fmt::format_to(std::back_inserter(line), "{} {:5} {}", timestamp(), name_of(level), message);
    line += inherited_;
    for (const log_field& field : fields)
        append(line, field);
    line += format_ == log_format::json ? "}\n" : "\n";
    // A log that cannot be written has nowhere to complain to.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace portitor
