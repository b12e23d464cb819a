#pragma once

#include <portitor/core/timekeeper.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/x402/settlement_chain.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

namespace portitor::x402 {

struct account_memory_limits
{
    std::size_t accounts = 20'000;  ///< remembered with code, and as many without
    /// A contract stays one, and an account that gave its EIP-7702 code up is only let through to a
    /// facilitator.
    std::chrono::seconds code_for{3'600};
    std::chrono::seconds none_for{30};  ///< a wallet may be deployed, an account delegated, at any time
    std::size_t at_once = 16;           ///< questions under way
    unsigned questions_at_once = 40;    ///< that may be asked in a moment, of all that were not asked lately
    unsigned questions_a_second = 20;
    std::chrono::milliseconds question{3'000};
};

/// A number of permits that fills up again with time.
class permit_bucket
{
public:
    using time_point = timekeeper::time_point;

    /// Whether there is one; then it is taken. `each`: how long one takes to come back; `most`: how many
    /// there are at most.
    bool take(time_point now, std::chrono::nanoseconds each, unsigned most);
    /// Undoes the last take().
    void give_back(std::chrono::nanoseconds each) { full_at_ -= each; }
    bool full(time_point now) const { return full_at_ <= now; }

private:
    time_point full_at_{};
};

/// Remembers which accounts have code, and asks a chain about those that are not known: of all who ask about
/// one account at once one question is made, and new accounts are asked about at a bounded rate, of which one
/// tenant may have half. Anybody can make us ask, with a wrong signature. One strand; the chain and the
/// timekeeper must outlive this, and this its operations, unless these are destroyed with their executor.
class account_memory
{
public:
    account_memory(settlement_chain& chain, timekeeper& time, const account_memory_limits& limits = {});
    ~account_memory();

    /// Whether the account has code. `network` in CAIP-2; `tenant`: on whose account is asked.
    /// errc::not_found: no node of the network is known. errc::unavailable: too many are asked about; what
    /// the node fails with otherwise.
    boost::asio::awaitable<result<bool>>
    has_code(std::string network, evm::address account, std::string tenant);

    std::size_t size() const noexcept { return with_code_.size() + without_.size(); }

private:
    using time_point = timekeeper::time_point;
    struct question;
    using questions = std::unordered_map<std::string, std::shared_ptr<question>>;
    class asking;

    // The ones used last are kept.
    class recent
    {
    public:
        const time_point* find(const std::string& key);
        void put(const std::string& key, time_point until, std::size_t most);
        void erase(const std::string& key);
        std::size_t size() const noexcept { return order_.size(); }

    private:
        struct entry
        {
            std::string key;
            time_point until;
        };
        std::list<entry> order_;  // the latest first
        std::unordered_map<std::string, std::list<entry>::iterator> by_key_;
    };

    bool has_place(const std::string& tenant) const;
    bool may_ask(const std::string& tenant);
    void give_back(const std::string& tenant);
    std::chrono::nanoseconds pace() const;
    void remember(const std::string& key, bool code);
    boost::asio::awaitable<result<bool>> wait_for(std::shared_ptr<question> asked);

    settlement_chain& chain_;
    timekeeper& time_;
    account_memory_limits limits_;
    recent with_code_;
    recent without_;
    std::shared_ptr<questions> open_ = std::make_shared<questions>();
    permit_bucket permits_;
    std::map<std::string, permit_bucket> by_tenant_;
};

}  // namespace portitor::x402
