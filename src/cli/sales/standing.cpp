#include "cli/sales/standing.hpp"

#include <algorithm>
#include <array>

namespace portitor::cli::sales {

using x402::payment_state;
using x402::used_cause;

namespace {

constexpr std::array all_standings{
    standing::pending,
    standing::doubt,
    standing::undelivered,
    standing::delivered,
    standing::expired,
    standing::closed,
    standing::reorganised};
constexpr const char* interrupted = "interrupted";
constexpr const char* unproven = "unproven";

const char* why_closed(used_cause cause)
{
    switch (cause)
    {
    case used_cause::sold:
        return "not sold: it paid for another request";
    case used_cause::elsewhere:
        return "not sold: used elsewhere";
    case used_cause::failed:
        return "not sold: its settlement failed";
    case used_cause::withdrawn:
        return "not sold: withdrawn by its payer";
    case used_cause::expired:
        return "not sold: its time is over";
    }
    return "not sold";
}

}  // namespace

standing standing_of(const ledger::sale& what)
{
    if (what.reorganised)
        return standing::reorganised;
    switch (what.state)
    {
    case payment_state::reserved:
    case payment_state::verified:
        return standing::pending;
    case payment_state::settling:
    case payment_state::unknown:
        return standing::doubt;
    case payment_state::settled:
    case payment_state::delivering:
        return standing::undelivered;
    case payment_state::delivered:
        return standing::delivered;
    case payment_state::closed:
        return standing::closed;
    case payment_state::expired:
        return standing::expired;
    }
    return standing::doubt;
}

const char* to_string(standing what) noexcept
{
    switch (what)
    {
    case standing::pending:
        return "pending";
    case standing::doubt:
        return "doubt";
    case standing::undelivered:
        return "undelivered";
    case standing::delivered:
        return "delivered";
    case standing::expired:
        return "expired";
    case standing::closed:
        return "closed";
    case standing::reorganised:
        return "reorganised";
    }
    return "doubt";
}

std::vector<std::string> state_words()
{
    std::vector<std::string> out;
    for (const standing each : all_standings)
        out.emplace_back(to_string(each));
    out.emplace_back(interrupted);
    out.emplace_back(unproven);
    return out;
}

bool is_one_of(const ledger::sale& what, const std::vector<std::string>& states)
{
    const char* own = to_string(standing_of(what));
    return std::any_of(states.begin(), states.end(), [&](const std::string& each) {
        return each == own || (each == interrupted && what.interrupted) ||
               (each == unproven && is_unproven(what));
    });
}

bool is_unproven(const ledger::sale& what)
{
    return what.settled_at != 0 && !what.proven && !what.reorganised;
}

std::string in_words(const ledger::sale& what)
{
    const auto word = [&]() -> std::string {
        switch (standing_of(what))
        {
        case standing::pending:
            return "under way";
        case standing::doubt:
            return "in doubt";
        case standing::undelivered:
            return what.interrupted ? "paid, maybe delivered" : "paid, not delivered yet";
        case standing::delivered:
            return what.interrupted ? "delivered, maybe twice" : "delivered";
        case standing::expired:
            return "expired, nobody can tell";
        case standing::closed:
            return why_closed(what.cause);
        case standing::reorganised:
            return "taken back by a reorganisation";
        }
        return {};
    };
    return is_unproven(what) ? word() + ", unproven" : word();
}

}  // namespace portitor::cli::sales
