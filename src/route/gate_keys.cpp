#include "route/gate_keys.hpp"

namespace portitor::route {

bool gate_keys::admit(
    std::string_view ns, std::string_view offer, std::string_view uid, std::string_view token
) const
{
    const auto keys = now_held();
    if (!keys)
        return false;
    if (api::same_token(keys->current.token_for(ns, offer, uid), token))
        return true;
    return keys->before && api::same_token(keys->before->token_for(ns, offer, uid), token);
}

result<void> gate_keys::refresh(timekeeper::time_point now)
{
    if (!configured())
        return {};
    const auto keys = now_held();
    if (keys && keys->before && now >= keys->before_until)
        hold({keys->current, std::nullopt, {}});
    auto read = api::gate_key::read(file_);
    if (!read)
        return read.error();
    if (!keys)
        hold({std::move(*read), std::nullopt, {}});
    else if (keys->current != *read)
        hold({std::move(*read), keys->current, now + grace});
    return {};
}

std::shared_ptr<const gate_keys::held> gate_keys::now_held() const
{
    const std::lock_guard lock(mutex_);
    return held_;
}

void gate_keys::hold(held keys)
{
    auto made = std::make_shared<const held>(std::move(keys));
    const std::lock_guard lock(mutex_);
    held_ = std::move(made);
}

}  // namespace portitor::route
