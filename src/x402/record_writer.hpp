#pragma once

#include <portitor/x402/payment_store.hpp>

#include <string>

namespace portitor::x402 {

/// What came of a write, once that is known.
enum class write_result : std::uint8_t
{
    done,
    lost,  ///< somebody else's change came first
    away,  ///< the store is away, or we are fenced: nothing may follow from it
};

struct record_write
{
    write_result came = write_result::away;
    payment_record record = {};  ///< of done: as it is now; of a forgotten one: as it was
    find_outcome now = {};       ///< of lost
    std::string why = {};        ///< of away
};

/// Writes a compare-and-set from `before` on, which this process alone works on. Where the answer is lost it
/// is read back, and written again if it was not done.
boost::asio::awaitable<record_write>
write(payment_store& store, const payment_record& before, payment_change change);

/// A payment put on record, or found there; as payment_store::begin(), but for a lost answer, which is read
/// back: what is then there as reserved by this owner is the one just made, so only one request of an owner
/// may begin a payment at a time.
boost::asio::awaitable<result<begin_outcome>> put_on_record(payment_store& store, new_payment what);

}  // namespace portitor::x402
