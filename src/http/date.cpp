#include <portitor/http/date.hpp>

#include <ctime>

namespace portitor::http {

std::optional<std::int64_t> parse_date(const std::string& text)
{
    // The present spelling and the two obsolete ones.
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

}  // namespace portitor::http
