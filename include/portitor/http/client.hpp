#pragma once

#include <portitor/core/log.hpp>
#include <portitor/http/message.hpp>
#include <portitor/http/name_lookup.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace portitor::http {

/// Whom a client trusts and who it says it is. PEM texts.
struct tls_settings
{
    std::string ca;           ///< empty: the system's CA bundle
    std::string certificate;  ///< empty: no client certificate
    std::string private_key;
    std::string server_name;  ///< name to verify instead of the URL's host; empty: the host
};

struct client_settings
{
    tls_settings tls;
    std::size_t max_idle_per_origin = 16;
    std::chrono::milliseconds max_idle{
        4000};           ///< shorter than the 5 s after which Node's servers close theirs
    name_service names;  ///< empty: make_dns()
    name_limits names_within{};
    logger log{};  ///< is told when names cannot be looked up
};

/// A client on this executor. errc::invalid when a certificate or key cannot be read.
result<std::unique_ptr<client>>
make_client(boost::asio::any_io_executor executor, const client_settings& settings);

}  // namespace portitor::http
