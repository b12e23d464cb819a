#include <portitor/http/retry_after.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <optional>

namespace portitor::http {

namespace {

constexpr std::int64_t day = 86'400;

// RFC 9110 section 5.6.7: the present spelling and the two obsolete ones.
std::optional<std::int64_t> parse_date(const std::string& text)
{
    for (const char* shape :
         {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"})
    {
        std::tm read{};
        const char* end = strptime(text.c_str(), shape, &read);
        if (end != nullptr && *end == '\0')
            return timegm(&read);
    }
    return std::nullopt;
}

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
