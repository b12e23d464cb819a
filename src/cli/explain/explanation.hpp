#pragma once

#include "cli/explain/gateway_match.hpp"
#include "route/ruling.hpp"

#include <optional>
#include <string>
#include <vector>

namespace portitor::cli::explain {

/// What a request has to pay, where a route says so.
struct charge
{
    std::string rule;  ///< the pattern that the price is from; empty: the offer's own price
    bool free = false;
    std::string amount;  ///< atomic units; empty where free
    std::string price;   ///< in words
    std::string network, asset, pay_to, facilitator_url, settlement, credential, resource_url;
    std::int64_t max_timeout_seconds = 0;
};

/// What would become of a request without a payment, and why.
struct explanation
{
    request_target request;
    std::string gateway_scheme;         ///< "http" or "https", as the gateway sees it
    std::vector<candidate> candidates;  ///< the gateway's, first the one that it follows
    std::optional<std::size_t> taken;   ///< which of them; nothing: the gateway has none
    std::string offer;                  ///< "namespace/name"; empty: none judges the request
    bool bound = false;                 ///< the gateway names the offer; else it is found by the path
    bool has_token = false;             ///< its Middleware shows a token, which is taken for the offer's own
    bool unpaid = false;                ///< the gateway passes it on without asking the gate
    unsigned status = 0;                ///< of the answer; 0: not known, or the service's own
    std::string outcome;                ///< route::outcome, "gateway" (it answers itself) or "unknown"
    std::string words;                  ///< why
    std::optional<explain::charge> charge;
    std::vector<std::string> remarks;  ///< what else matters, one text each
    std::string body_402, header_402;  ///< what the buyer is told; empty where it is no 402

    bool applies() const { return !offer.empty(); }
};

}  // namespace portitor::cli::explain
