#include <portitor/evm/keccak.hpp>
#include <portitor/x402/claims.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace portitor::x402 {

namespace asio = boost::asio;

namespace {

constexpr std::string_view permit2_contract = "0x000000000022d473030f116ddee9f6b43ac78ba3";

std::uint64_t unix_seconds(clock::time_point time)
{
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    return seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds);
}

// A payment may be valid for longer than the universe.
std::uint64_t expiry(const u256& valid_before, std::chrono::seconds margin)
{
    constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max() / 2;
    const std::uint64_t end = valid_before < never ? static_cast<std::uint64_t>(valid_before) : never;
    return end + static_cast<std::uint64_t>(margin.count());
}

}  // namespace

claim_key::claim_key(
    std::string_view network, std::string_view asset, std::string_view payer, std::string_view nonce
)
    : text_(fmt::format("{}|{}|{}|{}", network, asset, payer, nonce))
{}

claim_key key_of(const payment& offered, const payment_requirement& wanted)
{
    const auto asset = evm::address::parse(wanted.asset);
    const std::string payer = offered.payer.to_string();
    if (offered.kind == payment_kind::permit2)
        return {wanted.network, permit2_contract, payer, offered.nonce};
    return {wanted.network, asset ? asset->to_string() : wanted.asset, payer, offered.nonce};
}

claim_table::claim_table(claim_limits limits) : limits_(limits) {}

claim_table::digest claim_table::digest_of(const claim_binding& binding)
{
    // Lengths first, so that no two bindings read alike.
    std::string text;
    for (const std::string* each : {&binding.offer, &binding.method, &binding.uri, &binding.signature})
    {
        text += std::to_string(each->size());
        text += ':';
        text += *each;
    }
    return evm::keccak256(text);
}

bool claim_table::evictable(state which) noexcept
{
    return which == state::settled || which == state::used || which == state::unknown;
}

bool claim_table::in_flight(state which) noexcept
{
    return which == state::verifying || which == state::settling;
}

claim_answer claim_table::begin(
    const claim_key& key, const claim_binding& binding, const u256& valid_before, clock::time_point now
)
{
    const auto found = claims_.find(key.text());
    if (found == claims_.end())
    {
        if (!make_room(now))
            return claim_answer(claim_step::full);
        claim& made = claims_[key.text()];
        made.binding = digest_of(binding);
        made.expires = expiry(valid_before, limits_.margin);
        ++count_of(made.state);
        return claim_answer(claim_step::proceed);
    }

    claim& known = found->second;
    // Whatever it is to buy, the outcome decides: released, the payment is free for another purchase.
    if (in_flight(known.state))
        return claim_answer(claim_step::wait);
    if (known.state == state::used || known.binding != digest_of(binding))
        return claim_answer(claim_step::used, known.receipt);
    switch (known.state)
    {
    case state::granted:
        return claim_answer(claim_step::wait);
    case state::settled:
        enter(found->first, known, state::granted);
        return claim_answer(claim_step::granted_again, known.receipt);
    case state::unknown:
        enter(found->first, known, state::settling);
        return claim_answer(claim_step::resolve);
    case state::verifying:
    case state::settling:
    case state::used:
        break;
    }
    return claim_answer(claim_step::used, known.receipt);
}

void claim_table::settling(const claim_key& key)
{
    claim* which = find_in_flight(key);
    if (which == nullptr)
        return;
    // Who waits need not know.
    --count_of(which->state);
    which->state = state::settling;
    ++count_of(which->state);
}

void claim_table::release(const claim_key& key)
{
    claim* which = find_in_flight(key);
    if (which == nullptr)
        return;
    wake(*which);
    --count_of(which->state);
    claims_.erase(key.text());
}

void claim_table::settled(const claim_key& key, std::string receipt)
{
    claim* which = find_in_flight(key);
    if (which == nullptr)
        return;
    which->receipt = std::move(receipt);
    enter(key.text(), *which, state::granted);
}

void claim_table::unknown(const claim_key& key)
{
    if (claim* which = find_in_flight(key))
        enter(key.text(), *which, state::unknown);
}

void claim_table::used(const claim_key& key)
{
    if (claim* which = find_in_flight(key))
        enter(key.text(), *which, state::used);
}

void claim_table::delivered(const claim_key& key)
{
    if (claim* which = find_granted(key))
        enter(key.text(), *which, state::used);
}

void claim_table::undelivered(const claim_key& key)
{
    if (claim* which = find_granted(key))
        enter(key.text(), *which, state::settled);
}

claim_table::claim* claim_table::find_in_flight(const claim_key& key)
{
    const auto found = claims_.find(key.text());
    return found != claims_.end() && in_flight(found->second.state) ? &found->second : nullptr;
}

claim_table::claim* claim_table::find_granted(const claim_key& key)
{
    const auto found = claims_.find(key.text());
    return found != claims_.end() && found->second.state == state::granted ? &found->second : nullptr;
}

std::size_t& claim_table::count_of(state which) noexcept
{
    return in_state_[static_cast<std::size_t>(which)];
}

claim_counts claim_table::counts() const noexcept
{
    const auto in = [this](state which) { return in_state_[static_cast<std::size_t>(which)]; };
    claim_counts out;
    out.verifying = in(state::verifying);
    out.settling = in(state::settling);
    out.granted = in(state::granted);
    out.undelivered = in(state::settled);
    out.used = in(state::used);
    out.unknown = in(state::unknown);
    return out;
}

void claim_table::enter(const std::string& key, claim& which, state next)
{
    if (evictable(which.state))
        over_.erase(which.over);
    --count_of(which.state);
    which.state = next;
    ++count_of(next);
    if (evictable(next))
        which.over = over_.emplace(which.expires, key);
    wake(which);
}

void claim_table::wake(claim& which)
{
    if (!which.waiting)
        return;
    for (waiter* each : *which.waiting)
    {
        each->woken = true;
        each->timer->cancel();
    }
    which.waiting.reset();
}

bool claim_table::make_room(clock::time_point now)
{
    const std::uint64_t seconds = unix_seconds(now);
    while (claims_.size() >= limits_.max_claims && !over_.empty() && over_.begin()->first < seconds)
    {
        const auto oldest = claims_.find(over_.begin()->second);
        --count_of(oldest->second.state);
        claims_.erase(oldest);
        over_.erase(over_.begin());
    }
    return claims_.size() < limits_.max_claims;
}

asio::awaitable<claim_wait>
claim_table::changed(claim_key key, std::chrono::steady_clock::time_point deadline)
{
    const auto found = claims_.find(key.text());
    if (found == claims_.end())
        co_return claim_wait::changed;
    claim& which = found->second;
    if (!in_flight(which.state) && which.state != state::granted)
        co_return claim_wait::changed;
    if (!which.waiting)
        which.waiting = std::make_shared<waiters>();
    const std::shared_ptr<waiters> queue = which.waiting;
    if (queue->size() >= limits_.max_waiters)
        co_return claim_wait::too_many;

    asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
    waiter self;
    self.timer = &timer;
    // Leaves the queue however this coroutine ends, destruction with its executor included.
    struct place
    {
        waiters& queue;
        waiters::iterator at;
        ~place() { queue.erase(at); }
    } const held{*queue, queue->insert(queue->end(), &self)};
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return self.woken ? claim_wait::changed : claim_wait::expired;
}

}  // namespace portitor::x402
