#include <portitor/x402/payment_fsm.hpp>

#include <array>

namespace portitor::x402 {

namespace {

using state = payment_state;
using event = payment_event;
using action = payment_action;

constexpr std::array<const char*, payment_events> event_names{
    "copy_free",      "copy_taken",         "other_free",
    "other_taken",    "verify_valid",       "verify_used",
    "verify_refused", "verify_unavailable", "unserved",
    "send",           "ruled_grant",        "ruled_grant_unproven",
    "ruled_refuse",   "ruled_not_taken",    "ruled_elsewhere",
    "ruled_failed",   "ruled_withdrawn",    "ruled_dead",
    "ruled_expired",  "ruled_unknown",      "taken",
    "written",        "connection_gone",    "owner_dead",
    "lost",
};

constexpr std::array<const char*, 13> action_names{
    "nothing",
    "wait",
    "restart",
    "proceed",
    "settle",
    "resolve",
    "look_up",
    "grant",
    "ask_again",
    "refuse",
    "come_again",
    "follow",
    "impossible",
};

constexpr payment_step gone(action then)
{
    return {std::nullopt, then};
}

// Nothing was sent: whoever comes may have it as if it were new.
payment_step before_settling(state now, event what)
{
    switch (what)
    {
    case event::copy_free:
    case event::other_free:
        return gone(action::restart);
    case event::copy_taken:
    case event::other_taken:
        return {now, action::wait};
    case event::unserved:
    case event::owner_dead:
        return gone(action::nothing);
    default:
        return {now, action::impossible};
    }
}

payment_step in_reserved(event what)
{
    switch (what)
    {
    case event::verify_valid:
        return {state::verified, action::proceed};
    case event::verify_used:
        return gone(action::refuse);
    case event::verify_refused:
        return gone(action::ask_again);
    case event::verify_unavailable:
        return gone(action::come_again);
    default:
        return before_settling(state::reserved, what);
    }
}

payment_step in_verified(event what)
{
    if (what == event::send)
        return {state::settling, action::settle};
    return before_settling(state::verified, what);
}

// A settle may have been sent. `now` is settling or unknown.
payment_step in_doubt(state now, event what)
{
    switch (what)
    {
    case event::copy_free:
        return {state::unknown, action::resolve};
    case event::copy_taken:
        return {now, action::wait};
    case event::other_free:
        return {now, action::refuse};
    case event::send:
        return {now, action::settle};
    case event::ruled_grant:
    case event::ruled_grant_unproven:
        return {state::settled, action::grant};
    case event::ruled_elsewhere:
    case event::ruled_failed:
    case event::ruled_withdrawn:
        return {state::closed, action::refuse};
    case event::ruled_dead:
        return gone(action::ask_again);
    case event::ruled_expired:
        return {state::expired, action::refuse};
    case event::ruled_unknown:
        return {state::unknown, action::come_again};
    case event::owner_dead:
        return {state::unknown, action::look_up};
    default:
        return {now, action::impossible};
    }
}

payment_step in_settling(event what)
{
    switch (what)
    {
    // It may come free yet, for whatever it is to buy.
    case event::other_taken:
        return {state::settling, action::wait};
    // The answer to the one and only settle: rule() says so of no other.
    case event::ruled_refuse:
        return gone(action::ask_again);
    case event::ruled_not_taken:
        return gone(action::come_again);
    default:
        return in_doubt(state::settling, what);
    }
}

payment_step in_unknown(event what)
{
    if (what == event::other_taken)
        return {state::unknown, action::refuse};
    return in_doubt(state::unknown, what);
}

payment_step in_settled(event what)
{
    switch (what)
    {
    case event::copy_free:
    case event::taken:
        return {state::delivering, action::grant};
    case event::copy_taken:
        return {state::settled, action::wait};
    case event::other_free:
    case event::other_taken:
        return {state::settled, action::refuse};
    case event::owner_dead:
        return {state::settled, action::nothing};
    default:
        return {state::settled, action::impossible};
    }
}

payment_step in_delivering(event what)
{
    switch (what)
    {
    case event::copy_free:
        return {state::delivering, action::grant};
    case event::copy_taken:
        return {state::delivering, action::wait};
    case event::other_free:
    case event::other_taken:
        return {state::delivering, action::refuse};
    case event::written:
        return {state::delivered, action::nothing};
    case event::connection_gone:
    case event::owner_dead:
        return {state::settled, action::nothing};
    default:
        return {state::delivering, action::impossible};
    }
}

// `now` is delivered or closed.
payment_step in_over(state now, event what)
{
    switch (what)
    {
    case event::copy_free:
    case event::copy_taken:
    case event::other_free:
    case event::other_taken:
        return {now, action::refuse};
    case event::owner_dead:
        return {now, action::nothing};
    default:
        return {now, action::impossible};
    }
}

payment_step in_expired(event what)
{
    switch (what)
    {
    case event::copy_free:
        return {state::expired, action::look_up};
    case event::ruled_grant:
        return {state::settled, action::grant};
    case event::ruled_elsewhere:
    case event::ruled_withdrawn:
    case event::ruled_dead:
    case event::ruled_expired:
    case event::ruled_unknown:
        return {state::expired, action::refuse};
    default:
        return in_over(state::expired, what);
    }
}

}  // namespace

payment_event event_of(ruling ruled) noexcept
{
    return static_cast<payment_event>(
        static_cast<unsigned>(payment_event::ruled_grant) + static_cast<unsigned>(ruled)
    );
}

const char* to_string(payment_event event) noexcept
{
    return event_names.at(static_cast<std::size_t>(event));
}

const char* to_string(payment_action action) noexcept
{
    return action_names.at(static_cast<std::size_t>(action));
}

payment_step next_step(payment_state now, payment_event what) noexcept
{
    if (what == event::lost)
        return {now, action::follow};
    switch (now)
    {
    case state::reserved:
        return in_reserved(what);
    case state::verified:
        return in_verified(what);
    case state::settling:
        return in_settling(what);
    case state::unknown:
        return in_unknown(what);
    case state::settled:
        return in_settled(what);
    case state::delivering:
        return in_delivering(what);
    case state::expired:
        return in_expired(what);
    case state::delivered:
    case state::closed:
        break;
    }
    return in_over(now, what);
}

}  // namespace portitor::x402
