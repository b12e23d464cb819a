#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/core/error.hpp>
#include <portitor/evm/signer.hpp>
#include <portitor/http/client.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/object.hpp>

#include <boost/asio/awaitable.hpp>

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
    bool allow_insecure = false;  ///< --allow-insecure-facilitator holds for signers too

    void declare(config::loader& into);
    /// errc::invalid where they do not fit together, or the signer is asked over http that must not be.
    result<void> resolve();

    bool given() const { return !key_file.empty() || !signer_url.empty(); }
};

/// Makes the operator's signer of options that are given and resolved. Reads files, and decrypts the
/// keystore, which takes a second and 256 MiB, in a thread of its own; the memory is given back, and the
/// process decrypts one keystore at a time. The error says which file or flag is wrong, never what is in it.
/// It ends only when the thread has, whoever asks it to: wait for it. `client` must outlive the signer.
boost::asio::awaitable<result<std::unique_ptr<evm::signer>>>
make_operator_signer(http::client& client, key_options options);

/// A request's own: of the Secret, entry `key` is the keystore and entry "password" its password; otherwise
/// as above. errc::not_found, errc::invalid and errc::refused (the registrar may not read it) stay so until
/// somebody changes something.
boost::asio::awaitable<result<std::unique_ptr<evm::signer>>>
make_request_signer(kube::api& server, kube::object_key secret, std::string key);

}  // namespace portitor::registrar
