#pragma once

#include "offer/plan_settings.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <compare>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace portitor::offer {

/// What is known about the upstream as the offer's present spec names it. A probe of another target is
/// `unknown`.
struct probe_result
{
    enum class verdict
    {
        unknown,
        healthy,
        unhealthy,
    };

    verdict health = verdict::unknown;
    std::string
        failure;  ///< the class of an unhealthy one: "HTTP 503", "connection refused"; never a response body
    unsigned consecutive_failures = 0;

    bool operator==(const probe_result&) const = default;
};

/// A model that a runtime is to serve.
struct model_target
{
    std::string base_url;  ///< of the runtime, no slash at the end
    std::string runtime;   ///< "ollama", "vllm", "tgi"
    std::string model;

    auto operator<=>(const model_target&) const = default;
};

/// What the runtime said of the offer's model.
struct model_listing
{
    enum class verdict
    {
        unknown,
        listed,
        missing,
        unreadable,
    };

    verdict said = verdict::unknown;
    std::string failure;  ///< the class of what is unreadable; never a body

    bool operator==(const model_listing&) const = default;
};

/// A request without a payment that the gate must refuse.
struct proof_target
{
    std::string url;    ///< at the gateway
    std::string host;   ///< that it is asked for; empty: the URL's
    std::string route;  ///< "namespace/offer", as the refusal must say
    /// Changes with all that the gateway makes the route of: then it is to be proved anew.
    std::string version;

    auto operator<=>(const proof_target&) const = default;
};

/// What an unpaid request through the gateway has shown.
struct gate_proof
{
    enum class verdict
    {
        unknown,
        proved,
        not_proved,  ///< twice in a row something else answered
        open,        ///< it was answered as if it were paid
    };

    verdict said = verdict::unknown;
    std::string failure;    ///< what answered instead
    unsigned failures = 0;  ///< in a row
    unsigned attempts = 0;  ///< while the gateway may not have taken up the route yet

    bool operator==(const gate_proof& other) const { return said == other.said && failure == other.failure; }
};

/// What the controller sees of an offer's surroundings. Children are those that bear the offer's child names.
struct observation
{
    kube::object_ptr middleware;
    kube::object_ptr http_route;
    kube::object_ptr payment_route;
    kube::object_ptr registration;
    probe_result probe;
    model_listing model;
    gate_proof proof;
    std::optional<bool> verifier_ready;  ///< whether the verifier's Service has a ready endpoint
    /// What the last attempt to write a child failed with, by the plural of its kind. Told in the conditions
    /// while the child is not as it should be.
    std::map<std::string, std::string, std::less<>> apply_errors;
    /// Children that somebody else has deleted, by the plural of their kind.
    std::set<std::string, std::less<>> lost;
    /// Children that we have taken down ourselves, and not made again since, by the plural of their kind.
    std::set<std::string, std::less<>> taken_down;
    /// How long the next repair of a child, or its next return, has to wait, by the plural of its kind;
    /// absent: not at all.
    std::map<std::string, std::chrono::milliseconds, std::less<>> repair_waits;
    std::string path_owner;         ///< "namespace/name" of an older offer that has this path; empty: none
    std::string way_around;         ///< words for an HTTPRoute that leads around the gate; empty: none
    bool upstream_granted = false;  ///< a ReferenceGrant allows an upstream of another namespace
};

/// A child to be created or brought back to what it should be, by server-side apply with force.
struct apply
{
    kube::resource kind;
    boost::json::object desired;
    /// JSON pointers of fields that somebody added: an apply would leave them, so remove them first, by JSON
    /// patch, with the uid as its test. Empty for a child that does not exist.
    std::vector<std::string> foreign;
    std::string uid;      ///< of the live child; empty where there is none
    bool repair = false;  ///< somebody else has changed or deleted what we had written
    bool again = false;   ///< we had taken it down ourselves
};

/// A child to be deleted, with its uid as precondition.
struct remove
{
    kube::resource kind;
    kube::object_key key;
    std::string uid;
};

/// A child to be let go: our finalizer is taken off, with uid and resourceVersion as preconditions, so that
/// nothing that the registrar wrote in the meantime is lost.
struct release_finalizer
{
    kube::resource kind;
    kube::object_key key;
    std::string uid;
    std::string resource_version;
};

/// The reason of the note that a registration was let go before it was retired.
inline constexpr const char* registration_left_on_chain = "RegistrationLeftOnChain";

/// An Event on the offer, for a transition that a human would ask about.
struct note
{
    enum class severity
    {
        normal,
        warning,
    };

    severity type = severity::normal;
    std::string reason;
    std::string message;
};

/// What to ask about an offer from now on; the answers come back in the next observation.
struct questions
{
    std::optional<std::string> upstream;  ///< the URL
    std::optional<model_target> model;
    std::optional<proof_target> gate;
    /// The last answer about the gate is needed until the status tells it.
    bool keep_gate_answer = false;
};

/// What to do next for one offer, to be carried out in the order of the members. Only add_finalizer must have
/// succeeded before the rest; a child that fails holds up no other. `status` is for server-side apply to the
/// status subresource by api::controller_field_manager.
struct plan
{
    bool add_finalizer = false;
    std::vector<apply> applies;
    std::vector<std::string> disputed;  ///< plurals of children whose repair has to wait: see repair_waits
    std::vector<std::string> flapping;  ///< likewise of those whose return has to wait
    std::vector<remove> removes;
    std::vector<release_finalizer> releases;
    bool remove_finalizer = false;
    std::optional<boost::json::object> status;  ///< the whole status; only where it differs from the live one
    std::vector<note> notes;
    questions ask;
    std::optional<std::chrono::milliseconds> next_check;  ///< when time alone changes the outcome

    /// Whether there is nothing to write.
    bool empty() const;
};

/// What is written for it, in words, in that order: "apply HTTPRoute shop/so-hello".
std::vector<std::string> describe(const plan& todo);

/// Decides everything for one offer, from what is there and what the operator set. Pure: the same input gives
/// the same plan, an input that is as it should be gives an empty one, and no offer makes it throw.
plan make_plan(
    const kube::object& offer, const observation& seen, const plan_settings& settings, clock::time_point now
);

/// What is done for an offer that make_plan(), or anything else on the way to it, threw about: its condition
/// Ready says so, once for each generation. An offer whose present spec nobody has judged is taken down, one
/// step each time; what was published for this spec stays as it is.
plan make_fault_plan(
    const kube::object& offer, const observation& seen, const std::string& what, clock::time_point now
);

}  // namespace portitor::offer
