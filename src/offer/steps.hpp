#pragma once

#include "offer/child.hpp"
#include "offer/obstacle.hpp"
#include "offer/questions.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace portitor::offer {

/// An object to be created or brought back to what it should be, by server-side apply with force.
struct change
{
    boost::json::object desired;
    /// JSON pointers of fields that somebody added: an apply would leave them, so remove them first, by JSON
    /// patch, with the uid as its test. Empty for an object that does not exist.
    std::vector<std::string> foreign;
    std::string uid;  ///< of the live object; empty where there is none
};

/// The same of a child.
struct apply : change
{
    child_kind kind = child_kind::payment_route;
    bool repair = false;  ///< somebody else has changed or deleted what we had written
    bool again = false;   ///< we had taken it down ourselves
};

/// A child to be deleted, with its uid as precondition.
struct remove
{
    child_kind kind;
    kube::object_key key;
    std::string uid;
};

/// A child to be let go: our finalizer is taken off, with uid and resourceVersion as preconditions, so that
/// nothing that the registrar wrote in the meantime is lost.
struct release_finalizer
{
    child_kind kind;
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
    std::optional<child_kind> once_written = {};  ///< told only where that child could be written
};

/// What to do next for one offer, to be carried out in the order of the members. Only add_finalizer must have
/// succeeded before the rest; a child that fails holds up no other. `status` is for server-side apply to the
/// status subresource by api::controller_field_manager.
struct plan
{
    bool add_finalizer = false;
    std::vector<apply> applies;
    std::vector<remove> removes;
    std::vector<release_finalizer> releases;
    bool remove_finalizer = false;
    std::optional<boost::json::object> status;  ///< the whole status; only where it differs from the live one
    bool only_words = false;                    ///< the status says in other words what the live one says
    std::vector<std::string> better;            ///< types of conditions that the status turns True
    bool recovers = false;                      ///< one of them has been True of this generation before
    std::vector<note> notes;
    questions ask;
    std::optional<std::chrono::milliseconds> next_check;  ///< when time alone changes the outcome
    std::optional<obstacle> blocked;                      ///< why the offer is not sold
    bool route_in_line = false;                           ///< its HTTPRoute is to be written, in its turn

    /// Whether there is nothing to write.
    bool empty() const;
};

/// What is written for it, in words, in that order: "apply HTTPRoute shop/so-hello".
std::vector<std::string> describe(const plan& todo);

}  // namespace portitor::offer
