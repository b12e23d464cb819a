#pragma once

#include "roles/registrar/keys.hpp"

#include <portitor/core/timekeeper.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

namespace portitor::registrar {

/// The keys that are at hand: the operator's, and those that requests bring. What could not be had is tried
/// again after a while, so that a Secret that is put right is taken without a restart. One strand.
class signers
{
public:
    signers(http::client& client, kube::api& server, key_options operators, const timekeeper& time);

    bool has_operators() const { return operators_.given(); }

    using signer_ptr = std::shared_ptr<evm::signer>;

    /// The operator's signer. @pre has_operators()
    boost::asio::awaitable<result<signer_ptr>> of_operator() { return take({}); }

    /// The one whose keystore a request names. errc::conflict: it is being read for another request just now.
    boost::asio::awaitable<result<signer_ptr>> of_secret(kube::object_key secret, std::string key)
    {
        return take({secret.ns, secret.name, std::move(key)});
    }

private:
    struct entry
    {
        signer_ptr made;
        std::optional<error> failure;
        timekeeper::time_point tried_at{};
        bool in_work = false;
    };
    /// Namespace, Secret and key; of the operator's all are empty.
    using name = std::tuple<std::string, std::string, std::string>;

    boost::asio::awaitable<result<signer_ptr>> take(name which);
    boost::asio::awaitable<result<signer_ptr>> make(name which);
    bool is_fresh(const name& which, const entry& known) const;

    http::client& client_;
    kube::api& server_;
    key_options operators_;
    const timekeeper& time_;
    std::map<name, entry> entries_;
};

}  // namespace portitor::registrar
