#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/error.hpp>
#include <portitor/core/u256.hpp>

#include <boost/json/value.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace portitor::registrar {

/// What one account may spend in a day (UTC). Of both, nine tenths are for changes and one tenth for
/// retirements. A namespace has at most a quarter of the whole for changes, and a quarter of that tenth.
struct spending_limits
{
    std::uint32_t daily_transactions = 200;
    u256 daily_spend;  ///< wei
};

/// What the money is spent on.
enum class purpose
{
    change,      ///< a mint or a change of an agent
    retirement,  ///< may use what is left for changes too
};

/// What one account has spent today, by namespace. Pure; it goes to the account's Lease as text, so that
/// a restart or another registrar counts on. Days only go on: where the clock was put back, what was counted
/// of the later day stays.
class ledger
{
public:
    /// What an annotation may hold, with room to spare.
    static constexpr std::size_t longest_text = 200 * 1024;
    /// How many namespaces may use an account in one day, so that the text stays below.
    static constexpr std::size_t most_namespaces = 600;

    /// The day's numbers; those of another day count as none. A text that cannot be read is
    /// errc::invalid: who counts on must not start from nothing.
    static result<ledger> parse(std::string_view text);
    /// Compact JSON.
    std::string to_text() const;

    /// Whether a transaction that costs `most` wei may be sent now. errc::refused says which limit is
    /// reached, of whom, how much of it is used, and when it is free again.
    result<void> may_spend(
        const spending_limits& limits,
        const std::string& ns,
        purpose why,
        const u256& most,
        clock::time_point now
    ) const;

    /// Counts a transaction. Before it is sent, with the most that it may cost.
    void book(const std::string& ns, purpose why, const u256& most, clock::time_point now);
    /// A replacement at the same nonce: only what it may cost more.
    void book_more(const std::string& ns, purpose why, const u256& more, clock::time_point now);
    /// What was booked for a transaction that will never be sent.
    void take_back(const std::string& ns, purpose why, const u256& most, clock::time_point booked);
    /// What was booked and not spent, once the receipt tells what was. `booked` is when that was: nothing
    /// where that day has passed.
    void give_back(const std::string& ns, purpose why, const u256& unspent, clock::time_point booked);

    /// All of today, in wei, and their number.
    u256 spent(clock::time_point now) const;
    std::uint32_t transactions(clock::time_point now) const;

    /// Below it every nonce of the account was seen in a block: a node that says less is behind.
    std::uint64_t mined_nonces() const { return mined_nonces_; }
    void saw_mined(std::uint64_t nonce);  ///< of a transaction of the account

    /// No number is lower than the other's afterwards.
    void raise_to(const ledger& other);

    bool operator==(const ledger&) const = default;

private:
    struct used
    {
        std::uint32_t transactions = 0;
        u256 wei;

        bool operator==(const used&) const = default;
    };
    using purse = std::map<std::string, used>;  ///< by namespace

    enum class measure
    {
        transactions,
        wei,
    };
    struct shares;
    struct load;

    static u256 amount(const used& of, measure what);
    static shares share_out(const spending_limits& limits, measure what);
    static result<purse> parse_purse(const boost::json::value* text);
    load load_of(const std::string& ns, const shares& allowed, measure what) const;
    result<void> check(
        const ledger& then, const spending_limits& limits, const std::string& ns, purpose why, measure what
    ) const;
    std::string free_again() const;
    bool has_room_for(const std::string& ns) const;

    void turn_to_day_of(clock::time_point now);
    purse& purse_of(purpose why) { return why == purpose::change ? changes_ : retirements_; }

    std::int64_t day_ = 0;  ///< since 1970
    purse changes_;
    purse retirements_;
    std::uint64_t mined_nonces_ = 0;
};

}  // namespace portitor::registrar
