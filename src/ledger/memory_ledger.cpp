#include "ledger/record_table.hpp"

#include <portitor/ledger/memory_ledger.hpp>

#include <utility>

namespace portitor::ledger {

namespace asio = boost::asio;

using namespace x402;

namespace {

class session final : public payment_store
{
public:
    session(std::shared_ptr<record_table> table, const clock& wall_clock, timekeeper& time)
        : table_(std::move(table)), clock_(wall_clock), time_(time),
          owner_(table_->all_owners().join(clock_.now()))
    {}
    ~session() override { table_->all_owners().abandon(owner_); }
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    std::uint64_t owner() const override { return owner_; }

    asio::awaitable<result<begin_outcome>> begin(new_payment what) override
    {
        if (!may_act())
            co_return fenced();
        co_return table_->begin(owner_, std::move(what));
    }

    asio::awaitable<result<find_outcome>> find(std::vector<payment_key> keys) override
    {
        for (const payment_key& each : keys)
        {
            find_outcome found = table_->find(owner_, each);
            if (!std::holds_alternative<std::monostate>(found))
                co_return found;
        }
        co_return find_outcome();
    }

    asio::awaitable<result<change_outcome>>
    advance(payment_key key, std::uint64_t revision, payment_change change) override
    {
        if (!change.knowledge && !may_act())
            co_return fenced();
        record_table::plan_outcome plan = table_->plan(owner_, key, revision, change);
        if (auto* lost = std::get_if<change_lost>(&plan))
            co_return change_outcome(std::move(*lost));
        co_return change_outcome(table_->apply(std::move(std::get<record_table::planned>(plan))));
    }

    asio::awaitable<result<record_wait>>
    changed(payment_key key, std::uint64_t revision, timekeeper::time_point deadline) override
    {
        const std::shared_ptr<wait_queue> queue = table_->waiting_for(key, revision);
        if (!queue)
            co_return record_wait::changed;
        if (queue->size() >= table_->bounds().max_waiters)
            co_return record_wait::too_many;
        const bool woken = co_await wait_queue::wait(queue, time_, deadline);
        co_return woken ? record_wait::changed : record_wait::expired;
    }

    asio::awaitable<result<std::vector<payment_record>>> neglected(std::size_t most) override
    {
        if (!may_act())
            co_return fenced();
        co_return table_->neglected(owner_, most);
    }

    asio::awaitable<result<std::vector<payment_record>>> open(std::size_t most) override
    {
        co_return table_->open_records(most);
    }

    asio::awaitable<result<std::vector<payment_record>>> settled_before(std::size_t) override
    {
        co_return std::vector<payment_record>();
    }

    asio::awaitable<result<void>> sweep() override
    {
        if (!may_act())
            co_return fenced();
        table_->all_owners().renew(owner_, clock_.now());
        table_->sweep();
        co_return result<void>();
    }

    asio::awaitable<void> leave() override
    {
        table_->all_owners().leave(owner_);
        co_return;
    }

    store_numbers numbers() const override { return table_->numbers(); }
    std::optional<std::string> away() const override { return std::nullopt; }

private:
    bool may_act() const { return table_->all_owners().may_act(owner_); }

    static error fenced()
    {
        return fail(errc::canceled, "this process was taken for dead, and another works on its payments");
    }

    std::shared_ptr<record_table> table_;
    const clock& clock_;
    timekeeper& time_;
    std::uint64_t owner_;
};

}  // namespace

memory_ledger::memory_ledger(const clock& wall_clock, timekeeper& time, limits bounds)
    : table_(std::make_shared<record_table>(wall_clock, bounds)), time_(time)
{}

memory_ledger::~memory_ledger() = default;

std::unique_ptr<payment_store> memory_ledger::open()
{
    return std::make_unique<session>(table_, table_->wall_clock(), time_);
}

std::size_t memory_ledger::bytes() const noexcept
{
    return table_->bytes();
}

}  // namespace portitor::ledger
