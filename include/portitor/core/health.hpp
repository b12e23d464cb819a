#pragma once

#include <portitor/core/http_server.hpp>
#include <portitor/core/metrics.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace portitor {

/// Named checks behind /healthz (is the process of any use?) and /readyz (may traffic come?). One strand.
class health
{
public:
    /// Empty when all is well, else the reason in a few words.
    using check = std::function<std::optional<std::string>()>;

    void add_liveness(std::string name, check of) { liveness_[std::move(name)] = std::move(of); }
    void add_readiness(std::string name, check of) { readiness_[std::move(name)] = std::move(of); }

    /// Answers /healthz, /readyz (both with ?verbose) and /metrics; anything else is 404.
    http::response answer(const http::request& message, const metrics& numbers) const;

private:
    using checks = std::map<std::string, check>;

    static http::response evaluate(const checks& all, bool verbose);

    checks liveness_;
    checks readiness_;
};

}  // namespace portitor
