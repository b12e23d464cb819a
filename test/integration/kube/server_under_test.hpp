#pragma once

#include <portitor/core/metrics.hpp>
#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace portitor::test {

/// The kind that the cases write: namespaced, with a status subresource, a list of conditions by type, and
/// the selectable field spec.color.
inline constexpr kube::resource widgets{"test.example", "v1", "widgets", "Widget"};
inline constexpr kube::resource config_maps{"", "v1", "configmaps", "ConfigMap"};

/// What only one of the servers can do, or does differently.
enum class ability
{
    fast_time,              ///< its time is the test's, and passes as fast as the test likes
    history_after_restart,  ///< a watch may go on where it was before a restart
    garbage_collection,     ///< a controller manager looks after owner references
    processes,              ///< it is made of processes of its own, with etcd behind
    bytes,                  ///< the test says what bytes go over the wire
};

/// An API server, and what can happen to one.
class server_under_test
{
public:
    virtual ~server_under_test() = default;

    virtual bool can(ability what) const = 0;

    /// A client that needs no connection; null where a kubeconfig says how to reach the server.
    virtual std::unique_ptr<kube::api> connect(metrics&) { return nullptr; }

    /// The administrator's kubeconfig.
    virtual std::string kubeconfig() = 0;
    /// One whose token is in a file: the token that rotate_token() replaces.
    virtual std::string token_kubeconfig() = 0;

    /// Ends it at once, like kill -9: every connection breaks.
    virtual boost::asio::awaitable<void> stop() = 0;
    /// Starts it again; returns when it works.
    virtual boost::asio::awaitable<void> start() = 0;
    /// It stands still: connections stay open, new ones are even accepted, and nothing is ever answered.
    virtual boost::asio::awaitable<void> freeze() = 0;
    virtual boost::asio::awaitable<void> thaw() = 0;
    /// Forgets all history, of which there is more than any watch of widgets has seen, and breaks all
    /// connections: a restore from a backup, or a long time away.
    virtual boost::asio::awaitable<void> compact() = 0;
    /// Deletes the CRD of the widgets with all of them.
    virtual boost::asio::awaitable<void> drop_kind() = 0;
    virtual boost::asio::awaitable<void> add_kind() = 0;
    /// Writes a new token to the file, and has the old one refused from now on or a few seconds later.
    virtual boost::asio::awaitable<void> rotate_token() = 0;
    /// Removes an object of a stopped server, as if the deletion had come while nobody watched.
    virtual boost::asio::awaitable<void> remove_unseen(kube::object_key widget) = 0;
};

}  // namespace portitor::test
