#pragma once

#include "certificates.hpp"
#include "server_fixture.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace portitor::test {

/// A TLS client that sends and reads what the test says.
class tls_wire
{
public:
    using stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

    explicit tls_wire(stream line) : stream_(std::move(line)) {}

    boost::asio::awaitable<bool> shake_hands()
    {
        auto [ec] = co_await stream_.async_handshake(boost::asio::ssl::stream_base::client, test::as_result);
        co_return !ec;
    }

    boost::asio::awaitable<bool> send(std::string bytes)
    {
        auto [ec, size] =
            co_await boost::asio::async_write(stream_, boost::asio::buffer(bytes), test::as_result);
        co_return !ec;
    }

    /// What comes until it holds so many answers, or to the end.
    boost::asio::awaitable<std::string> read(std::size_t answers)
    {
        std::string out;
        for (bool open = true; open && complete(out) < answers;)
        {
            char piece[16 * 1024];
            auto [ec, size] = co_await stream_.async_read_some(boost::asio::buffer(piece), test::as_result);
            out.append(piece, size);
            open = !ec;
        }
        co_return out;
    }

    boost::asio::awaitable<bool> at_end()
    {
        const std::string rest = co_await read(1);
        co_return rest.empty();
    }

    /// Ends the stream (close_notify), and leaves the connection as it is.
    void say_farewell()
    {
        boost::system::error_code ignored;
        stream_.lowest_layer().non_blocking(true, ignored);
        stream_.shutdown(ignored);  // does not wait for an answer then
    }

    void close()
    {
        boost::system::error_code ignored;
        stream_.lowest_layer().close(ignored);
    }

    /// Says that nothing more is sent, outside of TLS.
    void close_sending()
    {
        boost::system::error_code ignored;
        stream_.lowest_layer().shutdown(boost::asio::socket_base::shutdown_send, ignored);
    }

    /// Closes without the usual farewell: the peer's next operation fails.
    void reset()
    {
        boost::system::error_code ignored;
        stream_.lowest_layer().set_option(boost::asio::socket_base::linger(true, 0), ignored);
        stream_.lowest_layer().close(ignored);
    }

    /// With the next bytes a new key comes, and the peer is asked for one too.
    void change_keys() { CHECK(SSL_key_update(stream_.native_handle(), SSL_KEY_UPDATE_REQUESTED) == 1); }

    std::string peer() const
    {
        using freed = std::unique_ptr<X509, decltype(&X509_free)>;
        const freed shown(
            SSL_get1_peer_certificate(const_cast<stream&>(stream_).native_handle()), &X509_free
        );
        char name[256] = "";
        X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name, sizeof name);
        return name;
    }

private:
    // All answers here end with "!".
    static std::size_t complete(const std::string& text) { return count_of(text, "!"); }

    stream stream_;
};

/// The server over TLS. "/quick" and what begins so is answered at once.
struct tls_fixture : server_fixture
{
    authority ca{"the CA"};
    boost::asio::ssl::context trust{boost::asio::ssl::context::tls_client};

    explicit tls_fixture(http::server_limits limits = {}) : server_fixture(limits, quick)
    {
        trust.add_certificate_authority(boost::asio::buffer(ca.certificate()));
        trust.set_verify_mode(boost::asio::ssl::verify_peer);
        REQUIRE(use("first").has_value());
    }

    static bool quick(const http::server_request& message, http::response_writer& out)
    {
        if (!message.target().starts_with("/quick"))
            return false;
        out.status(200);
        out.finish(fmt::format("quick {} {}", message.target(), message.body()));
        return true;
    }

    result<void> use(const std::string& name)
    {
        const identity made = ca.issue(name, "IP:127.0.0.1");
        return served->use_tls({made.certificate, made.key});
    }

    boost::asio::awaitable<std::unique_ptr<tls_wire>> connecting()
    {
        tls_wire::stream line(co_await boost::asio::this_coro::executor, trust);
        const boost::asio::ip::tcp::endpoint there(boost::asio::ip::address_v4::loopback(), served->port());
        co_await line.lowest_layer().async_connect(there, boost::asio::use_awaitable);
        line.lowest_layer().set_option(boost::asio::ip::tcp::no_delay(true));
        auto out = std::make_unique<tls_wire>(std::move(line));
        const bool good = co_await out->shake_hands();
        if (!good)
            throw std::runtime_error("no TLS");
        co_return out;
    }

    std::unique_ptr<tls_wire> connect_tls() { return run(context, connecting()); }
};

}  // namespace portitor::test
