#pragma once

#include "roles/registrar/ledger.hpp"
#include "roles/registrar/turn_queue.hpp"

#include <portitor/core/stop_signal.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/kube/environment.hpp>
#include <portitor/kube/leader_election.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace portitor::registrar {

/// Where an account's Lease says what the account has spent: ledger::to_text().
inline constexpr std::string_view spent_annotation = "obol.org/spent";

/// One account on one chain. Only the process that holds its Lease sends for it. One strand.
class account
{
public:
    struct identity
    {
        std::uint64_t chain_id = 0;
        evm::address address;

        auto operator<=>(const identity&) const = default;
        /// "portitor-registrar-84532-<40 hex digits>"
        std::string lease_name() const;
    };

    account(const account&) = delete;
    account& operator=(const account&) = delete;

    const identity& who() const { return who_; }

    /// Whether this process holds the Lease just now and knows what the account has spent. Turns false by
    /// itself when the Lease is not renewed in time.
    bool leads() const;

    turn_queue& turns() { return turns_; }

    /// Today's numbers, as they were when the Lease was taken and as this process went on counting. Never
    /// lower than what may stand in the Lease.
    const ledger& spent() const { return ledger_; }

    /// Changes the numbers and writes them to the Lease, under the condition that this process still holds
    /// it: so it is also the last look before a transaction is signed. One after the other; `change` may be
    /// called more than once. errc::conflict where the Lease is not this process's. After an error send
    /// nothing: the change does not count. Where nobody knows whether it was written (errc::timed_out,
    /// unavailable, protocol) its numbers stay reserved until the next update has looked.
    boost::asio::awaitable<result<void>> update(std::function<void(ledger&)> change);
    /// The same, which need not be written at once: it goes with the next one.
    void note(const std::function<void(ledger&)>& change);

private:
    friend class accounts;
    class writing;

    account(const kube::environment& around, identity who, std::optional<kube::lease_settings> lease);

    boost::asio::awaitable<result<void>> write_until_known(std::function<void(ledger&)> change);
    boost::asio::awaitable<result<bool>> try_write(std::function<void(ledger&)> change);
    boost::asio::awaitable<result<void>> look();
    void saw(const kube::object& lease);
    boost::asio::awaitable<kube::api_result<kube::object_ptr>> get_lease();
    boost::asio::awaitable<kube::api_result<kube::object_ptr>>
    bounded(boost::asio::awaitable<kube::api_result<kube::object_ptr>> request);
    boost::json::array operations(const std::string& text) const;
    boost::asio::awaitable<void> read_ledger();
    result<void> begin_with(const kube::object& lease);
    error not_ours() const;

    kube::environment around_;
    identity who_;
    std::optional<kube::lease_settings> lease_;
    std::optional<kube::leader_elector> elector_;  ///< where there is a lease_
    turn_queue turns_;
    bool ready_ = false;  ///< the ledger is known
    bool lost_ = false;
    ledger ledger_;
    std::optional<ledger> before_;  ///< a write whose outcome is not known: what it is without that
    // The Lease as it was when it was looked at last.
    bool known_ = false;  ///< nothing has been tried since
    bool has_annotations_ = false;
    std::string version_;
    std::optional<std::string> written_;  ///< the annotation
    bool in_write_ = false;
    boost::asio::steady_timer write_ended_;
};

/// The accounts that this process sends for. Each is waited for from its first use on, and kept to the end. A
/// Lease that is lost ends the process with exit code 1: half of the old work may be alive. One strand.
class accounts
{
public:
    /// Called on the strand when this process begins to lead an account, after its ledger was read.
    using on_lead = std::function<void(account&)>;
    /// The Lease of that name; empty where there is no election: this process leads at once, and what it
    /// spends is in its memory only.
    using lease_template = std::function<std::optional<kube::lease_settings>(const std::string& name)>;

    /// Each account costs a renewal every few seconds.
    static constexpr std::size_t most_accounts = 256;

    /// @pre what it refers to outlives it, and release() has returned before it goes
    accounts(const kube::environment& around, lease_template leases, stop_signal& stop, on_lead tell);
    accounts(const accounts&) = delete;
    accounts& operator=(const accounts&) = delete;

    /// The account, which may not lead yet: on_lead tells. It stays where it is. Null where there are
    /// most_accounts already.
    account* of(const account::identity& who);

    std::size_t size() const { return all_.size(); }

    void each(const std::function<void(const account&)>& visit) const
    {
        for (const auto& [who, which] : all_)
            visit(*which);
    }

    /// Gives all Leases back, at the end, after the work has stopped. Takes at most five seconds. Call it
    /// from a coroutine that is not canceled.
    boost::asio::awaitable<void> release();

private:
    boost::asio::awaitable<void> lead(account& which);
    boost::asio::awaitable<void> begin(account& which);

    kube::environment around_;
    lease_template leases_;
    stop_signal& stop_;
    on_lead tell_;
    bool told_of_memory_ = false;
    std::map<account::identity, std::unique_ptr<account>> all_;
    task_group tasks_;
};

}  // namespace portitor::registrar
