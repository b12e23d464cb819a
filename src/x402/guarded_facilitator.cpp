#include "x402/circuit_breaker.hpp"
#include "x402/fair_places.hpp"
#include "x402/held_callers.hpp"

#include <portitor/x402/guarded_facilitator.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace portitor::x402 {

namespace asio = boost::asio;

using std::chrono::seconds;
using trouble = facilitator_trouble;

namespace {

// What a call said about the facilitator, whatever it said about the payment.
struct report
{
    bool judged = false;   // it answered as a facilitator does
    bool reached = false;  // something was there
    trouble wrong = trouble::none;
    seconds hold{0};
};

template <typename Failure>
report report_failure(const Failure& what)
{
    report out;
    out.wrong = what.trouble;
    out.hold = what.retry_after;
    const errc code = what.failure.code();
    out.reached = what.trouble == trouble::none ? out.hold > seconds(0) || code == errc::refused
                                                : what.trouble != trouble::unreached;
    return out;
}

report answered()
{
    report out;
    out.judged = true;
    out.reached = true;
    return out;
}

report report_of(const verify_outcome& outcome)
{
    const auto* down = std::get_if<verify_unavailable>(&outcome);
    return down != nullptr ? report_failure(*down) : answered();
}

report report_of(const settle_outcome& outcome)
{
    if (const auto* unknown = std::get_if<settle_unknown>(&outcome))
        return report_failure(*unknown);
    if (const auto* unsent = std::get_if<settle_not_sent>(&outcome))
        return report_failure(*unsent);
    return answered();
}

void count(facilitator_state& in, trouble wrong)
{
    in.unreached += wrong == trouble::unreached ? 1U : 0U;
    in.slow += wrong == trouble::slow ? 1U : 0U;
    in.no_answer += wrong == trouble::no_answer ? 1U : 0U;
    in.redirects += wrong == trouble::redirect ? 1U : 0U;
    in.credentials += wrong == trouble::credentials ? 1U : 0U;
}

seconds until(timekeeper::time_point then, timekeeper::time_point now)
{
    return std::max(seconds(1), std::chrono::ceil<seconds>(then - now));
}

struct rejection
{
    const char* why;
    seconds wait;
};

}  // namespace

const char* to_string(circuit_state state) noexcept
{
    switch (state)
    {
    case circuit_state::closed:
        return "closed";
    case circuit_state::open:
        return "open";
    case circuit_state::half_open:
        return "half_open";
    }
    return "closed";
}

// One facilitator.
struct guarded_facilitator::line
{
    explicit line(const facilitator_limits& bounds)
        : limits(bounds), verifies(limits.verifies_in_flight), settles(limits.settles_in_flight),
          circuit(circuit_limits()), held_verifies(limits.holds), held_settles(limits.holds)
    {}

    circuit_breaker::limits circuit_limits() const
    {
        return {limits.failures_to_open, limits.open_first, limits.open_most};
    }

    // Null where there are too many to know another.
    std::shared_ptr<circuit_breaker> circuit_of(const std::string& offer)
    {
        const auto known = offers.find(offer);
        if (known != offers.end())
            return known->second;
        if (offers.size() >= limits.offers)
            std::erase_if(offers, [](const auto& each) { return each.second->forgettable(); });
        if (offers.size() >= limits.offers)
            return nullptr;
        return offers.emplace(offer, std::make_shared<circuit_breaker>(circuit_limits())).first->second;
    }

    fair_places& places(bool of_settles) { return of_settles ? settles : verifies; }

    timekeeper::time_point held_until(const facilitator_caller& caller, bool settling) const
    {
        const auto by_settles = held_settles.held_until(caller);
        // What cannot be settled had better not be verified.
        return settling ? by_settles : std::max(by_settles, held_verifies.held_until(caller));
    }

    bool forgettable(timekeeper::time_point now) const
    {
        return verifies.taken() == 0 && settles.taken() == 0 && circuit.forgettable() &&
               held_verifies.idle(now) && held_settles.idle(now) &&
               std::all_of(offers.begin(), offers.end(), [](const auto& each) {
                   return each.second->forgettable();
               });
    }

    facilitator_limits limits;
    fair_places verifies;
    fair_places settles;
    circuit_breaker circuit;
    std::map<std::string, std::shared_ptr<circuit_breaker>> offers;
    held_callers held_verifies;
    held_callers held_settles;
    facilitator_state seen;  // its counts
};

// The right to one call, or why there is none. Gives its place back however the call ends.
class guarded_facilitator::permit
{
public:
    explicit permit(rejection refused) : refused_(refused) {}
    permit(
        std::shared_ptr<line> to,
        std::shared_ptr<circuit_breaker> offer,
        facilitator_caller caller,
        bool settles,
        timekeeper::time_point now
    )
        : to_(std::move(to)), offer_(std::move(offer)), caller_(std::move(caller)), settles_(settles),
          probes_all_(to_->circuit.begin(now, caller_.proven)),
          probes_offer_(offer_ && offer_->begin(now, caller_.proven))
    {
        ++to_->seen.calls;
        to_->places(settles_).take(caller_);
    }
    permit(permit&& other) noexcept = default;
    permit& operator=(permit&&) = delete;
    ~permit()
    {
        if (!to_)
            return;
        to_->places(settles_).give_back(caller_);
        if (probes_all_)
            to_->circuit.end_probe(caller_.proven);
        if (probes_offer_)
            offer_->end_probe(caller_.proven);
    }

    explicit operator bool() const { return to_ != nullptr; }
    seconds wait() const { return refused_.wait; }
    error failure(std::string_view what) const
    {
        return fail(errc::unavailable, "facilitator {}: not sent: {}", what, refused_.why);
    }

    void take(const report& said, timekeeper::time_point now)
    {
        count(to_->seen, said.wrong);
        if (said.hold > seconds(0))
            (settles_ ? to_->held_settles : to_->held_verifies)
                .hold(caller_, now + std::min(said.hold, to_->limits.hold_most), now);
        if (said.reached)
            to_->circuit.answered(probes_all_);
        else if (said.wrong == trouble::unreached)
            to_->circuit.failed(probes_all_, now, std::nullopt);
        if (!offer_)
            return;
        if (said.judged)
            offer_->answered(probes_offer_);
        else if ((said.wrong == trouble::slow || said.wrong == trouble::no_answer) && caller_.proven)
            offer_->failed(probes_offer_, now, caller_.payer);
    }

private:
    std::shared_ptr<line> to_;
    std::shared_ptr<circuit_breaker> offer_;
    facilitator_caller caller_;
    rejection refused_{};
    bool settles_ = false;
    bool probes_all_ = false;
    bool probes_offer_ = false;
};

guarded_facilitator::guarded_facilitator(
    facilitator_client& inner, const timekeeper& time, const facilitator_limits& limits
)
    : inner_(inner), time_(time), limits_(limits)
{}

guarded_facilitator::~guarded_facilitator() = default;

asio::awaitable<verify_outcome> guarded_facilitator::verify(
    std::string url,
    const payment& offered,
    const payment_requirement& wanted,
    facilitator_caller caller,
    std::chrono::milliseconds timeout
)
{
    permit entered = enter(url, caller, false);
    if (!entered)
        co_return verify_unavailable(entered.failure("verify"), entered.wait());
    verify_outcome outcome =
        co_await inner_.verify(std::move(url), offered, wanted, std::move(caller), timeout);
    entered.take(report_of(outcome), time_.now());
    co_return outcome;
}

asio::awaitable<settle_outcome> guarded_facilitator::settle(
    std::string url,
    const payment& offered,
    const payment_requirement& wanted,
    facilitator_caller caller,
    std::chrono::milliseconds timeout
)
{
    permit entered = enter(url, caller, true);
    if (!entered)
        co_return settle_not_sent(entered.failure("settle"), entered.wait());
    settle_outcome outcome =
        co_await inner_.settle(std::move(url), offered, wanted, std::move(caller), timeout);
    entered.take(report_of(outcome), time_.now());
    co_return outcome;
}

std::vector<facilitator_state> guarded_facilitator::states() const
{
    const auto now = time_.now();
    std::vector<facilitator_state> out;
    out.reserve(lines_.size());
    for (const auto& [url, each] : lines_)
    {
        facilitator_state& one = out.emplace_back(each->seen);
        one.url = url;
        one.in_flight = each->verifies.taken() + each->settles.taken();
        one.circuit = each->circuit.state(now);
        one.held = each->held_verifies.holds_everybody(now) || each->held_settles.holds_everybody(now);
        one.offers_open = static_cast<std::size_t>(std::count_if(
            each->offers.begin(),
            each->offers.end(),
            [now](const auto& offer) { return offer.second->state(now) != circuit_state::closed; }
        ));
    }
    return out;
}

// Null where there are too many facilitators in trouble or at work to know another.
std::shared_ptr<guarded_facilitator::line> guarded_facilitator::line_to(const std::string& url)
{
    const auto known = lines_.find(url);
    if (known != lines_.end())
        return known->second;
    if (lines_.size() >= limits_.facilitators)
    {
        const auto now = time_.now();
        std::erase_if(lines_, [now](const auto& each) { return each.second->forgettable(now); });
    }
    if (lines_.size() >= limits_.facilitators)
        return nullptr;
    return lines_.emplace(url, std::make_shared<line>(limits_)).first->second;
}

guarded_facilitator::permit
guarded_facilitator::enter(const std::string& url, const facilitator_caller& caller, bool settles)
{
    std::shared_ptr<line> to = line_to(url);
    if (!to)
        return permit(rejection{"too many facilitators", limits_.retry_busy});
    const auto now = time_.now();
    if (const auto held = to->held_until(caller, settles); now < held)
    {
        ++to->seen.rejected_held;
        return permit(rejection{"it asked to wait", until(held, now)});
    }
    std::shared_ptr<circuit_breaker> offer = to->circuit_of(caller.offer);
    for (const circuit_breaker* each : {&to->circuit, offer.get()})
    {
        if (each == nullptr || each->lets_pass(now, caller.proven))
            continue;
        ++to->seen.rejected_open;
        if (each->state(now) == circuit_state::open)
            return permit(rejection{"it failed several times in a row", until(each->open_until(), now)});
        return permit(rejection{"it failed several times in a row and is being tried", limits_.retry_busy});
    }
    if (!to->places(settles).has_one_for(caller))
    {
        ++to->seen.rejected_busy;
        return permit(rejection{"too many calls are in flight", limits_.retry_busy});
    }
    return {std::move(to), std::move(offer), caller, settles, now};
}

}  // namespace portitor::x402
