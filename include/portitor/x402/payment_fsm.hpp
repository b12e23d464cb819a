#pragma once

#include <portitor/x402/payment_record.hpp>
#include <portitor/x402/settlement_rules.hpp>

#include <cstdint>
#include <optional>

/// The machine of a payment on record: pure, without I/O. Whoever works on a payment tells what happened and
/// carries out what is said; the table is written out in payment_fsm.cpp and in its test.
///
/// ```
/// (new) -> reserved -> verified -> settling --> settled <-> delivering -> delivered
///             |           |         | |  |        ^
///           (gone)      (gone) (gone) |  +-> unknown --> expired
///                                     +-> closed <-+
/// ```
namespace portitor::x402 {

enum class payment_event : std::uint8_t
{
    // A request brings the payment.
    copy_free,    ///< the same payment, for the same purchase, and nobody (alive) works on it
    copy_taken,   ///< likewise, but somebody does
    other_free,   ///< the same key with another digest, and nobody (alive) works on it
    other_taken,  ///< likewise, but somebody does

    // Its owner goes on.
    verify_valid,
    verify_used,  ///< its nonce is used
    verify_refused,
    verify_unavailable,
    unserved,  ///< its settlement is not wanted any more: its buyer left, or its answer failed
    send,      ///< a settle is about to be sent

    // What follows from what was said of its settlement: a ruling each.
    ruled_grant,
    ruled_grant_unproven,
    ruled_refuse,
    ruled_not_taken,
    ruled_elsewhere,
    ruled_failed,
    ruled_withdrawn,
    ruled_dead,
    ruled_expired,
    ruled_unknown,

    // Its answer.
    taken,            ///< a connection is about to be given the answer
    written,          ///< the answer was written to a live connection
    connection_gone,  ///< it was not

    // Around it.
    owner_dead,  ///< who worked on it does not live any more
    lost,        ///< somebody else's change came first
};

inline constexpr std::size_t payment_events = 25;

payment_event event_of(ruling ruled) noexcept;
const char* to_string(payment_event event) noexcept;

/// What to do, once the next state is on record.
enum class payment_action : std::uint8_t
{
    nothing,
    wait,        ///< until it changes; then begin again. Out of time: 503
    restart,     ///< begin again, as if it had never come
    proceed,     ///< it may be settled
    settle,      ///< send the settle
    resolve,     ///< find out what became of it: the chain first, then the facilitator again
    look_up,     ///< ask the chain only
    grant,       ///< it is paid: hand out its answer, from `delivering` only
    ask_again,   ///< 402: surely nothing was charged
    refuse,      ///< 409: it buys nothing (any more), and is not asked for again
    come_again,  ///< 503: the same payment is to be sent again
    follow,      ///< read it again, and take what is there as what happened
    impossible,  ///< this cannot happen: change nothing, grant nothing
};

const char* to_string(payment_action action) noexcept;

struct payment_step
{
    std::optional<payment_state> next;  ///< empty: it is forgotten
    payment_action action = payment_action::impossible;

    bool operator==(const payment_step&) const = default;
};

payment_step next_step(payment_state now, payment_event event) noexcept;

}  // namespace portitor::x402
