#pragma once

#include <compare>
#include <optional>
#include <string>

namespace portitor::offer {

/// A model that a runtime is to serve.
struct model_target
{
    std::string base_url;  ///< of the runtime, no slash at the end
    std::string runtime;   ///< "ollama", "vllm", "tgi"
    std::string model;

    auto operator<=>(const model_target&) const = default;
};

/// A request without a payment that the gate must refuse.
struct proof_target
{
    std::string url;    ///< at the gateway; each "*" stands for a new word that nobody can guess
    std::string host;   ///< that it is asked for; empty: the URL's
    std::string route;  ///< "namespace/offer", as the refusal must say
    /// Changes with all that the gateway makes the route of: then it is to be proved anew.
    std::string version;

    auto operator<=>(const proof_target&) const = default;
};

/// What to ask about an offer from now on; the answers come back in the next observation.
struct questions
{
    std::optional<std::string> upstream;  ///< the URL
    std::optional<model_target> model;
    std::optional<proof_target> gate;
    std::optional<std::string> facilitator;  ///< the base URL
    /// The last answer about the gate is needed until the status tells it.
    bool keep_gate_answer = false;
};

}  // namespace portitor::offer
