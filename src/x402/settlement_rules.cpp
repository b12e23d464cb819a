#include <portitor/x402/error_codes.hpp>
#include <portitor/x402/settlement_rules.hpp>

#include <algorithm>
#include <utility>

namespace portitor::x402 {

namespace {

// A facilitator has no reason to name more; what it says is bounded.
constexpr std::size_t most_told = 4;

// At the end of the list, once.
void put(std::vector<std::string>& list, const std::string& transaction)
{
    std::erase(list, transaction);
    list.push_back(transaction);
}

settle_word word_of_refusal(const settle_refused& refused)
{
    switch (meaning_after_settle(refused.reason))
    {
    case code_meaning::refused:
        return settle_word::refused;
    case code_meaning::already_used:
        return settle_word::nonce_used;
    case code_meaning::being_settled:
        return settle_word::being_settled;
    case code_meaning::may_settle:
    case code_meaning::failed:
        break;
    }
    return settle_word::doubt;
}

}  // namespace

bool leaves_doubt(settle_word said) noexcept
{
    return said == settle_word::doubt || said == settle_word::failed;
}

settle_word word_of(const settle_outcome& outcome)
{
    if (std::holds_alternative<settle_settled>(outcome))
        return settle_word::settled;
    if (std::holds_alternative<settle_not_sent>(outcome))
        return settle_word::not_sent;
    if (const auto* refused = std::get_if<settle_refused>(&outcome))
        return word_of_refusal(*refused);
    return std::get<settle_unknown>(outcome).failed ? settle_word::failed : settle_word::doubt;
}

void settle_history::add(const settle_outcome& outcome)
{
    const settle_word said = word_of(outcome);
    if (said == settle_word::not_sent)
        return;
    // Whatever a later one says, it is not the one and only settlement any more.
    doubt = true;
    const auto* unknown = std::get_if<settle_unknown>(&outcome);
    const std::string transaction = unknown != nullptr ? unknown->transaction : std::string();
    if (said == settle_word::failed)
    {
        std::erase(open, transaction);
        if (!std::exchange(failed, true))
            doubt_before_failure = maybe_settled();
    }
    else if (said == settle_word::doubt)
    {
        if (!transaction.empty() && open.size() < most_told)
            put(open, transaction);
        else
            unnamed = true;
    }
    if (transaction.empty())
        return;
    if (told.size() == most_told && std::find(told.begin(), told.end(), transaction) == told.end())
        told.erase(told.begin());
    put(told, transaction);
}

chain_word
word_of(const settlement_finding& found, const settle_history& history, std::uint64_t began, finality wanted)
{
    if (!found.confirmed() && wanted == finality::confirmed)
        return chain_word::open;
    switch (found.state)
    {
    case settlement_state::settled: {
        const auto early = static_cast<std::uint64_t>(mined_before_us.count());
        if (found.mined_at && *found.mined_at + early < began)
            return chain_word::elsewhere;
        // Our own transaction failed because another one came first, unless it is that very one, or ours too.
        if (history.failed && !history.maybe_settled() &&
            std::find(history.told.begin(), history.told.end(), found.transaction) == history.told.end())
            return chain_word::elsewhere;
        return chain_word::ours;
    }
    case settlement_state::canceled:
    case settlement_state::used_otherwise:
        return chain_word::ended;
    case settlement_state::used_before:
        return chain_word::elsewhere;
    case settlement_state::dead:
        return chain_word::dead;
    case settlement_state::open:
        return chain_word::open;
    case settlement_state::cannot_tell:
        break;
    }
    return chain_word::silent;
}

std::optional<ruling> rule_of_chain(chain_word chain)
{
    switch (chain)
    {
    case chain_word::ours:
        return ruling::grant;
    case chain_word::elsewhere:
        return ruling::elsewhere;
    case chain_word::ended:
        return ruling::withdrawn;
    case chain_word::dead:
        return ruling::dead;
    case chain_word::open:
    case chain_word::silent:
    case chain_word::nobody:
        break;
    }
    return std::nullopt;
}

ruling rule_of_receipt(chain_word chain)
{
    return rule_of_chain(chain).value_or(ruling::unknown);
}

ruling rule(settle_word said, const settle_history& before, chain_word chain, bool expired)
{
    if (said == settle_word::settled)
        return ruling::grant;
    if (!before.doubt && !leaves_doubt(said))
    {
        // The first word, and a clear one. The chain would only tell that it was settled, not by whom.
        if (said == settle_word::refused)
            return ruling::refuse;
        return said == settle_word::not_sent ? ruling::not_taken : ruling::elsewhere;
    }
    if (const auto decided = rule_of_chain(chain))
        return *decided;
    // What is open on the chain is about to be mined, or the node lags behind; one that is silent will speak.
    if (said == settle_word::nonce_used && chain == chain_word::nobody)
        return before.failed && !before.doubt_before_failure ? ruling::failed : ruling::grant_unproven;
    if (said == settle_word::refused && expired)
        return ruling::expired;
    return ruling::unknown;
}

}  // namespace portitor::x402
