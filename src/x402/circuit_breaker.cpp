#include "x402/circuit_breaker.hpp"

#include <algorithm>

namespace portitor::x402 {

circuit_state circuit_breaker::state(time_point now) const
{
    if (!broken_)
        return circuit_state::closed;
    return now < open_until_ ? circuit_state::open : circuit_state::half_open;
}

bool circuit_breaker::lets_pass(time_point now, bool proven) const
{
    switch (state(now))
    {
    case circuit_state::closed:
        return true;
    case circuit_state::open:
        return false;
    case circuit_state::half_open:
        break;
    }
    return now >= proven_probe_until_ && (proven || now >= other_probe_until_);
}

bool circuit_breaker::begin(time_point now, bool proven)
{
    if (state(now) != circuit_state::half_open)
        return false;
    (proven ? proven_probe_until_ : other_probe_until_) = now + limits_.first;
    return true;
}

void circuit_breaker::end_probe(bool proven)
{
    (proven ? proven_probe_until_ : other_probe_until_) = {};
}

void circuit_breaker::failed(bool was_probe, time_point now, const std::optional<evm::address>& payer)
{
    if (broken_)
    {
        // Of several probes the first one has told it.
        if (was_probe && state(now) == circuit_state::half_open)
            open(now, std::min(pause_ * 2, limits_.most));
        return;
    }
    if (payer)
    {
        if (std::find(payers_.begin(), payers_.end(), *payer) != payers_.end())
            return;
        payers_.push_back(*payer);
    }
    if (++row_ >= limits_.failures)
        open(now, limits_.first);
}

void circuit_breaker::answered(bool was_probe)
{
    if (broken_ && !was_probe)
        return;
    broken_ = false;
    row_ = 0;
    payers_.clear();
}

void circuit_breaker::open(time_point now, std::chrono::seconds pause)
{
    broken_ = true;
    pause_ = pause;
    open_until_ = now + pause;
    row_ = 0;
    payers_.clear();
}

}  // namespace portitor::x402
