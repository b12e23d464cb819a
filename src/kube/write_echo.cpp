#include <portitor/kube/write_echo.hpp>

namespace portitor::kube {

void write_echo::note_write(const object_key& key, std::string resource_version)
{
    writes_[key] = {std::move(resource_version), time_.now()};
}

std::optional<std::chrono::milliseconds> write_echo::wait_for(const object_meta& seen) const
{
    const auto known = writes_.find(seen.key());
    if (known == writes_.end() || !is_older(seen.resource_version, known->second.version) ||
        time_.now() >= known->second.at + limit_)
        return std::nullopt;
    return limit_;
}

}  // namespace portitor::kube
