#include "schema/formats.hpp"

#include <re2/re2.h>

#include <chrono>
#include <string>

namespace portitor::schema {

namespace {

bool matches(std::string_view text, const re2::RE2& whole)
{
    return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), whole);
}

}  // namespace

bool is_date_time(std::string_view text)
{
    // A day, and one character before the fraction that may be any but the end of a line.
    static const re2::RE2 form(
        R"((\d{4})-(\d{2})-(\d{2})[tT](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:.\d+)?(?:[zZ]|[+-]\d{2}:\d{2}))"
    );
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), form, &year, &month, &day) &&
           std::chrono::year_month_day(
               std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)
           )
               .ok();
}

bool is_label_name(std::string_view text)
{
    static const re2::RE2 form("[a-z0-9](?:[-a-z0-9]*[a-z0-9])?");
    return text.size() <= 63 && matches(text, form);
}

bool is_subdomain(std::string_view text)
{
    static const re2::RE2 form(R"([a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*)");
    return text.size() <= 253 && matches(text, form);
}

bool is_label_value(std::string_view text)
{
    static const re2::RE2 form("(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?");
    return text.size() <= 63 && matches(text, form);
}

bool is_qualified_name(std::string_view text)
{
    const auto slash = text.find('/');
    if (slash != text.npos && !is_subdomain(text.substr(0, slash)))
        return false;
    const auto name = slash == text.npos ? text : text.substr(slash + 1);
    return !name.empty() && is_label_value(name);
}

}  // namespace portitor::schema
