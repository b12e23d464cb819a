#pragma once

#include "offer/obstacle.hpp"
#include "offer/steps.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace portitor::cli::once {

/// What happens to an object.
enum class step
{
    create,
    change,
    remove,
    release,  ///< our finalizer is taken off
    later,    ///< it is made as soon as the offer is sold; no part of this plan
    same,
};

/// "create", "change", "delete", "release", "later", "same".
const char* to_string(step value) noexcept;

/// A field that another manager has.
struct dispute
{
    std::string field;    ///< ".spec.rules"
    std::string manager;  ///< "kubectl-edit"
};

/// A child of an offer. Both objects without what the API server alone writes, and with secrets masked.
struct child_report
{
    step what = step::same;
    offer::child_kind kind = offer::child_kind::payment_route;
    kube::object_key key;
    boost::json::object live;    ///< empty where there is none
    boost::json::object wanted;  ///< as it would be; empty where it would go
    std::vector<std::string> diff;
    bool edited = false;        ///< somebody else has changed or deleted it
    bool asked_server = false;  ///< `wanted` is what the API server answered to a dry run
    std::string refused;        ///< what the API server says against it
    std::vector<dispute> disputes;
};

/// What one path costs.
struct price_line
{
    std::string path;  ///< below the offer's; empty: all that no other line is about
    bool free = false;
    std::string atomic;  ///< units of the asset
    std::string words;   ///< "0.001 USDC on Base Sepolia a request"
    std::string how;     ///< where it is derived: "2.5 USDC per MTok x 1000 tokens = 0.0025 USDC"
};

/// What an offer is sold by, as far as it can be said.
struct terms_report
{
    std::vector<price_line> prices;  ///< the first one is the offer's own
    std::string network;             ///< CAIP-2
    std::string asset;               ///< the token's contract
    std::string pay_to;
    std::string facilitator;  ///< its name on the operator's list
    std::string facilitator_url;
    std::string credential;  ///< its name; empty: none
    std::string endpoint;
    std::string upstream;
};

/// A condition as it would be.
struct condition_report
{
    kube::condition wanted;
    std::string live_status;  ///< empty where there is none
    std::string live_reason;
};

/// Where an offer is from, compared with the cluster.
enum class standing
{
    live,     ///< it is the live one
    created,  ///< of a file; there is none of its name
    changed,  ///< of a file, and another one than the live one
    same,     ///< of a file, and as the live one
};

const char* to_string(standing value) noexcept;

/// All that there is to say of an offer.
struct offer_report
{
    kube::object_key key;
    std::string from;  ///< the file; empty: the cluster
    once::standing standing = standing::live;
    std::vector<std::string> offer_diff;  ///< of its spec, against the live one
    std::vector<std::string> problems;    ///< why the offer would be refused; then nothing else is said
    std::string passed_over;              ///< why the controller does not look at it; likewise
    bool by_defaults = false;  ///< the operator's settings are not known, and no object of its own shows them
    std::optional<terms_report> terms;
    std::optional<offer::obstacle> blocked;
    std::vector<child_report> children;
    bool adds_finalizer = false;
    bool removes_finalizer = false;
    bool writes_status = false;
    std::string phase;
    std::string live_phase;
    std::vector<condition_report> conditions;
    std::vector<offer::note> events;
    std::vector<std::string> next;  ///< what comes then, and when

    /// Whether the controller would write something.
    bool changes() const;
};

/// How many of everything.
struct summary
{
    unsigned creates = 0;
    unsigned changes = 0;
    unsigned removes = 0;
    unsigned same = 0;
    unsigned blocked = 0;     ///< offers
    unsigned invalid = 0;     ///< offers
    unsigned statuses = 0;    ///< to be written
    unsigned finalizers = 0;  ///< to be written
};

/// "Plan: 3 to create, 1 to change, 0 to delete, 1 blocked".
std::string plan_in_words(const summary& numbers);

/// All that a run has to say.
struct report
{
    std::string cluster;   ///< what was looked at, in words
    std::string settings;  ///< where the operator's settings are from
    std::vector<std::string> unseen;
    std::vector<offer_report> offers;  ///< by namespace and name
    std::vector<std::string> errors;

    summary count() const;
    bool changes() const;
};

}  // namespace portitor::cli::once
