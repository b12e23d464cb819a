#include <portitor/core/error.hpp>

namespace portitor {

const char* to_string(errc code) noexcept
{
    switch (code)
    {
    case errc::invalid:
        return "invalid";
    case errc::not_found:
        return "not_found";
    case errc::conflict:
        return "conflict";
    case errc::refused:
        return "refused";
    case errc::unavailable:
        return "unavailable";
    case errc::timed_out:
        return "timed_out";
    case errc::protocol:
        return "protocol";
    case errc::canceled:
        return "canceled";
    }
    return "unknown";
}

}  // namespace portitor
