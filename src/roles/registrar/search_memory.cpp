#include "search_memory.hpp"

#include <algorithm>

namespace portitor::registrar {

std::optional<proven_blocks>
search_memory::find(const evm::address& account, const std::string& uri_end, std::uint64_t not_before) const
{
    const auto found = kept_.find({account, uri_end});
    if (found == kept_.end() || found->second.what.not_before > not_before)
        return std::nullopt;
    return found->second.what;
}

void search_memory::keep(const evm::address& account, const std::string& uri_end, proven_blocks what)
{
    if (what.mints.size() > most_mints)
        return;
    kept_[{account, uri_end}] = {++turn_, std::move(what)};
    if (kept_.size() <= most_searches)
        return;
    kept_.erase(std::min_element(kept_.begin(), kept_.end(), [](const auto& one, const auto& other) {
        return one.second.turn < other.second.turn;
    }));
}

void search_memory::forget(const evm::address& account, const std::string& uri_end)
{
    kept_.erase({account, uri_end});
}

}  // namespace portitor::registrar
