#include <portitor/x402/base64.hpp>
#include <portitor/x402/error_codes.hpp>
#include <portitor/x402/gate.hpp>
#include <portitor/x402/match.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <optional>

namespace portitor::x402 {

namespace asio = boost::asio;

using std::chrono::milliseconds;
using std::chrono::steady_clock;

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

bool says_already_used(const settle_outcome& outcome)
{
    const auto* refused = std::get_if<settle_refused>(&outcome);
    return refused != nullptr && meaning_after_settle(refused->reason) == code_meaning::already_used;
}

std::string_view expired_code(const payment& offered)
{
    return offered.kind == payment_kind::permit2 ? "permit2_deadline_expired"
                                                 : "invalid_exact_evm_payload_authorization_valid_before";
}

// The receipt of a settlement that only the chain told of.
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

// One call of pay().
struct gate::job
{
    const payment& offered;
    const payment_requirement& wanted;
    std::string url;
    claim_binding binding;
    claim_key key;
    steady_clock::time_point deadline;

    milliseconds left() const
    {
        return std::max(
            milliseconds(0), std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now())
        );
    }
};

// A claim that begin() gave us. However its scope ends, the claim does not stay in flight: an owner who never
// reported leaves it released as long as no settlement has begun, and unknown from then on.
class gate::held_claim
{
public:
    held_claim(std::shared_ptr<claim_table> claims, claim_key key, bool maybe_settled)
        : claims_(std::move(claims)), key_(std::move(key)), maybe_settled_(maybe_settled)
    {}
    held_claim(const held_claim&) = delete;
    held_claim& operator=(const held_claim&) = delete;

    ~held_claim()
    {
        if (!claims_)
            return;
        if (maybe_settled_)
            claims_->unknown(key_);
        else
            claims_->release(key_);
    }

    void settling()
    {
        maybe_settled_ = true;
        claims_->settling(key_);
    }
    void release() { take()->release(key_); }
    void unknown() { take()->unknown(key_); }
    void used() { take()->used(key_); }
    void settled(std::string receipt) { take()->settled(key_, std::move(receipt)); }

private:
    std::shared_ptr<claim_table> take() { return std::exchange(claims_, nullptr); }

    std::shared_ptr<claim_table> claims_;
    claim_key key_;
    bool maybe_settled_;
};

const char* to_string(unavailable_cause cause) noexcept
{
    switch (cause)
    {
    case unavailable_cause::busy:
        return "busy";
    case unavailable_cause::facilitator:
        return "facilitator";
    case unavailable_cause::facilitator_broken:
        return "facilitator_broken";
    case unavailable_cause::settlement_unknown:
        return "settlement_unknown";
    case unavailable_cause::internal:
        return "internal";
    }
    return "internal";
}

delivery_guard& delivery_guard::operator=(delivery_guard&& other) noexcept
{
    // The old content goes with `other`, which reports it at its end.
    std::swap(claims_, other.claims_);
    std::swap(key_, other.key_);
    return *this;
}

delivery_guard::~delivery_guard()
{
    if (claims_)
        claims_->undelivered(key_);
}

void delivery_guard::delivered()
{
    if (const auto claims = std::exchange(claims_, nullptr))
        claims->delivered(key_);
}

gate::gate(
    facilitator_client& facilitator,
    std::shared_ptr<claim_table> claims,
    const clock& time,
    gate_limits limits,
    settlement_chain* chain
)
    : facilitator_(facilitator), claims_(std::move(claims)), clock_(time), limits_(limits), chain_(chain)
{}

asio::awaitable<verdict> gate::pay(
    const payment& offered,
    const payment_requirement& wanted,
    std::string facilitator_url,
    claim_binding binding,
    steady_clock::time_point deadline
)
{
    binding.signature.assign(offered.signature.begin(), offered.signature.end());
    job work{
        offered,
        wanted,
        std::move(facilitator_url),
        std::move(binding),
        key_of(offered, wanted),
        std::min(deadline, steady_clock::now() + limits_.total),
    };
    // A coroutine of its own without a cancellation slot: who waits for the verdict may be cancelled, the
    // work not.
    auto executor = co_await asio::this_coro::executor;
    asio::awaitable<verdict> judging = judge(work);
    auto apart = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    verdict made = co_await asio::co_spawn(executor, std::move(judging), apart);
    count(made);
    co_return made;
}

asio::awaitable<verdict> gate::judge(job& work)
{
    std::string thrown;
    try
    {
        verdict made = co_await wait_or_own(work);
        co_return made;
    }
    catch (const std::exception& failure)
    {
        thrown = failure.what();
    }
    co_return verdict_unavailable(unavailable_cause::internal, limits_.retry_facilitator, std::move(thrown));
}

asio::awaitable<verdict> gate::wait_or_own(job& work)
{
    for (;;)
    {
        claim_answer found = claims_->begin(work.key, work.binding, work.offered.valid_before, clock_.now());
        if (found.step == claim_step::granted_again)
            co_return verdict_paid(work.key, work.offered.payer, std::move(found.receipt), true);
        if (found.step == claim_step::used)
            co_return verdict_already_used(std::move(found.receipt));
        if (found.step == claim_step::full)
            co_return verdict_unavailable(
                unavailable_cause::busy, limits_.retry_busy, "the table of claims is full"
            );
        if (found.step == claim_step::proceed)
        {
            verdict made = co_await verify_and_settle(work);
            co_return made;
        }
        if (found.step == claim_step::resolve)
        {
            verdict made = co_await resolve(work);
            co_return made;
        }

        const claim_wait waited = co_await claims_->changed(work.key, work.deadline);
        if (waited != claim_wait::changed)
            co_return verdict_unavailable(
                unavailable_cause::busy,
                limits_.retry_busy,
                waited == claim_wait::expired ? "an earlier copy of the payment is still at work"
                                              : "too many copies of the payment wait"
            );
    }
}

asio::awaitable<verdict> gate::verify_and_settle(job& work)
{
    held_claim claim(claims_, work.key, false);
    if (auto refused = time_refusal(work.offered, clock_.now()))
    {
        claim.release();
        co_return verdict_payment_required(std::move(refused->code));
    }

    if (work.left() < limits_.settle_least)
    {
        claim.release();
        co_return verdict_unavailable(
            unavailable_cause::busy, limits_.retry_busy, "no time was left to verify"
        );
    }

    const milliseconds limit = std::min(limits_.verify, work.left());
    const verify_outcome verified = co_await facilitator_.verify(work.url, work.offered, work.wanted, limit);
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
            co_return verdict_already_used(std::string());
        co_return verdict_payment_required(invalid->reason);
    }
    if (work.left() < limits_.settle_least)
    {
        claim.release();
        co_return verdict_unavailable(
            unavailable_cause::facilitator, limits_.retry_facilitator, "no time was left to settle"
        );
    }

    claim.settling();
    settle_outcome settled = co_await settle(work, limits_.settle_again + chain_share());
    bool in_doubt = false;
    if (std::holds_alternative<settle_unknown>(settled) && work.left() >= limits_.settle_least)
    {
        in_doubt = true;
        ++counters_.settle_retries;
        settled = co_await settle(work, chain_share());
    }
    verdict made = co_await ask_and_conclude(work, claim, settled, in_doubt);
    co_return made;
}

asio::awaitable<verdict> gate::resolve(job& work)
{
    held_claim claim(claims_, work.key, true);
    if (work.left() < limits_.settle_least)
        co_return verdict_unavailable(
            unavailable_cause::settlement_unknown, limits_.retry_busy, "no time was left to settle again"
        );
    ++counters_.resolutions;
    const settle_outcome settled = co_await settle(work, chain_share());
    verdict made = co_await ask_and_conclude(work, claim, settled, true);
    co_return made;
}

asio::awaitable<settle_outcome> gate::settle(job& work, milliseconds keep_back)
{
    const milliseconds left = work.left();
    const milliseconds limit = std::max(left - keep_back, std::min(left, limits_.settle_least));
    settle_outcome outcome = co_await facilitator_.settle(work.url, work.offered, work.wanted, limit);
    co_return outcome;
}

// `in_doubt`: an earlier settlement of this payment may have moved the money. Without doubt the chain is not
// asked: what the facilitator refuses at once as used may have been sold by another replica.
asio::awaitable<verdict>
gate::ask_and_conclude(job& work, held_claim& claim, const settle_outcome& outcome, bool in_doubt)
{
    const bool settled = std::holds_alternative<settle_settled>(outcome);
    const bool doubtful = in_doubt || std::holds_alternative<settle_unknown>(outcome);
    if (chain_ == nullptr || settled || !doubtful || work.left() < limits_.chain_least)
        co_return conclude(work, claim, outcome, in_doubt);

    ++counters_.chain_lookups;
    const milliseconds limit = std::min(work.left(), limits_.chain);
    const settlement_finding found = co_await chain_->find(work.offered, work.wanted, limit);
    switch (found.state)
    {
    case settlement_state::settled:
        ++counters_.chain_settled;
        co_return grant(work, claim, receipt_of(found.transaction, work.offered, work.wanted));
    case settlement_state::canceled:
    case settlement_state::used_otherwise:
        ++counters_.chain_over;
        claim.used();
        co_return verdict_already_used(std::string());
    case settlement_state::dead:
        ++counters_.chain_over;
        claim.release();
        co_return verdict_payment_required(std::string(expired_code(work.offered)));
    case settlement_state::open:
        if (!says_already_used(outcome))
            break;
        claim.unknown();
        co_return verdict_unavailable(
            unavailable_cause::settlement_unknown,
            limits_.retry_facilitator,
            "the facilitator has settled it already, the chain does not show it yet"
        );
    case settlement_state::cannot_tell:
        break;
    }
    verdict made = conclude(work, claim, outcome, in_doubt);
    if (auto* unavailable = std::get_if<verdict_unavailable>(&made); unavailable && !found.why.empty())
        unavailable->why += "; the chain: " + found.why;
    co_return made;
}

verdict gate::grant(job& work, held_claim& claim, const boost::json::object& receipt)
{
    std::string header = encode_base64(boost::json::serialize(receipt));
    claim.settled(header);
    return verdict_paid(work.key, work.offered.payer, std::move(header), false);
}

// As the facilitator or its guard asks, or else our own.
std::chrono::seconds gate::wait_for(std::chrono::seconds asked) const
{
    return asked > std::chrono::seconds(0) ? asked : limits_.retry_facilitator;
}

milliseconds gate::chain_share() const
{
    return chain_ != nullptr ? limits_.chain : milliseconds(0);
}

verdict gate::conclude(job& work, held_claim& claim, const settle_outcome& outcome, bool in_doubt)
{
    if (const auto* done = std::get_if<settle_settled>(&outcome))
        return grant(work, claim, done->receipt);

    std::string why;
    std::chrono::seconds wait{0};
    if (const auto* refused = std::get_if<settle_refused>(&outcome))
    {
        if (says_already_used(outcome) || (in_doubt && has_expired(work.offered, clock_.now())))
        {
            claim.used();
            return verdict_already_used(std::string());
        }
        if (!in_doubt)
        {
            claim.release();
            return verdict_payment_required(refused->reason);
        }
        why = "refused (" + refused->reason + ") after a settlement without an answer";
    }
    else if (const auto* unsent = std::get_if<settle_not_sent>(&outcome))
    {
        if (!in_doubt)
        {
            claim.release();
            return verdict_unavailable(
                unavailable_cause::facilitator, wait_for(unsent->retry_after), unsent->failure.message()
            );
        }
        why = unsent->failure.message();
        wait = unsent->retry_after;
    }
    else if (const auto* unknown = std::get_if<settle_unknown>(&outcome))
    {
        why = unknown->failure.message();
        wait = unknown->retry_after;
    }
    claim.unknown();
    return verdict_unavailable(unavailable_cause::settlement_unknown, wait_for(wait), std::move(why));
}

void gate::count(const verdict& made)
{
    if (const auto* paid = std::get_if<verdict_paid>(&made))
        ++(paid->again ? counters_.paid_again : counters_.paid);
    else if (std::holds_alternative<verdict_payment_required>(made))
        ++counters_.payment_required;
    else if (std::holds_alternative<verdict_already_used>(made))
        ++counters_.already_used;
    else if (const auto* unavailable = std::get_if<verdict_unavailable>(&made))
        switch (unavailable->cause)
        {
        case unavailable_cause::busy:
            ++counters_.busy;
            break;
        case unavailable_cause::facilitator:
        case unavailable_cause::facilitator_broken:
            ++counters_.facilitator_unavailable;
            break;
        case unavailable_cause::settlement_unknown:
            ++counters_.settlement_unknown;
            break;
        case unavailable_cause::internal:
            ++counters_.internal;
            break;
        }
}

}  // namespace portitor::x402
