#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/x402/facilitator.hpp>
#include <portitor/x402/match.hpp>
#include <portitor/x402/payment_store.hpp>
#include <portitor/x402/settlement_chain.hpp>
#include <portitor/x402/verdict.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace portitor::x402 {

/// What a front brings: everything that the judgement takes.
struct payment_request
{
    payment offered;
    payment_requirement wanted;       ///< today's terms of the path
    std::optional<refusal> mismatch;  ///< why the payment does not fit them (match()); empty where it does
    /// What it may be on record under: keys_of(), or key_of() alone where it fits. A payment that is new is
    /// put on record under the first.
    std::vector<payment_key> keys;
    std::string facilitator_url;
    std::string offer;  ///< "namespace/name"
    std::string offer_uid;
    std::string method;
    std::string uri;  ///< escaped path and query
    std::string request_id = {};
    bool proven = false;  ///< check_signature() said valid: the account's own key signed it
    timekeeper::time_point deadline{};
};

/// What became of the payments so far, for metrics.
struct engine_counters
{
    std::uint64_t paid = 0;
    std::uint64_t paid_again = 0;  ///< grants for a payment settled earlier
    std::uint64_t payment_required = 0;
    std::uint64_t already_used = 0;
    std::uint64_t busy = 0;
    std::uint64_t facilitator_unavailable = 0;  ///< both causes
    std::uint64_t settlement_unknown = 0;
    std::uint64_t store_away = 0;
    std::uint64_t internal = 0;
    std::uint64_t table_full = 0;        ///< of busy: there was no place for another payment
    std::uint64_t payer_full = 0;        ///< of busy: the payer had his share of the places
    std::uint64_t offer_full = 0;        ///< of busy: the offer had
    std::uint64_t tenant_full = 0;       ///< of busy: the offer's namespace had
    std::uint64_t settled_late = 0;      ///< settled after the buyer was told to come again
    std::uint64_t unproven = 0;          ///< granted on a used nonce after doubt, as nobody could tell more
    std::uint64_t unproven_refused = 0;  ///< not granted so, as its payer had his share of those
    std::uint64_t settle_retries = 0;    ///< second settlements within one request
    std::uint64_t resolutions = 0;       ///< payments in doubt that somebody took up again
    std::uint64_t chain_lookups = 0;     ///< questions to the chain about a settlement
    std::uint64_t chain_settled = 0;     ///< of these: it was settled, though nobody else said so
    std::uint64_t chain_over = 0;        ///< of these: it can never settle any more
    std::uint64_t receipts_refuted = 0;  ///< a facilitator's success that the chain contradicted
    std::uint64_t reorganised = 0;       ///< settlements that a reorganisation took back
    std::uint64_t interrupted = 0;       ///< answers whose writer died while it wrote them
    std::uint64_t lost_races = 0;        ///< changes that somebody else's came before
};

struct engine_limits
{
    /// For one payment, whatever the caller's deadline: Traefik gives up on a ForwardAuth answer at 30 s.
    std::chrono::milliseconds total{20'000};
    std::chrono::milliseconds verify{5'000};
    /// How long a settlement is waited for, whether or not its buyer still waits. Facilitators wait for the
    /// receipt themselves, on a slow chain for minutes.
    std::chrono::milliseconds settle{120'000};
    /// A settlement is not begun with less time left for its buyer.
    std::chrono::milliseconds settle_least{1'000};
    std::chrono::milliseconds chain{4'000};
    payment_validity validity = {};
    /// How long after validBefore a payment may still be settled, for all that clocks and blocks differ.
    std::chrono::seconds margin{300};
    std::chrono::seconds retry_busy{1};
    std::chrono::seconds retry_facilitator{5};
    /// Networks whose node is asked before a facilitator's success is believed. Empty: none.
    std::function<bool(std::string_view network)> check_receipts = {};
    /// How many payments of one payer are granted in a day on a used nonce alone, after doubt.
    std::uint32_t unproven_of_payer = 10;
    /// How many payments that somebody left are looked up on the chain at a time, and how many settled ones
    /// are remembered for a second look.
    std::size_t lookups = 8;
    std::size_t second_looks = 10'000;
};

/// A payment whose story is worth a line in the log.
struct payment_report
{
    enum class event : std::uint8_t
    {
        delivered,    ///< its answer was written
        undelivered,  ///< settled, and its answer was lost: the next copy gets it
        interrupted,  ///< its owner died while it wrote the answer: the next copy gets it again
        expired,      ///< its time is over, and nobody could tell what became of it
        reorganised,  ///< a reorganisation took its settlement back
        left,         ///< the process ends before it has come to an end
    };
    event what;
    const payment_record& record;  ///< with its terms, where they are known still
};
using payment_listener = std::function<void(const payment_report&)>;

class engine_core;
struct payment_work;  // one payment that is being worked on

/// A payment on record that the facilitator would settle, and that nothing was settled of. Move-only; it may
/// go on any thread, but not after the executor of its engine. One that goes without settle() is forgotten:
/// nothing was charged, and the payment stays good.
class reservation
{
public:
    reservation() = default;
    explicit reservation(std::shared_ptr<payment_work> work) : work_(std::move(work)) {}
    reservation(reservation&& other) noexcept = default;
    reservation& operator=(reservation&& other) noexcept;
    ~reservation();

    explicit operator bool() const noexcept { return work_ != nullptr; }

private:
    friend class payment_engine;

    std::shared_ptr<payment_work> work_;
};

using reserve_outcome = std::variant<verdict, reservation>;

/// Turns a payment into a verdict: reserve, settle, grant. Knows nothing of how the request came or how it is
/// answered. payment_fsm.hpp says what follows from what; this carries it out on a payment_store.
///
/// Every change is a compare-and-set on the store, on record before its effect. Whoever loses one reads again
/// and follows what is there: it never grants. Where the answer to a write is lost, it is read back before
/// anything follows. While the store is away no settlement begins and nobody is granted anything (cause
/// `store`); an outcome that is known already is kept by the store until it is back.
///
/// A settlement that began goes on in the background where its buyer's deadline comes first, and whoever
/// sends the same payment then gets the grant. Cancellation of a caller reaches no payment. No settlement
/// begins without a request that waits for it.
///
/// **What is promised depends on the store.** A durable one outlasts crashes. With a store that forgets at a
/// restart, a payment that was granted before it may be new to this process; if the facilitator then tells
/// its first success again, only a node can tell that it was mined earlier (`check_receipts`). Without that
/// such a replay is granted once more in each process, until the payment's validBefore.
///
/// One strand, its executor's. finish() before it goes, or let it outlive its executor's context.
class payment_engine
{
public:
    /// All references must outlive this; `chain` may be null. `time` judges validity, `timers` deadlines.
    struct parts
    {
        boost::asio::any_io_executor executor;
        facilitator_client& facilitator;
        payment_store& store;
        const clock& time;
        timekeeper& timers;
        settlement_chain* chain = nullptr;
        logger log = {};
        payment_listener listener = {};
    };

    explicit payment_engine(parts with, engine_limits limits = {});
    payment_engine(const payment_engine&) = delete;
    payment_engine& operator=(const payment_engine&) = delete;
    ~payment_engine();

    /// The verdict on a payment: reserve, settle and grant in a row. Ends by its deadline, and reports
    /// failures as verdicts. A payment on record is followed whatever today's terms or time say; one that is
    /// new and does not fit is asked for again, without a word on record.
    boost::asio::awaitable<verdict> pay(payment_request asked);

    /// The same in steps, for a front that sees the answer before it charges: puts it on record and verifies
    /// it. A verdict where there is nothing to settle (any more): it is over, being worked on, refused, or
    /// settled already (verdict_paid).
    boost::asio::awaitable<reserve_outcome> reserve(payment_request asked);

    /// Settles what reserve() gave. `deadline` is the buyer's, as in payment_request.
    boost::asio::awaitable<verdict> settle(reservation held, timekeeper::time_point deadline);

    /// The owner's work, until it is cancelled: says each second that it lives, looks up on the chain what
    /// somebody left (and never settles it), looks once more at what was settled, after the confirmations.
    /// Returns where the store took us for dead: nothing can be sold any more, and the process should end.
    boost::asio::awaitable<void> run();

    /// Returns when nothing is under way any more, and has then left the store. What still is at the deadline
    /// is not waited for: it is told as `left`, and whoever comes next resolves it. End run() first; one
    /// caller.
    boost::asio::awaitable<void> finish(timekeeper::time_point deadline);

    const engine_counters& counters() const noexcept;
    store_numbers numbers() const { return store_.numbers(); }
    /// How many payments this process works on, deliveries under way included.
    std::size_t under_way() const noexcept;

private:
    payment_store& store_;
    std::shared_ptr<engine_core> core_;
};

}  // namespace portitor::x402
