#pragma once

#include <portitor/evm/transaction.hpp>
#include <portitor/http/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace portitor::evm {

/// Signs transactions of one account. One strand.
class signer
{
public:
    virtual ~signer() = default;

    virtual const address& account() const = 0;

    /// The same bytes each time, or others, as the signer is made: who needs them again keeps them. What a
    /// remote signer gives back is exactly what was asked for, signed by account().
    virtual boost::asio::awaitable<result<signed_transaction>> sign(transaction what) = 0;
};

/// Signs here; the same bytes each time (RFC 6979).
std::unique_ptr<signer> make_local_signer(private_key key);

/// How a remote signer is spoken to.
enum class signer_api
{
    /// POST /api/v1/sign/ADDRESS/transaction with the fields, as Obol's remote signer takes it
    /// (its field names and statuses).
    transaction,
    /// Web3Signer's REST API of eth1: POST /api/v1/eth1/sign/PUBLICKEY with what is hashed and signed.
    web3signer,
};

struct remote_signer_options
{
    std::string url;
    address account;
    std::string token;  ///< sent as "Authorization: Bearer"; empty: none
    signer_api api = signer_api::transaction;
    std::chrono::milliseconds timeout = std::chrono::seconds(10);
    bool allow_http = false;  ///< also unencrypted
};

/// Has another process sign. Nothing that it says is quoted, and its URL neither. `client` must outlive it.
/// errc::invalid where the URL is none, or of a scheme that is not taken.
result<std::unique_ptr<signer>> make_remote_signer(http::client& client, remote_signer_options options);

}  // namespace portitor::evm
