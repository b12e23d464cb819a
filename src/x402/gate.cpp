#include <portitor/x402/gate.hpp>

#include <portitor/core/task_group.hpp>
#include <portitor/x402/base64.hpp>
#include <portitor/x402/match.hpp>

#include <boost/json/serialize.hpp>

namespace portitor::x402 {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds total_budget(20);
constexpr std::chrono::milliseconds verify_budget(5000);
constexpr std::chrono::milliseconds settle_budget(10000);
// A settlement that is pending needs a moment before its outcome can be asked for.
constexpr std::chrono::milliseconds settle_pause(500);

std::chrono::milliseconds left_until(std::chrono::steady_clock::time_point until)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
}

std::string receipt_header_of(const boost::json::object* receipt)
{
    return receipt ? encode_base64(boost::json::serialize(*receipt)) : std::string();
}

/// Holds a claim while it is worked on. However the work ends, the claim is not left in flight.
class claim_guard
{
public:
    claim_guard(claim_table& claims, std::string key, bool may_be_settled)
        : claims_(claims), key_(std::move(key)), may_be_settled_(may_be_settled)
    {
    }
    claim_guard(const claim_guard&) = delete;
    claim_guard& operator=(const claim_guard&) = delete;
    ~claim_guard()
    {
        if (concluded_)
            return;
        if (may_be_settled_)
            claims_.unknown(key_);
        else
            claims_.release(key_);
    }

    void settlement_starts() { may_be_settled_ = true; }
    void surely_not_settled() { may_be_settled_ = false; }
    void settled(boost::json::object receipt)
    {
        claims_.settled(key_, std::move(receipt));
        concluded_ = true;
    }
    void spent()
    {
        claims_.spent(key_);
        concluded_ = true;
    }

private:
    claim_table& claims_;
    std::string key_;
    bool may_be_settled_;
    bool concluded_ = false;
};

}  // namespace

struct gate::work
{
    const payment& offered;
    const payment_requirement& wanted;
    const std::string& url;
    const std::string& key;
    deadline until;
};

asio::awaitable<verdict> gate::pay(
    const payment& offered, const payment_requirement& wanted, std::string facilitator_url, claim_binding binding
)
{
    // Without a nonce that we can read a payment cannot be told from its copies.
    if (offered.kind == payment_kind::other)
        co_return not_paid("unsupported_scheme");
    const std::string key = claim_key(offered, wanted);
    const work todo{offered, wanted, facilitator_url, key, std::chrono::steady_clock::now() + total_budget};
    for (;;)
    {
        const auto begun = claims_.begin(key, binding, offered.valid_before, time_.now());
        switch (begun)
        {
        case claim_table::start::proceed: co_return co_await verify_and_settle(todo);
        case claim_table::start::resolve: co_return co_await settle(todo, true);
        case claim_table::start::granted: on_step_("claim", "granted_again"); co_return grant(key, offered);
        case claim_table::start::used:
            on_step_("claim", "used");
            co_return already_used(receipt_header_of(claims_.receipt(key)));
        case claim_table::start::full: on_step_("claim", "full"); co_return unavailable("too many payments at once");
        case claim_table::start::busy:
            on_step_("claim", "busy");
            co_return unavailable("too many copies of this payment at once");
        case claim_table::start::wait: break;
        }
        const bool moved = co_await claims_.changed(key, todo.until);
        if (!moved)
            co_return unavailable("a copy of this payment is still being settled");
    }
}

asio::awaitable<verdict> gate::verify_and_settle(const work& todo)
{
    {
        claim_guard guard(claims_, todo.key, false);
        if (const auto refused = time_refusal(todo.offered, time_.now()))
            co_return not_paid(refused->code);
        const auto limit = std::min(verify_budget, left_until(todo.until));
        const verify_outcome outcome = co_await facilitator_.verify(todo.url, todo.offered, todo.wanted, limit);
        if (const auto* invalid = std::get_if<verify_invalid>(&outcome))
        {
            on_step_("verify", "invalid");
            if (says_already_used(invalid->reason))
                co_return already_used(std::string());
            co_return not_paid(invalid->reason);
        }
        if (!std::holds_alternative<verify_valid>(outcome))
        {
            on_step_("verify", "unavailable");
            co_return unavailable("the facilitator cannot be asked");
        }
        on_step_("verify", "valid");
        // From here on settle() answers for the claim.
        guard.settlement_starts();
        co_return co_await settle(todo, false);
    }
}

asio::awaitable<verdict> gate::settle(const work& todo, bool outcome_was_unknown)
{
    claim_guard guard(claims_, todo.key, true);
    bool unknown = outcome_was_unknown;
    for (int attempt = 0; attempt < 2; ++attempt)
    {
        const auto limit = std::min(settle_budget, left_until(todo.until));
        if (limit.count() <= 0)
            break;
        settle_outcome outcome = co_await facilitator_.settle(todo.url, todo.offered, todo.wanted, limit);
        if (auto* done = std::get_if<settle_settled>(&outcome))
        {
            on_step_("settle", "settled");
            guard.settled(std::move(done->receipt));
            co_return grant(todo.key, todo.offered);
        }
        if (const auto* refused = std::get_if<settle_refused>(&outcome))
        {
            on_step_("settle", "refused");
            if (says_already_used(refused->reason) || unknown)
            {
                // Spent by an attempt of ours or by somebody else's: without a receipt there is nothing to hand out,
                // and nobody is asked to pay a second time.
                guard.spent();
                co_return already_used(std::string());
            }
            guard.surely_not_settled();
            co_return not_paid(refused->reason);
        }
        if (std::holds_alternative<settle_not_sent>(outcome) && !unknown)
        {
            on_step_("settle", "not_sent");
            guard.surely_not_settled();
            co_return unavailable("the facilitator cannot be reached");
        }
        on_step_("settle", "unknown");
        unknown = true;
        if (attempt == 0)
            co_await sleep_for(settle_pause);
    }
    co_return unavailable("the outcome of the settlement is not known yet; send the same payment again");
}

verdict gate::grant(const std::string& key, const payment& offered) const
{
    const boost::json::object* receipt = claims_.receipt(key);
    paid out;
    out.claim = key;
    out.payer = offered.payer.to_string();
    out.receipt_header = receipt_header_of(receipt);
    if (const auto* hash = receipt ? receipt->if_contains("transaction") : nullptr; hash && hash->is_string())
        out.transaction = std::string(hash->get_string());
    return out;
}

}  // namespace portitor::x402
