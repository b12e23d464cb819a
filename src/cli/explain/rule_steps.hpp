#pragma once

#include "cli/explain/seen.hpp"
#include "offer/plan_settings.hpp"
#include "route/ruling.hpp"

#include <optional>
#include <string>
#include <vector>

namespace portitor::cli::explain {

/// What an HTTPRoute's rule does with a request on its way to the backends, by its filters in their order and
/// the Middlewares that they name.
struct passage
{
    std::string not_served;  ///< why the gateway leaves the whole rule out; empty: it does not
    std::string broken;      ///< why it answers 500 and asks nobody; empty: it does not
    std::string unknown;     ///< why it cannot be told whether the gate is asked; empty: it can

    bool asks_gate = false;
    bool bound = false;         ///< the gate is told the offer
    std::string offer;          ///< where bound: "namespace/offer"
    bool has_token = false;     ///< the gate is shown a token, which nobody but the verifier can judge
    bool is_rewritten = false;  ///< before the gate is asked, which judges what was made of the path

    std::vector<std::string> others;  ///< Middlewares that are no gate, in order: what they do is not known
    std::string preflights;           ///< the Middleware that answers preflights before the gate; or empty
    unsigned redirect = 0;            ///< status of the first redirect; 0: there is none
    std::string redirects_to;         ///< in words
    bool redirect_first = false;      ///< before the gate is asked

    std::vector<std::string> assumptions;  ///< what was taken for granted, one text each
};

/// Whose Middlewares count as the gate.
struct gate_address
{
    std::string
        verifier_url;  ///< the operator's; empty: not known, and "/verify" of any host is taken for it
};

/// Reads a rule of a route. With Traefik, a Middleware that is missing, anywhere in the rule, or a redirect
/// that it cannot do, leaves the rule out; a filter that it does not know makes it answer 500.
passage follow_rule(
    const kube::object& route,
    const boost::json::object& rule,
    const seen_kind& middlewares,
    const gate_address& gate,
    bool is_traefik
);

}  // namespace portitor::cli::explain
