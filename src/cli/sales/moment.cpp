#include "cli/sales/moment.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace portitor::cli::sales {

namespace {

constexpr std::string_view a_day = "2026-11-28";

std::optional<std::chrono::seconds> parse_span(const std::string& text)
{
    std::uint32_t number = 0;
    const char* last = text.data() + text.size();
    const auto [end, failure] = std::from_chars(text.data(), last, number);
    if (failure != std::errc() || last - end != 1)
        return std::nullopt;
    switch (*end)
    {
    case 's':
        return std::chrono::seconds(number);
    case 'm':
        return std::chrono::minutes(number);
    case 'h':
        return std::chrono::hours(number);
    case 'd':
        return std::chrono::days(number);
    default:
        return std::nullopt;
    }
}

}  // namespace

result<moment> moment::parse(const std::string& text, edge of_day)
{
    moment out;
    if (const auto span = parse_span(text))
    {
        out.ago_ = *span;
        return out;
    }
    const bool is_day = text.size() == a_day.size();
    out.time_ = parse_rfc3339(is_day ? text + "T00:00:00Z" : text);
    if (!out.time_)
        return fail(
            errc::invalid,
            "\"{}\" is no time such as 2026-11-28T12:00:00Z, 2026-11-28 or 24h (so long ago; s, m, h or d)",
            text
        );
    if (is_day && of_day == edge::end)
        *out.time_ += std::chrono::days(1);
    return out;
}

std::uint64_t moment::at(clock::time_point now) const
{
    using std::chrono::floor;
    using std::chrono::seconds;
    const auto since_1970 =
        time_ ? floor<seconds>(*time_).time_since_epoch() : floor<seconds>(now).time_since_epoch() - ago_;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(since_1970.count(), 0));
}

}  // namespace portitor::cli::sales
