#include "x402/purchase.hpp"

#include <portitor/x402/base64.hpp>
#include <portitor/x402/error_codes.hpp>
#include <portitor/x402/match.hpp>

#include <boost/json/serialize.hpp>

#include <utility>

namespace portitor::x402 {

namespace asio = boost::asio;

using std::chrono::milliseconds;

namespace {

// How far the chain's clock may lag behind ours before an expired payment is surely dead.
constexpr std::chrono::seconds chain_lag{60};

bool has_expired(const payment& offered, clock::time_point now)
{
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>((now - chain_lag).time_since_epoch()).count();
    return seconds > 0 && offered.valid_before < static_cast<std::uint64_t>(seconds);
}

// It did answer, but nothing that a facilitator may.
bool answer_was_broken(const error& failure)
{
    return failure.code() == errc::protocol || failure.code() == errc::refused;
}

std::string_view expired_code(const payment& offered)
{
    return offered.kind == payment_kind::permit2 ? "permit2_deadline_expired"
                                                 : "invalid_exact_evm_payload_authorization_valid_before";
}

// The receipt of a settlement that the facilitator did not give one for. The transaction may be empty.
boost::json::object
receipt_of(const std::string& transaction, const payment& offered, const payment_requirement& wanted)
{
    boost::json::object out;
    out["success"] = true;
    out["transaction"] = transaction;
    out["network"] = offered.version == 1 && !wanted.v1_network.empty() ? wanted.v1_network : wanted.network;
    out["payer"] = offered.payer.to_string();
    return out;
}

}  // namespace

asio::awaitable<verdict> settler::verify_and_settle(purchase& work)
{
    held_claim claim(claims_, work.key, settle_history());
    if (auto refused = time_refusal(work.offered, work.wanted(), clock_.now(), limits_.validity))
    {
        claim.release();
        co_return verdict_payment_required(std::move(refused->code), std::move(refused->message));
    }

    if (work.left() < limits_.settle_least)
    {
        claim.release();
        co_return verdict_unavailable(
            unavailable_cause::busy, limits_.retry_busy, "no time was left to verify"
        );
    }

    const milliseconds limit = std::min(limits_.verify, work.left());
    const verify_outcome verified = co_await facilitator_.verify(
        work.terms->facilitator_url, work.offered, work.wanted(), facilitator_caller(), limit
    );
    if (const auto* down = std::get_if<verify_unavailable>(&verified))
    {
        claim.release();
        co_return verdict_unavailable(
            answer_was_broken(down->failure) ? unavailable_cause::facilitator_broken
                                             : unavailable_cause::facilitator,
            wait_for(down->retry_after),
            down->failure.message()
        );
    }
    if (const auto* invalid = std::get_if<verify_invalid>(&verified))
    {
        claim.release();
        // Another replica may have settled it: whoever paid must not be asked to pay again.
        if (meaning_after_verify(invalid->reason) == code_meaning::already_used)
            co_return verdict_already_used(std::string(), used_cause::elsewhere);
        co_return verdict_payment_required(invalid->reason);
    }
    if (work.left() < limits_.settle_least)
    {
        claim.release();
        co_return verdict_unavailable(
            unavailable_cause::facilitator, limits_.retry_facilitator, "no time was left to settle"
        );
    }
    verdict made = co_await settle(work, claim);
    co_return made;
}

asio::awaitable<verdict> settler::resolve(purchase& work, settle_history history)
{
    held_claim claim(claims_, work.key, std::move(history));
    work.settling = true;
    ++counters_.resolutions;
    const settlement_finding found = co_await ask_chain(work, true);
    if (const auto decided = rule_of_chain(word_of(found, claim.history(), work.began)))
        co_return conclude(*decided, work, claim, settle_unknown(), found);
    if (work.left() < limits_.settle_least)
        co_return verdict_unavailable(
            unavailable_cause::settlement_unknown, limits_.retry_busy, "no time was left to settle again"
        );
    verdict made = co_await settle(work, claim);
    co_return made;
}

// Settles, and in doubt once more, unless the chain has the last word in between.
asio::awaitable<verdict> settler::settle(purchase& work, held_claim& claim)
{
    const bool first = !claim.history().doubt;
    work.settling = true;
    claim.settling();
    for (bool last = !first;; last = true)
    {
        const settle_history before = claim.history();
        const settle_outcome outcome = co_await facilitator_.settle(
            work.terms->facilitator_url, work.offered, work.wanted(), facilitator_caller(), limits_.settle
        );
        const settle_word said = word_of(outcome);
        const bool in_doubt = (before.doubt && said != settle_word::settled) || leaves_doubt(said);
        claim.add(outcome);
        const settlement_finding found = co_await ask_chain(work, in_doubt);
        const chain_word shown = word_of(found, claim.history(), work.began);
        const ruling ruled = rule(said, before, shown, has_expired(work.offered, clock_.now()));
        if (ruled != ruling::unknown || last)
            co_return conclude(ruled, work, claim, outcome, found);
        ++counters_.settle_retries;
    }
}

// Without doubt the chain is not asked: what the facilitator refuses at once as used may have been sold by
// another replica.
asio::awaitable<settlement_finding> settler::ask_chain(const purchase& work, bool in_doubt)
{
    settlement_finding found;
    if (chain_ == nullptr || !in_doubt)
        co_return found;
    ++counters_.chain_lookups;
    found = co_await chain_->find(work.offered, work.wanted(), work.began, limits_.chain);
    co_return found;
}

verdict settler::conclude(
    ruling ruled,
    const purchase& work,
    held_claim& claim,
    const settle_outcome& outcome,
    const settlement_finding& found
)
{
    switch (ruled)
    {
    case ruling::grant:
        if (const auto* done = std::get_if<settle_settled>(&outcome))
            return grant(work, claim, done->receipt, {done->transaction, true});
        ++counters_.chain_settled;
        return grant(
            work, claim, receipt_of(found.transaction, work.offered, work.wanted()), {found.transaction, true}
        );
    case ruling::grant_unproven: {
        ++counters_.unproven;
        const auto& told = claim.history().told;
        const std::string transaction = told.empty() ? std::string() : told.back();
        return grant(work, claim, receipt_of(transaction, work.offered, work.wanted()), {transaction, false});
    }
    case ruling::refuse:
        claim.release();
        return verdict_payment_required(std::get<settle_refused>(outcome).reason);
    case ruling::not_taken: {
        const auto& unsent = std::get<settle_not_sent>(outcome);
        claim.release();
        return verdict_unavailable(
            unavailable_cause::facilitator, wait_for(unsent.retry_after), unsent.failure.message()
        );
    }
    case ruling::elsewhere:
        claim.used();
        return verdict_already_used(std::string(), used_cause::elsewhere);
    case ruling::failed:
        claim.used();
        return verdict_already_used(std::string(), used_cause::failed);
    case ruling::withdrawn:
        ++counters_.chain_over;
        claim.used();
        return verdict_already_used(std::string(), used_cause::withdrawn);
    case ruling::dead:
        ++counters_.chain_over;
        claim.release();
        return verdict_payment_required(std::string(expired_code(work.offered)));
    case ruling::expired:
        // It stays to be resolved: somebody may yet tell.
        claim.unknown();
        return verdict_already_used(std::string(), used_cause::expired);
    case ruling::unknown:
        break;
    }
    claim.unknown();
    return without_verdict(outcome, found);
}

verdict settler::without_verdict(const settle_outcome& outcome, const settlement_finding& found) const
{
    std::string why;
    std::chrono::seconds wait{0};
    if (const auto* refused = std::get_if<settle_refused>(&outcome))
    {
        why = "refused (" + refused->reason + ") after a settlement in doubt";
    }
    else if (const auto* unsent = std::get_if<settle_not_sent>(&outcome))
    {
        why = unsent->failure.message();
        wait = unsent->retry_after;
    }
    else if (const auto* unknown = std::get_if<settle_unknown>(&outcome))
    {
        why = unknown->failure.message();
        wait = unknown->retry_after;
    }
    if (found.state == settlement_state::open)
        why += "; the chain does not show it yet";
    else if (!found.why.empty())
        why += "; the chain: " + found.why;
    return verdict_unavailable(unavailable_cause::settlement_unknown, wait_for(wait), std::move(why));
}

verdict
settler::grant(const purchase& work, held_claim& claim, const boost::json::object& receipt, claim_proof proof)
{
    std::string header = encode_base64(boost::json::serialize(receipt));
    claim.settled(header, std::move(proof));
    return verdict_paid(work.key, work.offered.payer, std::move(header), false);
}

// As the facilitator or its guard asks, or else our own.
std::chrono::seconds settler::wait_for(std::chrono::seconds asked) const
{
    return asked > std::chrono::seconds(0) ? asked : limits_.retry_facilitator;
}

}  // namespace portitor::x402
