#include "cli/doctor/tls_probe.hpp"

#include <portitor/core/deadline.hpp>
#include <portitor/core/saturating_time.hpp>
#include <portitor/http/name_lookup.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

bool is_address(const std::string& host)
{
    boost::system::error_code ec;
    asio::ip::make_address(host, ec);
    return !ec;
}

/// The beginning of time where it is none.
clock::time_point time_of(const ASN1_TIME* text)
{
    std::tm parts{};
    if (ASN1_TIME_to_tm(text, &parts) != 1)
        return {};
    return saturating_add(clock::time_point(), std::chrono::seconds(timegm(&parts)));
}

certificate_facts facts_of(X509* certificate, const std::string& host)
{
    certificate_facts out;
    out.begins = time_of(X509_get0_notBefore(certificate));
    out.expires = time_of(X509_get0_notAfter(certificate));
    out.is_for_host = is_address(host)
                          ? X509_check_ip_asc(certificate, host.c_str(), 0) == 1
                          : X509_check_host(certificate, host.data(), host.size(), 0, nullptr) == 1;
    return out;
}

asio::awaitable<result<certificate_facts>> shake_hands(http::origin server)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto found = co_await http::look_up(server);
    if (!found)
        co_return found.error();
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.set_verify_mode(asio::ssl::verify_none);
    boost::system::error_code ignored;
    context.set_default_verify_paths(ignored);
    asio::ssl::stream<tcp::socket> line(executor, context);
    const auto [refused, where] = co_await asio::async_connect(line.next_layer(), *found, as_result);
    if (refused)
        co_return fail(errc::unavailable, "{}: {}", server.to_string(), refused.message());
    if (!is_address(server.host))
        SSL_set_tlsext_host_name(line.native_handle(), server.host.c_str());
    const auto [broken] = co_await line.async_handshake(asio::ssl::stream_base::client, as_result);
    const std::unique_ptr<X509, decltype(&X509_free)> shown(
        SSL_get1_peer_certificate(line.native_handle()), &X509_free
    );
    if (broken || !shown)
        co_return fail(errc::protocol, "{}: no TLS: {}", server.to_string(), broken.message());
    certificate_facts out = facts_of(shown.get(), server.host);
    const long trust = SSL_get_verify_result(line.native_handle());
    if (trust != X509_V_OK)
        out.distrust = X509_verify_cert_error_string(trust);
    co_return out;
}

}  // namespace

result<certificate_facts> read_certificate(std::string_view pem, const std::string& host)
{
    const std::unique_ptr<BIO, decltype(&BIO_free)> text(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free
    );
    const std::unique_ptr<X509, decltype(&X509_free)> read(
        PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr), &X509_free
    );
    if (!read)
        return fail(errc::invalid, "it is no certificate in PEM");
    return facts_of(read.get(), host);
}

asio::awaitable<result<certificate_facts>>
look_at_certificate(http::origin server, std::chrono::milliseconds limit)
{
    const std::string name = server.to_string();
    co_return co_await with_deadline(shake_hands(std::move(server)), limit, name);
}

}  // namespace portitor::cli::doctor
