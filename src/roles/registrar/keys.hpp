#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/evm/signer.hpp>
#include <portitor/kube/api.hpp>

#include <memory>
#include <string>

namespace portitor::registrar {

/// The operator's key: --key-file and --key-password-file, or --signer-url, --signer-address, --signer-api
/// (transaction or web3signer) and --signer-token-file. None of them: nothing is sent with it.
struct key_options
{
    std::string key_file;  ///< a V3 keystore
    std::string key_password_file;
    std::string signer_url;
    std::string signer_address;
    std::string signer_api = "transaction";
    std::string signer_token_file;

    void declare(config::loader& into);
    /// errc::invalid where they do not fit together.
    result<void> resolve();

    bool given() const { return !key_file.empty() || !signer_url.empty(); }
};

/// Makes the operator's signer. Decrypts the keystore, which takes a second and 256 MiB, in a thread of its
/// own; the memory is given back. errc::invalid says which file or flag, never what is in it.
boost::asio::awaitable<result<std::unique_ptr<evm::signer>>> make_operator_signer(
    http::client& client, key_options options, bool allow_http, boost::asio::any_io_executor executor
);

/// A request's own: Secret `name` of its namespace, the keystore in `key` and the password in "password" of
/// the same Secret.
boost::asio::awaitable<result<std::unique_ptr<evm::signer>>> make_request_signer(
    kube::api& server, kube::object_key secret, std::string key, boost::asio::any_io_executor executor
);

}  // namespace portitor::registrar
