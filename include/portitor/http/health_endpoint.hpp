#pragma once

#include <portitor/core/health.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/http/message.hpp>

#include <string_view>

namespace portitor::http {

/// Answers /healthz, /readyz (both with ?verbose) and /metrics; anything else is 404.
response answer_health(verb method, std::string_view target, const health& checks, const metrics& numbers);

}  // namespace portitor::http
