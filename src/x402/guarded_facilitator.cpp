#include <portitor/x402/guarded_facilitator.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace portitor::x402 {

namespace asio = boost::asio;

using std::chrono::seconds;

namespace {

enum class transport
{
    answered,
    failed,
    neither,
};

transport judge_failure(const error& failure)
{
    switch (failure.code())
    {
    case errc::unavailable:
    case errc::timed_out:
    case errc::protocol:
        return transport::failed;
    default:
        return transport::neither;
    }
}

// What a call said about the facilitator, whatever it said about the payment.
struct report
{
    transport how = transport::answered;
    seconds hold{0};
};

template <typename Failure>
report report_failure(const Failure& what)
{
    // Who says when to come back is alive.
    if (what.retry_after > seconds(0))
        return {transport::neither, what.retry_after};
    return {judge_failure(what.failure), seconds(0)};
}

report report_of(const verify_outcome& outcome)
{
    const auto* down = std::get_if<verify_unavailable>(&outcome);
    return down != nullptr ? report_failure(*down) : report();
}

report report_of(const settle_outcome& outcome)
{
    if (const auto* unknown = std::get_if<settle_unknown>(&outcome))
        return report_failure(*unknown);
    if (const auto* unsent = std::get_if<settle_not_sent>(&outcome))
        return report_failure(*unsent);
    return {};
}

seconds until(timekeeper::time_point then, timekeeper::time_point now)
{
    return std::max(seconds(1), std::chrono::ceil<seconds>(then - now));
}

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
    std::size_t in_flight = 0;
    std::size_t verifies = 0;
    unsigned failed_in_a_row = 0;
    bool broken = false;   // open or half open
    bool probing = false;  // the one call that may pass is under way
    seconds open_for{0};   // when broken, how long it was opened last
    timekeeper::time_point open_until;
    timekeeper::time_point held_until;
    std::uint64_t calls = 0;
    std::uint64_t failures = 0;
    std::uint64_t rejected = 0;

    circuit_state circuit(timekeeper::time_point now) const
    {
        if (!broken)
            return circuit_state::closed;
        return now < open_until ? circuit_state::open : circuit_state::half_open;
    }

    bool forgettable(timekeeper::time_point now) const
    {
        return in_flight == 0 && !broken && failed_in_a_row == 0 && held_until <= now;
    }

    void open(timekeeper::time_point now, seconds duration)
    {
        broken = true;
        open_for = duration;
        open_until = now + duration;
        failed_in_a_row = 0;
    }

    // A call other than the probe that ends while the circuit is open began before: it tells nothing new.
    void
    take(const report& said, bool was_probe, timekeeper::time_point now, const facilitator_limits& limits)
    {
        if (said.hold > seconds(0))
            held_until = std::max(held_until, now + std::min(said.hold, limits.hold_most));
        if (said.how == transport::failed)
        {
            ++failures;
            if (was_probe)
                open(now, std::min(open_for * 2, limits.open_most));
            else if (!broken && ++failed_in_a_row >= limits.failures_to_open)
                open(now, limits.open_first);
        }
        else if (said.how == transport::answered && (was_probe || !broken))
        {
            broken = false;
            failed_in_a_row = 0;
        }
    }
};

struct guarded_facilitator::rejection
{
    const char* why = nullptr;  // null: the call may pass
    seconds wait{0};
};

// The right to one call, or why there is none. Gives its place back however the call ends.
class guarded_facilitator::permit
{
public:
    explicit permit(rejection refused) : refused_(refused) {}
    permit(std::shared_ptr<line> to, operation what, timekeeper::time_point now)
        : to_(std::move(to)), what_(what), probe_(to_->circuit(now) == circuit_state::half_open)
    {
        ++to_->calls;
        ++to_->in_flight;
        to_->verifies += what_ == operation::verify ? 1U : 0U;
        to_->probing = to_->probing || probe_;
    }
    permit(permit&& other) noexcept = default;
    permit& operator=(permit&&) = delete;
    ~permit()
    {
        if (!to_)
            return;
        --to_->in_flight;
        to_->verifies -= what_ == operation::verify ? 1U : 0U;
        if (probe_)
            to_->probing = false;
    }

    explicit operator bool() const { return to_ != nullptr; }
    seconds wait() const { return refused_.wait; }
    error failure(std::string_view what) const
    {
        return fail(errc::unavailable, "facilitator {}: not sent: {}", what, refused_.why);
    }

    void report_outcome(const report& said, timekeeper::time_point now, const facilitator_limits& limits)
    {
        to_->take(said, probe_, now, limits);
    }

private:
    std::shared_ptr<line> to_;
    rejection refused_;
    operation what_ = operation::verify;
    bool probe_ = false;
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
    permit entered = enter(url, operation::verify);
    if (!entered)
        co_return verify_unavailable(entered.failure("verify"), entered.wait());
    verify_outcome outcome =
        co_await inner_.verify(std::move(url), offered, wanted, std::move(caller), timeout);
    entered.report_outcome(report_of(outcome), time_.now(), limits_);
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
    permit entered = enter(url, operation::settle);
    if (!entered)
        co_return settle_not_sent(entered.failure("settle"), entered.wait());
    settle_outcome outcome =
        co_await inner_.settle(std::move(url), offered, wanted, std::move(caller), timeout);
    entered.report_outcome(report_of(outcome), time_.now(), limits_);
    co_return outcome;
}

std::vector<facilitator_state> guarded_facilitator::states() const
{
    const auto now = time_.now();
    std::vector<facilitator_state> out;
    out.reserve(lines_.size());
    for (const auto& [url, each] : lines_)
    {
        facilitator_state& one = out.emplace_back();
        one.url = url;
        one.in_flight = each->in_flight;
        one.circuit = each->circuit(now);
        one.held = now < each->held_until;
        one.calls = each->calls;
        one.failures = each->failures;
        one.rejected = each->rejected;
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
    return lines_.emplace(url, std::make_shared<line>()).first->second;
}

guarded_facilitator::permit guarded_facilitator::enter(const std::string& url, operation what)
{
    std::shared_ptr<line> to = line_to(url);
    if (!to)
        return permit(rejection{"too many facilitators", limits_.retry_busy});
    const rejection refused = judge(*to, what);
    if (refused.why != nullptr)
    {
        ++to->rejected;
        return permit(refused);
    }
    return {std::move(to), what, time_.now()};
}

guarded_facilitator::rejection guarded_facilitator::judge(const line& to, operation what) const
{
    const auto now = time_.now();
    if (now < to.held_until)
        return {"it asked to wait", until(to.held_until, now)};
    const circuit_state circuit = to.circuit(now);
    if (circuit == circuit_state::open)
        return {"it failed several times in a row", until(to.open_until, now)};
    if (circuit == circuit_state::half_open && to.probing)
        return {"it failed several times in a row and is being tried", limits_.retry_busy};
    if (to.in_flight >= limits_.in_flight ||
        (what == operation::verify && to.verifies >= limits_.verifies_in_flight))
        return {"too many calls are in flight", limits_.retry_busy};
    return {};
}

}  // namespace portitor::x402
