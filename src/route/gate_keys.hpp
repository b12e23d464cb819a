#pragma once

#include <portitor/api/gate_key.hpp>
#include <portitor/core/timekeeper.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace portitor::route {

/// The key by which the verifier knows the gateway, and for a while the one before it: Middlewares bear
/// tokens of that one until the controller has written them anew. Any thread.
class gate_keys
{
public:
    /// How long the key before is good for: the controller begins with a new one after some minutes, and may
    /// be away for some more.
    static constexpr std::chrono::minutes grace{60};

    /// Reads nothing yet. An empty name: there is no key, and no token is right.
    explicit gate_keys(std::string file = {}) : file_(std::move(file)) {}

    bool configured() const { return !file_.empty(); }

    /// Whether a key was read.
    bool held_any() const { return now_held() != nullptr; }

    /// Whether the token is that of the offer. Its time does not depend on how much of it is right.
    bool
    admit(std::string_view ns, std::string_view offer, std::string_view uid, std::string_view token) const;

    /// Reads the file again. A file that holds no key is an error, and leaves the last one in force.
    result<void> refresh(timekeeper::time_point now);

private:
    struct held
    {
        api::gate_key current;
        std::optional<api::gate_key> before;
        timekeeper::time_point before_until;
    };

    std::shared_ptr<const held> now_held() const;
    void hold(held keys);

    std::string file_;
    mutable std::mutex mutex_;
    std::shared_ptr<const held> held_;
};

}  // namespace portitor::route
