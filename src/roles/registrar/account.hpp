#pragma once

#include "roles/registrar/ledger.hpp"

#include <portitor/core/task_group.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/kube/environment.hpp>
#include <portitor/kube/leader_election.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace portitor::registrar {

/// Which request may send the account's next transaction. One at a time; those that wait are served by
/// namespace in turn, and in a namespace in the order in which they came. No I/O.
class turn_queue
{
public:
    /// Whether it is this one's turn now; if not, it waits from now on.
    bool take(const kube::object_key& who);
    /// It holds a nonce that is not mined: it goes before all that wait, whatever turn there is.
    void hold(const kube::object_key& who);
    /// It needs no turn (any more). The next one whose turn it is then, if that is news.
    std::optional<kube::object_key> leave(const kube::object_key& who);
    std::size_t waiting() const;

private:
    std::set<kube::object_key> holders_;
    std::optional<std::string> served_last_;  ///< the namespace
    std::map<std::string, std::vector<kube::object_key>> waiting_;
    std::optional<kube::object_key> turn_;
};

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

    const identity& who() const { return who_; }

    /// Whether this process holds the Lease just now.
    bool leads() const;

    turn_queue& turns() { return turns_; }

    /// Today's numbers, as they were when the Lease was taken and as this process went on counting.
    const ledger& spent() const { return ledger_; }

    /// Changes the numbers and writes them to the Lease, under the condition that this process still holds
    /// it: so it is also the last look before a transaction is signed. errc::conflict where it does not; the
    /// numbers are as before then.
    boost::asio::awaitable<result<void>> update(std::function<void(ledger&)> change);
    /// The same, which need not be written at once: it goes with the next one.
    void note(std::function<void(ledger&)> change) { change(ledger_); }

private:
    friend class accounts;
    // to be filled in
    identity who_;
    turn_queue turns_;
    ledger ledger_;
};

/// The accounts that this process sends for. Each is waited for from its first use on.
class accounts
{
public:
    /// Called on the strand when this process begins to lead an account, after its ledger was read.
    using on_lead = std::function<void(account&)>;

    // constructor: kube::environment, the template of lease_settings (empty optional: no election, leads at
    // once), task_group&, on_lead, what to do when a Lease is lost (the process ends with exit code 1).

    /// The account, which may not lead yet: on_lead tells. Never null.
    account& of(account::identity who);

    /// Gives all Leases back, at the end.
    boost::asio::awaitable<void> release();
};

}  // namespace portitor::registrar
