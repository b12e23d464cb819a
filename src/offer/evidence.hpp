#pragma once

#include "offer/draft.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

namespace portitor::offer {

/// Why a child is left as it is for now.
struct hold
{
    std::string_view reason;
    std::string words;
};

/// What a plan does about a child.
struct decision
{
    bool writes = false;       ///< what was said of it so far is about the past
    std::string failure;       ///< why it could not be written the last time; empty: it could
    std::optional<hold> held;  ///< it is not as it should be, and has to wait
    bool in_line = false;      ///< likewise, but only for its turn

    /// Whether it is as it should be.
    bool stands() const { return !writes && !held && !in_line; }
};

using decisions = by_child<decision>;

/// Everything that the conditions of an offer are judged by. Refers to what it is made of.
struct evidence
{
    const observation& seen;
    const plan_settings& settings;
    const draft& wanted;
    const decisions& done;

    const offer_record& offer() const { return *seen.offer; }
    const child& seen_of(child_kind kind) const { return seen.children[kind]; }
};

/// A condition with its words formatted; generation and time are filled in later.
template <typename... Args>
kube::condition make_condition(
    std::string_view type,
    const char* status,
    const api::reason& why,
    fmt::format_string<Args...> text,
    Args&&... args
)
{
    return {
        std::string(type),
        status,
        std::string(why.name),
        fmt::format(text, std::forward<Args>(args)...),
        0,
        {}};
}

/// An obstacle is told by the condition that it is about; the others point there.
kube::condition blocked_condition(std::string_view type, const obstacle& why);

/// What the plan cannot or must not do about a child, as the condition that tells how it stands; nothing
/// where it can.
std::optional<kube::condition> kept_from(std::string_view type, const evidence& all);

/// That the Middleware is gone, as that condition tells it; nothing where it is there.
std::optional<kube::condition> middleware_missing(std::string_view type, const evidence& all);

/// The live condition of that type where it is about the present spec and has one of these reasons: what was
/// found before a controller started that has not looked itself yet.
std::optional<kube::condition>
last_finding(const offer_record& offer, std::string_view type, std::initializer_list<api::reason> reasons);

}  // namespace portitor::offer
