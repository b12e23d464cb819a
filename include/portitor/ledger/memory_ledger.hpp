#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/ledger/limits.hpp>
#include <portitor/x402/payment_store.hpp>

#include <cstddef>
#include <memory>

namespace portitor::ledger {

class record_table;

/// The record of payments in memory: what it holds is gone with the process. One strand.
class memory_ledger
{
public:
    /// Both must outlive the sessions.
    memory_ledger(const clock& wall_clock, timekeeper& time, limits bounds = {});
    ~memory_ledger();

    /// A new owner's hand on it, with a token greater than all before. It may outlive this object. One that
    /// is destroyed without leave() is a dead owner once its lease is over.
    std::unique_ptr<x402::payment_store> open();

    /// About what it takes of memory.
    std::size_t bytes() const noexcept;

private:
    std::shared_ptr<record_table> table_;
    timekeeper& time_;
};

}  // namespace portitor::ledger
