#include "roles/verifier/payment_desk.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace portitor::verifier {

namespace asio = boost::asio;

namespace {

// A node is asked about a payer that way only where the signature is none of an ordinary account.
constexpr std::chrono::milliseconds node_limit{3'000};
constexpr int most_questions = 16;

class counted
{
public:
    explicit counted(std::atomic<int>& count) : count_(count), place_(++count_) {}
    ~counted() { --count_; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;

    int place() const { return place_; }

private:
    std::atomic<int>& count_;
    int place_;
};

// A cancellation would reach the other thread unguarded.
auto apart()
{
    return asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
}

}  // namespace

asio::awaitable<x402::verdict> payment_desk::pay(
    const x402::payment& offered,
    const x402::payment_requirement& wanted,
    std::string facilitator_url,
    x402::claim_binding binding,
    std::chrono::steady_clock::time_point deadline
)
{
    asio::awaitable<x402::verdict> judging =
        gate_.pay(offered, wanted, std::move(facilitator_url), std::move(binding), deadline);
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    if (here == executor_)
    {
        x402::verdict at_home = co_await std::move(judging);
        co_return at_home;
    }
    x402::verdict made = co_await asio::co_spawn(executor_, std::move(judging), apart());
    co_return made;
}

asio::awaitable<std::optional<x402::verdict>> payment_desk::pay_known(
    const x402::payment& offered,
    std::vector<x402::claim_key> keys,
    x402::claim_binding binding,
    std::chrono::steady_clock::time_point deadline
)
{
    asio::awaitable<std::optional<x402::verdict>> judging =
        gate_.pay_known(offered, std::move(keys), std::move(binding), deadline);
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    if (here == executor_)
    {
        std::optional<x402::verdict> at_home = co_await std::move(judging);
        co_return at_home;
    }
    std::optional<x402::verdict> made = co_await asio::co_spawn(executor_, std::move(judging), apart());
    co_return made;
}

asio::awaitable<std::optional<bool>> payment_desk::is_contract(std::string network, evm::address payer)
{
    if (chain_ == nullptr)
        co_return false;
    const counted question(questions_);
    if (question.place() > most_questions)
        co_return std::nullopt;
    asio::awaitable<result<bool>> asking = chain_->has_code(std::move(network), payer, node_limit);
    const result<bool> found = co_await asio::co_spawn(executor_, std::move(asking), apart());
    co_return found&&* found;
}

std::function<void(bool)> payment_desk::guard_delivery(const x402::verdict_paid& paid) const
{
    const auto back_home = [executor = executor_](x402::delivery_guard* guard) {
        asio::dispatch(executor, [owned = std::unique_ptr<x402::delivery_guard>(guard)] {});
    };
    const std::shared_ptr<x402::delivery_guard> guard(
        new x402::delivery_guard(gate_.guard_delivery(paid)), back_home
    );
    return [executor = executor_, guard](bool delivered) {
        if (delivered)
            asio::dispatch(executor, [guard] { guard->delivered(); });
    };
}

}  // namespace portitor::verifier
