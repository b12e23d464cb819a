#include "cli/pay/ending.hpp"

namespace portitor::cli::pay {

const char* to_string(ending how) noexcept
{
    switch (how)
    {
    case ending::terms:
        return "terms";
    case ending::free:
        return "free";
    case ending::served:
        return "served";
    case ending::refused:
        return "refused";
    case ending::used:
        return "used";
    case ending::unknown:
        return "unknown";
    case ending::unsent:
        return "unsent";
    case ending::moved:
        return "moved";
    case ending::failed:
        return "failed";
    }
    return "?";
}

bool is_open(ending how) noexcept
{
    return how == ending::unknown || how == ending::refused || how == ending::moved || how == ending::failed;
}

}  // namespace portitor::cli::pay
