#pragma once

#include <portitor/core/http.hpp>
#include <portitor/core/metrics.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace portitor {

/// Named checks behind /healthz (is the process of any use?) and /readyz (may traffic come?). One strand.
class health
{
public:
    /// Empty when all is well, else the reason in a few words.
    using check = std::function<std::optional<std::string>()>;

    void add_liveness(std::string name, check of) { liveness_[std::move(name)] = std::move(of); }
    void add_readiness(std::string name, check of) { readiness_[std::move(name)] = std::move(of); }
    /// What people should know and no restart would help: told by ?verbose, and never a reason to fail.
    void add_warning(std::string name, check of) { warnings_[std::move(name)] = std::move(of); }
    /// Forgets the checks of that name.
    void remove(const std::string& name)
    {
        liveness_.erase(name);
        readiness_.erase(name);
        warnings_.erase(name);
    }

    /// Answers /healthz, /readyz (both with ?verbose) and /metrics; anything else is 404.
    http::response answer(http::verb method, std::string_view target, const metrics& numbers) const;

private:
    using checks = std::map<std::string, check>;

    http::response evaluate(const checks& all, bool verbose) const;

    checks liveness_;
    checks readiness_;
    checks warnings_;
};

}  // namespace portitor
