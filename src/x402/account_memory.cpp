#include <portitor/x402/account_memory.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace portitor::x402 {

namespace asio = boost::asio;

namespace {

// Tenants are the operator's namespaces: the bound is for a caller that lets strangers name them.
constexpr std::size_t most_tenants = 10'000;

std::string key_of(const std::string& network, const evm::address& account)
{
    return network + '|' + account.to_string();
}

}  // namespace

bool permit_bucket::take(time_point now, std::chrono::nanoseconds each, unsigned most)
{
    const auto then = std::max(full_at_, now) + each;
    if (then - now > most * each)
        return false;
    full_at_ = then;
    return true;
}

const account_memory::time_point* account_memory::recent::find(const std::string& key)
{
    const auto at = by_key_.find(key);
    if (at == by_key_.end())
        return nullptr;
    order_.splice(order_.begin(), order_, at->second);
    return &at->second->until;
}

void account_memory::recent::put(const std::string& key, time_point until, std::size_t most)
{
    erase(key);
    order_.push_front({key, until});
    by_key_.emplace(key, order_.begin());
    if (order_.size() > most)
    {
        by_key_.erase(order_.back().key);
        order_.pop_back();
    }
}

void account_memory::recent::erase(const std::string& key)
{
    const auto at = by_key_.find(key);
    if (at == by_key_.end())
        return;
    order_.erase(at->second);
    by_key_.erase(at);
}

// One question to the chain and those who wait for its answer.
struct account_memory::question
{
    std::string tenant;
    std::unique_ptr<timer> answered;
    result<bool> answer = fail(errc::canceled, "the question was given up");
    bool over = false;
};

// Open while it lives; whoever waits is woken however it ends, also with its executor, after the memory.
class account_memory::asking
{
public:
    asking(std::shared_ptr<questions> in, const std::string& key, std::shared_ptr<question> what)
        : in_(std::move(in)), key_(key), what_(std::move(what))
    {
        in_->emplace(key_, what_);
    }
    asking(const asking&) = delete;
    asking& operator=(const asking&) = delete;
    ~asking()
    {
        what_->over = true;
        what_->answered->cancel();
        in_->erase(key_);
    }

private:
    std::shared_ptr<questions> in_;
    std::string key_;
    std::shared_ptr<question> what_;
};

account_memory::account_memory(settlement_chain& chain, timekeeper& time, const account_memory_limits& limits)
    : chain_(chain), time_(time), limits_(limits)
{}

account_memory::~account_memory() = default;

asio::awaitable<result<bool>>
account_memory::has_code(std::string network, evm::address account, std::string tenant)
{
    const std::string key = key_of(network, account);
    const auto now = time_.now();
    const time_point* with_code = with_code_.find(key);
    if (with_code != nullptr && now < *with_code)
        co_return true;
    const time_point* without = without_.find(key);
    if (without != nullptr && now < *without)
        co_return false;
    if (const auto open = open_->find(key); open != open_->end())
    {
        result<bool> shared = co_await wait_for(open->second);
        co_return shared;
    }
    if (!has_place(tenant) || !may_ask(tenant))
    {
        // That it had code some time ago is reason enough to ask a facilitator.
        if (with_code != nullptr)
            co_return true;
        co_return fail(errc::unavailable, "too many accounts are asked about");
    }
    const auto asked = std::make_shared<question>();
    asked->tenant = tenant;
    asked->answered = time_.make_timer(co_await asio::this_coro::executor);
    const asking open(open_, key, asked);
    asked->answer = co_await chain_.has_code(std::move(network), account, limits_.question);
    if (asked->answer)
        remember(key, *asked->answer);
    else if (asked->answer.error().code() == errc::not_found)
        give_back(tenant);
    result<bool> out = asked->answer;
    co_return out;
}

asio::awaitable<result<bool>> account_memory::wait_for(std::shared_ptr<question> asked)
{
    while (!asked->over)
        co_await asked->answered->wait();
    result<bool> out = asked->answer;
    co_return out;
}

bool account_memory::has_place(const std::string& tenant) const
{
    const auto own =
        static_cast<std::size_t>(std::count_if(open_->begin(), open_->end(), [&](const auto& each) {
            return each.second->tenant == tenant;
        }));
    return open_->size() < limits_.at_once && own < std::max<std::size_t>(1, limits_.at_once / 2);
}

bool account_memory::may_ask(const std::string& tenant)
{
    const auto now = time_.now();
    if (by_tenant_.size() >= most_tenants && !by_tenant_.contains(tenant))
        std::erase_if(by_tenant_, [now](const auto& each) { return each.second.full(now); });
    if (by_tenant_.size() >= most_tenants && !by_tenant_.contains(tenant))
        return false;
    permit_bucket& own = by_tenant_[tenant];
    const auto each = pace();
    if (!own.take(now, each * 2, std::max(1U, limits_.questions_at_once / 2)))
        return false;
    if (permits_.take(now, each, limits_.questions_at_once))
        return true;
    own.give_back(each * 2);
    return false;
}

void account_memory::give_back(const std::string& tenant)
{
    permits_.give_back(pace());
    if (const auto own = by_tenant_.find(tenant); own != by_tenant_.end())
        own->second.give_back(pace() * 2);
}

// How long one permit takes to come back.
std::chrono::nanoseconds account_memory::pace() const
{
    return std::chrono::nanoseconds(std::chrono::seconds(1)) / std::max(1U, limits_.questions_a_second);
}

void account_memory::remember(const std::string& key, bool code)
{
    const auto now = time_.now();
    (code ? without_ : with_code_).erase(key);
    if (code)
        with_code_.put(key, now + limits_.code_for, limits_.accounts);
    else
        without_.put(key, now + limits_.none_for, limits_.accounts);
}

}  // namespace portitor::x402
