#include <portitor/evm/keccak.hpp>
#include <portitor/x402/claims.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace portitor::x402 {

namespace asio = boost::asio;

namespace {

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

void claim_binding::seal(const payment& offered)
{
    signed_content = fmt::format(
        "{}|{}|{}|{}|{}|{}|",
        offered.pay_to.to_string(),
        to_string(offered.value),
        offered.asset ? offered.asset->to_string() : "",
        offered.spender.to_string(),
        to_string(offered.valid_after),
        to_string(offered.valid_before)
    );
    signed_content.append(offered.signature.begin(), offered.signature.end());
}

claim_table::claim_table(claim_limits limits) : limits_(limits) {}

claim_table::digest claim_table::digest_of(const claim_binding& binding)
{
    // Lengths first, so that no two bindings read alike.
    std::string text;
    for (const std::string* each : {&binding.offer, &binding.method, &binding.uri, &binding.signed_content})
    {
        text += std::to_string(each->size());
        text += ':';
        text += *each;
    }
    return evm::keccak256(text);
}

// Where claims of this state wait to make room; null for those that never do.
claim_table::by_expiry* claim_table::list_of(state which) noexcept
{
    if (which == state::used)
        return &used_;
    return which == state::settled || which == state::unknown ? &open_ : nullptr;
}

claim_table::digest claim_table::content_of(const claim_binding& binding)
{
    return evm::keccak256(binding.signed_content);
}

bool claim_table::in_flight(state which) noexcept
{
    return which == state::verifying || which == state::settling;
}

const char* claim_table::name_of(state which) noexcept
{
    switch (which)
    {
    case state::verifying:
        return "verifying";
    case state::settling:
        return "settling";
    case state::granted:
        return "granted";
    case state::settled:
        return "undelivered";
    case state::used:
        return "used";
    case state::unknown:
        break;
    }
    return "unknown";
}

claim_answer claim_table::begin(
    const claim_key& key,
    const claim_binding& binding,
    const u256& valid_before,
    clock::time_point now,
    std::shared_ptr<const claim_terms> terms
)
{
    const auto found = claims_.find(key.text());
    if (found == claims_.end())
    {
        claim_answer out(claim_step::full);
        out.payer_full = payer_is_full(key);
        if (out.payer_full || !make_room(now))
            return out;
        claim& made = claims_[key.text()];
        made.binding = digest_of(binding);
        made.content = content_of(binding);
        made.began = unix_seconds(now);
        made.expires = expiry(valid_before, limits_.margin);
        made.terms = std::move(terms);
        ++count_of(made.state);
        count_payer(key, 1);
        out.step = claim_step::proceed;
        out.terms = made.terms;
        out.began = made.began;
        return out;
    }

    claim& known = found->second;
    // Whatever it is to buy, the outcome decides: released, the payment is free for another purchase.
    if (in_flight(known.state))
        return claim_answer(claim_step::wait);
    if (known.state == state::used || known.binding != digest_of(binding))
        return claim_answer(claim_step::used, known.receipt);
    if (known.state == state::granted)
        return claim_answer(claim_step::wait);
    if (known.state == state::settled)
    {
        enter(key, known, state::granted);
        return claim_answer(claim_step::granted_again, known.receipt);
    }
    enter(key, known, state::settling);
    claim_answer out(claim_step::resolve);
    out.terms = known.terms;
    out.history = known.history;
    out.began = known.began;
    return out;
}

claim_match claim_table::look_up(const claim_key& key, const claim_binding& binding) const
{
    const claim* known = find(key);
    if (known == nullptr)
        return claim_match::none;
    if (known->binding == digest_of(binding))
        return claim_match::same;
    return known->content == content_of(binding) ? claim_match::other : claim_match::none;
}

bool claim_table::may_be_settled(const claim_key& key) const
{
    const claim* known = find(key);
    return known != nullptr && known->state != state::verifying;
}

std::shared_ptr<const claim_terms> claim_table::terms_of(const claim_key& key) const
{
    const claim* known = find(key);
    return known != nullptr ? known->terms : nullptr;
}

void claim_table::report_left() const
{
    for (const auto& [text, each] : claims_)
        if (each.state != state::used && each.state != state::verifying)
            report(claim_report::event::left, claim_key::of_text(text), each);
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
    forget(key, *which);
}

void claim_table::settled(const claim_key& key, std::string receipt, claim_proof proof)
{
    claim* which = find_in_flight(key);
    if (which == nullptr)
        return;
    which->receipt = std::move(receipt);
    which->proof = std::move(proof);
    enter(key, *which, state::granted);
}

void claim_table::unknown(const claim_key& key, settle_history history)
{
    claim* which = find_in_flight(key);
    if (which == nullptr)
        return;
    which->history = std::move(history);
    which->history.doubt = true;
    enter(key, *which, state::unknown);
}

void claim_table::used(const claim_key& key)
{
    if (claim* which = find_in_flight(key))
        enter(key, *which, state::used);
}

void claim_table::delivered(const claim_key& key)
{
    claim* which = find_granted(key);
    if (which == nullptr)
        return;
    report(claim_report::event::delivered, key, *which);
    enter(key, *which, state::used);
}

void claim_table::undelivered(const claim_key& key)
{
    claim* which = find_granted(key);
    if (which == nullptr)
        return;
    // A buyer may drop the answer as often as he likes.
    if (!std::exchange(which->undelivered_told, true))
        report(claim_report::event::undelivered, key, *which);
    enter(key, *which, state::settled);
}

const claim_table::claim* claim_table::find(const claim_key& key) const
{
    const auto found = claims_.find(key.text());
    return found != claims_.end() ? &found->second : nullptr;
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

void claim_table::report(claim_report::event what, const claim_key& key, const claim& which) const
{
    if (listener_)
        listener_(claim_report{what, name_of(which.state), key, which.terms.get(), which.proof});
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

void claim_table::enter(const claim_key& key, claim& which, state next)
{
    if (by_expiry* list = list_of(which.state))
        list->erase(which.over);
    --count_of(which.state);
    which.state = next;
    ++count_of(next);
    if (by_expiry* list = list_of(next))
        which.over = list->emplace(which.expires, key);
    if (next == state::used)
    {
        count_payer(key, -1);
        which.terms.reset();
        which.history = settle_history();
    }
    wake(which);
}

void claim_table::forget(const claim_key& key, claim& which)
{
    by_expiry* list = list_of(which.state);
    const by_expiry::iterator place = which.over;
    if (which.state != state::used)
        count_payer(key, -1);
    --count_of(which.state);
    claims_.erase(key.text());
    // Last, because `key` may be in it.
    if (list)
        list->erase(place);
}

void claim_table::count_payer(const claim_key& key, int change)
{
    const auto at = of_payer_.try_emplace(std::string(key.payer())).first;
    at->second += static_cast<std::size_t>(change);
    if (at->second == 0)
        of_payer_.erase(at);
}

bool claim_table::payer_is_full(const claim_key& key) const
{
    const auto found = of_payer_.find(std::string(key.payer()));
    return found != of_payer_.end() && found->second >= limits_.max_of_payer;
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
    while (claims_.size() >= limits_.max_claims)
    {
        const bool any_used = !used_.empty();
        if (!any_used && (open_.empty() || open_.begin()->first >= seconds))
            return false;
        const claim_key& oldest = (any_used ? used_ : open_).begin()->second;
        claim& which = claims_.find(oldest.text())->second;
        if (!any_used)
            report(claim_report::event::forgotten, oldest, which);
        forget(oldest, which);
    }
    return true;
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
