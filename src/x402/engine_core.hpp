#pragma once

#include "x402/payment_work.hpp"
#include "x402/record_writer.hpp"
#include "x402/unproven_budget.hpp"

#include <portitor/core/task_group.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace portitor::x402 {

/// What one settlement came to, and what the chain says of it.
struct settle_news
{
    settle_outcome outcome = settle_unknown();
    settlement_finding found = {};
};

/// The engine's inside. Its coroutines keep it alive, should they be destroyed with their executor after it.
class engine_core : public std::enable_shared_from_this<engine_core>
{
public:
    engine_core(payment_engine::parts with, engine_limits bounds);

    /// Works on a request beside its caller, and waits for what comes of it, until its deadline.
    boost::asio::awaitable<void> serve(std::shared_ptr<payment_work> work, bool resume);

    /// The front gives a reservation back; a delivery was written or not. On any thread.
    void drop(std::shared_ptr<payment_work> work);
    void tell(std::shared_ptr<payment_work> work, bool written);

    boost::asio::awaitable<void> run();
    boost::asio::awaitable<void> finish(timekeeper::time_point deadline);

    /// What a request is told, once it was served.
    verdict verdict_for(payment_work& work);
    /// The engine is gone: what is told from now on is told to nobody.
    void close() noexcept { closed_ = true; }

    const payment_engine::parts on;
    const engine_limits limits;
    engine_counters counters;
    work_list working;

private:
    using work_ptr = std::shared_ptr<payment_work>;

    void count(const verdict& made);

    // payment_following.cpp: a request, from the record to the settlement.
    boost::asio::awaitable<void> work_on(work_ptr work, bool resume);
    boost::asio::awaitable<std::optional<verdict>> begin(payment_work& work);
    boost::asio::awaitable<std::optional<verdict>> follow(payment_work& work, find_outcome found);
    boost::asio::awaitable<std::optional<verdict>> follow_record(payment_work& work, record_found found);
    boost::asio::awaitable<std::optional<verdict>> wait(payment_work& work, const payment_record& known);
    boost::asio::awaitable<std::optional<verdict>> restart(const payment_record& known);
    boost::asio::awaitable<std::optional<verdict>> hand_out(payment_work& work, payment_record known);
    boost::asio::awaitable<std::optional<verdict>> take_up(payment_work& work, payment_record known);
    boost::asio::awaitable<std::optional<verdict>> look_again(payment_work& work, payment_record known);
    std::optional<verdict> judge_locally(const payment_work& work) const;
    verdict refused_record(record_refusal why, const payment& offered);
    bool is_taken(const record_found& found) const;

    // payment_settling.cpp: what is ours, from the verification to the grant.
    boost::asio::awaitable<std::optional<verdict>> verify(payment_work& work);
    boost::asio::awaitable<std::optional<verdict>> begin_settling(payment_work& work);
    boost::asio::awaitable<std::optional<verdict>> settle(payment_work& work, bool only_once);
    boost::asio::awaitable<std::optional<verdict>> resolve(payment_work& work);
    boost::asio::awaitable<std::optional<verdict>>
    conclude(payment_work& work, ruling ruled, settle_news news);
    boost::asio::awaitable<std::optional<verdict>> grant(payment_work& work, payment_change change);
    boost::asio::awaitable<bool> keep_knowledge(payment_record known, payment_change change);
    boost::asio::awaitable<record_write> give_up(payment_work& work, payment_event why);
    boost::asio::awaitable<record_write> forget(payment_record record);
    boost::asio::awaitable<settlement_finding> ask_chain(const payment_record& record);
    boost::asio::awaitable<settlement_finding> ask_for_receipt(const payment_work& work);
    void give_up_later(payment_record record);
    payment_change change_of(ruling ruled, const payment_record& record, const settle_news& news) const;
    verdict verdict_of(ruling ruled, const payment_work& work, const settle_news& news) const;
    verdict_paid paid(payment_work& work);
    std::optional<verdict> not_written(record_write done, unavailable_cause late = unavailable_cause::store);
    verdict without_store(std::string why, unavailable_cause late = unavailable_cause::store) const;
    std::chrono::seconds wait_for(std::chrono::seconds asked) const;
    std::chrono::milliseconds left(const payment_work& work) const;
    bool validity_is_over(std::uint64_t valid_before, std::chrono::seconds since) const;
    bool checks_receipts(std::string_view network) const;
    /// How long a settlement takes to have its confirmations; nothing where no node of the network is known.
    std::optional<std::chrono::seconds> confirmation_time(std::string_view network) const;
    bool has_node(std::string_view network) const { return confirmation_time(network).has_value(); }

    // payment_keeping.cpp: deliveries, what somebody left, and second looks.
    boost::asio::awaitable<void> unreserve(work_ptr work);
    boost::asio::awaitable<void> report(work_ptr work, bool written);
    boost::asio::awaitable<void> forget_later(payment_record record);
    boost::asio::awaitable<bool> round();
    boost::asio::awaitable<void> look_after(payment_record record);
    boost::asio::awaitable<void> resolve_left(payment_record record);
    bool died_delivering(const payment_record& record) const;
    void tell_interrupted(const payment_record& record);
    void look_later(const payment_record& record);
    boost::asio::awaitable<void> inherit_second_looks();
    void begin_second_looks();
    boost::asio::awaitable<void> look_twice(std::size_t attempt, payment_record record);
    boost::asio::awaitable<void> take_back(payment_record record);
    boost::asio::awaitable<void> report_left();
    bool is_due(const payment_key& key);
    bool may_try(const payment_key& key);
    void tell_listener(payment_report::event what, const payment_record& record) const;

    struct second_look
    {
        timekeeper::time_point due;
        std::size_t attempt = 0;
        payment_record record;
    };
    struct backoff_of_one
    {
        timekeeper::time_point due;
        std::chrono::seconds pause{0};
    };

    struct tries_of_one
    {
        timekeeper::time_point since;
        unsigned count = 0;
    };

    task_group tasks_;
    unproven_budget unproven_;
    bool closed_ = false;
    std::size_t looking_ = 0;  // look-ups in the background
    std::deque<second_look> second_looks_;
    bool inherited_ = false;  // second looks of the process before
    std::unordered_map<std::string, backoff_of_one> backoffs_;
    std::unordered_map<std::string, tries_of_one> tries_;
};

/// The code of a payment whose time is over.
std::string_view expired_code(const payment& offered);

/// The receipt of a settlement that the facilitator gave none for, as a header's value. The transaction may
/// be empty.
std::string
receipt_of(const std::string& transaction, const payment& offered, const payment_requirement& wanted);

}  // namespace portitor::x402
