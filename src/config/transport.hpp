#pragma once

#include <portitor/http/message.hpp>

namespace portitor::config {

/// Whether a server may be asked over this transport: https or, where the operator allows `insecure`, http
/// that stays on the machine or in the cluster, by loopback or a name below .svc.
bool may_be_asked(const http::origin& server, bool insecure);

/// What may_be_asked() wants, for messages: "… is not https" and what follows it.
inline constexpr const char* wants_https =
    "is not https (http is accepted with --allow-insecure-facilitator, and only on loopback or for a "
    "name below "
    ".svc)";

}  // namespace portitor::config
