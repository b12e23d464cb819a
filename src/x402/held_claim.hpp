#pragma once

#include <portitor/x402/claims.hpp>
#include <portitor/x402/facilitator.hpp>

#include <memory>
#include <utility>

namespace portitor::x402 {

/// A claim that begin() gave us, with what is known of its settlements. However its scope ends, the claim
/// does not stay in flight: an owner who never reported leaves it released as long as no settlement has
/// begun, and unknown from then on. One strand.
class held_claim
{
public:
    held_claim(std::shared_ptr<claim_table> claims, claim_key key, settle_history history)
        : claims_(std::move(claims)), key_(std::move(key)), history_(std::move(history)),
          maybe_settled_(history_.doubt)
    {}
    held_claim(const held_claim&) = delete;
    held_claim& operator=(const held_claim&) = delete;

    ~held_claim()
    {
        if (!claims_)
            return;
        if (maybe_settled_)
        {
            // Of the last one no outcome was seen.
            history_.add(settle_unknown());
            claims_->unknown(key_, std::move(history_));
        }
        else
            claims_->release(key_);
    }

    const settle_history& history() const { return history_; }
    void add(const settle_outcome& outcome) { history_.add(outcome); }

    void settling()
    {
        maybe_settled_ = true;
        claims_->settling(key_);
    }
    void release() { take()->release(key_); }
    void unknown() { take()->unknown(key_, std::move(history_)); }
    void used() { take()->used(key_); }
    void settled(std::string receipt, claim_proof proof)
    {
        take()->settled(key_, std::move(receipt), std::move(proof));
    }

private:
    std::shared_ptr<claim_table> take() { return std::exchange(claims_, nullptr); }

    std::shared_ptr<claim_table> claims_;
    claim_key key_;
    settle_history history_;
    bool maybe_settled_;
};

}  // namespace portitor::x402
