#include <portitor/http/date.hpp>
#include <portitor/http/retry_after.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>

namespace portitor::http {

namespace {

constexpr std::int64_t day = 86'400;

}  // namespace

std::chrono::seconds retry_after(const boost::beast::http::fields& headers)
{
    const auto found = headers[field::retry_after];
    const std::string text(found.data(), found.size());
    if (!text.empty() && text.find_first_not_of("0123456789") == text.npos)
    {
        std::int64_t seconds = day;  // kept where the number is out of range
        std::from_chars(text.data(), text.data() + text.size(), seconds);
        return std::chrono::seconds(std::min(seconds, day));
    }
    const auto said = headers[field::date];
    const auto until = parse_date(text);
    const auto now = parse_date(std::string(said.data(), said.size()));
    if (!until || !now)
        return std::chrono::seconds(0);
    return std::chrono::seconds(std::clamp<std::int64_t>(*until - *now, 0, day));
}

}  // namespace portitor::http
