#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/x402/payment_record.hpp>

#include <boost/asio/awaitable.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// The record of payments, as its users see it: what is written before an effect, and read by whoever comes
/// next. Implementations are in ledger/; one suite of tests holds them to what is said here.
namespace portitor::x402 {

/// A payment to be put on record.
struct new_payment
{
    payment_key key;
    payment_digest digest{};
    std::uint64_t valid_before = 0;  ///< Unix seconds, as in payment_record
    std::shared_ptr<const payment_terms> terms;
    std::shared_ptr<const payment> offered;  ///< without_secrets()
};

/// Why a payment was not put on record.
enum class record_refusal : std::uint8_t
{
    payer_full,   ///< its payer has his share of open payments
    offer_full,   ///< its offer has
    tenant_full,  ///< its offer's namespace has
    full,         ///< all places are taken
    too_old,      ///< what was spent up to its validBefore is forgotten: nobody can say that it is new
};

const char* to_string(record_refusal why) noexcept;

/// It is on record now, reserved by us.
struct record_made
{
    payment_record record;
};

/// It was on record already, open or over.
struct record_found
{
    payment_record record;
    bool owner_alive = false;  ///< whoever works on it still can; false where nobody does
};

/// It was spent, and only that is remembered.
struct record_spent
{
    payment_state state = payment_state::delivered;  ///< or closed
    std::string receipt = {};                        ///< where the book still has it
};

using begin_outcome = std::variant<record_refusal, record_made, record_found, record_spent>;
using find_outcome = std::variant<std::monostate, record_found, record_spent>;  ///< monostate: not known

/// What becomes of a record. Members that are empty stay as they are.
struct payment_change
{
    explicit payment_change(payment_state to) : next(to) {}

    payment_state next;
    bool forget = false;  ///< it never was: surely nothing was or will be charged. `next` means nothing then
    bool own = false;     ///< whoever changes it works on it from now on; else nobody does
    /// Written whoever works on it, and whatever became of the writer's own ownership: what is known stays
    /// true. Compared by revision all the same.
    bool knowledge = false;
    std::optional<settle_history> history = {};
    std::optional<std::string> receipt = {};
    std::optional<payment_proof> proof = {};
    std::optional<used_cause> cause = {};
    std::optional<bool> reorganised = {};
    std::optional<bool> interrupted = {};
};

/// Done, and this is the record now (of a forgotten one: as it was).
struct change_made
{
    payment_record record;
};

/// Not done: it was changed meanwhile, or is somebody else's. What is there now says what to do.
struct change_lost
{
    find_outcome now;
};

using change_outcome = std::variant<change_lost, change_made>;

enum class record_wait : std::uint8_t
{
    changed,   ///< look again
    expired,   ///< the deadline has passed
    too_many,  ///< others wait for it already, as many as may
};

/// How many payments are in each state, and how full the store is.
struct store_numbers
{
    std::array<std::size_t, payment_states> in_state{};  ///< open ones
    std::size_t spent = 0;                               ///< of which only that is remembered
    std::size_t open_percent = 0;                        ///< of the places of open ones
    std::size_t spent_percent = 0;
    std::uint64_t low_water = 0;  ///< Unix seconds: what is valid until then at most is refused as too_old
    std::size_t unwritten = 0;    ///< known outcomes that wait until the store is back
};

/// One owner's hand on the record: a process, or a test's. Every awaitable ends in bounded time.
///
/// **Errors.** errc::unavailable: the store is away, and surely nothing was changed. errc::timed_out: the
/// answer to a write was lost; whether it was done is read back with find() before anything follows.
/// errc::canceled: this owner was taken for dead (fenced); it must not begin effects any more.
///
/// **Durability.** begin() need not outlast a crash, as nothing was sent; forget neither. A change to
/// settling, unknown, settled, delivering, closed or expired is durable when advance() returns. A change to
/// delivered is durable soon after: a crash before that leaves the payment settled.
///
/// **Outcomes while the store is away.** A change that is `knowledge` succeeds at once: it is kept in this
/// process and written when the store is back. Everything else fails as unavailable.
///
/// One strand. Cancellation of the caller does not undo what was begun.
class payment_store
{
public:
    virtual ~payment_store() = default;

    /// Our fencing token: the `owner` of the records that we work on. Never 0.
    virtual std::uint64_t owner() const = 0;

    /// Puts a payment on record, or finds it there: in one round trip.
    virtual boost::asio::awaitable<result<begin_outcome>> begin(new_payment what) = 0;

    /// The first of the keys that is known.
    virtual boost::asio::awaitable<result<find_outcome>> find(std::vector<payment_key> keys) = 0;

    /// Compare-and-set: done where the record has this revision, and is ours, or nobody's, or a dead owner's
    /// (the last two need `own`, unless the change ends the work). An over record is never changed but by
    /// `reorganised`, or an expired one by knowledge.
    virtual boost::asio::awaitable<result<change_outcome>>
    advance(payment_key key, std::uint64_t revision, payment_change change) = 0;

    /// Suspends until the record is not of this revision any more.
    virtual boost::asio::awaitable<result<record_wait>>
    changed(payment_key key, std::uint64_t revision, timekeeper::time_point deadline) = 0;

    /// Open records that need somebody: of dead owners in any state; unknown ones of anybody; of ours those
    /// whose time is over, as we may have lost sight of them; at most so many, those first that have waited
    /// longest since they were last told. What is told is not told again for some seconds.
    virtual boost::asio::awaitable<result<std::vector<payment_record>>> neglected(std::size_t most) = 0;

    /// Open records, at most so many: for the log, when a process ends. Costs what it costs.
    virtual boost::asio::awaitable<result<std::vector<payment_record>>> open(std::size_t most) = 0;

    /// Of a store that outlives its process: what was called settled within the hour before this one began,
    /// over or not, and not taken back, with terms and what was signed; the latest ones at most so many, the
    /// oldest first. Told once: the process before may have ended before it looked a second time.
    virtual boost::asio::awaitable<result<std::vector<payment_record>>> settled_before(std::size_t most) = 0;

    /// Says that this owner lives, forgets what is over and past its time, by the store's clock. To be called
    /// every second or so.
    virtual boost::asio::awaitable<result<void>> sweep() = 0;

    /// Ends this owner's work: what it still holds is a dead owner's at once.
    virtual boost::asio::awaitable<void> leave() = 0;

    /// As of now; costs nothing.
    virtual store_numbers numbers() const = 0;

    /// Why the store is away, in an operator's words; empty where it is there.
    virtual std::optional<std::string> away() const = 0;
};

}  // namespace portitor::x402
