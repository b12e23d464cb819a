#include "catch.hpp"
#include "certificates.hpp"
#include "run.hpp"

#include <portitor/core/task_group.hpp>
#include <portitor/http/client.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <string>

using namespace portitor;
using namespace portitor::http;
using namespace std::chrono_literals;
using portitor::test::authority;
using portitor::test::identity;
using portitor::test::run;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// Answers every request on a TLS connection with the name that the client asked for.
class tls_server
{
public:
    tls_server(asio::io_context& context, const identity& self, const std::string& client_ca)
        : tls_(asio::ssl::context::tls_server), acceptor_(context, {asio::ip::address_v4::loopback(), 0}),
          tasks_(context.get_executor(), logger(log_level::error, log_format::text))
    {
        tls_.use_certificate_chain(asio::buffer(self.certificate));
        tls_.use_private_key(asio::buffer(self.key), asio::ssl::context::pem);
        if (!client_ca.empty())
        {
            tls_.add_certificate_authority(asio::buffer(client_ca));
            tls_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
        }
        tasks_.spawn("TLS server", accept());
    }

    origin at(const std::string& host) const { return {"https", host, acceptor_.local_endpoint().port()}; }
    int requests() const { return requests_; }
    int connections() const { return connections_; }

    asio::awaitable<void> stop()
    {
        acceptor_.close();
        tasks_.cancel();
        co_await tasks_.join();
    }

private:
    using stream = asio::ssl::stream<tcp::socket>;

    asio::awaitable<void> accept()
    {
        for (;;)
        {
            auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
            ++connections_;
            tasks_.spawn("TLS connection", serve(std::make_unique<stream>(std::move(socket), tls_)));
        }
    }

    asio::awaitable<void> serve(std::unique_ptr<stream> line)
    {
        auto [failed] = co_await line->async_handshake(asio::ssl::stream_base::server, as_result);
        if (failed)
            co_return;
        const char* name = SSL_get_servername(line->native_handle(), TLSEXT_NAMETYPE_host_name);
        const std::string body = name ? name : "no name";
        const std::string answer =
            fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
        std::string request;
        for (;;)
        {
            auto [ec, size] =
                co_await asio::async_read_until(*line, asio::dynamic_buffer(request), "\r\n\r\n", as_result);
            if (ec)
                co_return;
            request.erase(0, size);
            ++requests_;
            auto [broken, written] = co_await asio::async_write(*line, asio::buffer(answer), as_result);
            if (broken)
                co_return;
        }
    }

    asio::ssl::context tls_;
    tcp::acceptor acceptor_;
    task_group tasks_;
    int connections_ = 0;
    int requests_ = 0;
};

struct fixture
{
    authority ca{"the right CA"};
    asio::io_context context;
    std::unique_ptr<tls_server> served;
    std::unique_ptr<client> asking;
    tls_settings tls;

    fixture() { tls.ca = ca.certificate(); }

    ~fixture()
    {
        asking.reset();
        if (served)
            run(context, served->stop());
    }

    void serve(const identity& self, const std::string& client_ca = "")
    {
        served = std::make_unique<tls_server>(context, self, client_ca);
    }

    void make()
    {
        client_settings settings;
        settings.tls = tls;
        asking = make_client(context.get_executor(), settings).value();
    }

    result<response> ask(const std::string& host = "127.0.0.1")
    {
        if (!asking)
            make();
        client_options options;
        options.timeout = 2s;
        return run(context, asking->send(served->at(host), request(verb::post, "/", 11), options));
    }
};

void check_unavailable(const result<response>& answer, const fixture& f)
{
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code() == errc::unavailable);
    CHECK(answer.error().message().find("TLS with https://") == 0);
    CHECK(f.served->requests() == 0);
}

}  // namespace

TEST_CASE("a server with a certificate of the given CA is spoken to, on one connection", "[core][tls]")
{
    fixture f;
    f.serve(f.ca.issue("server", "IP:127.0.0.1,DNS:localhost"));
    const auto answer = f.ask();
    REQUIRE(answer.has_value());
    CHECK(answer->body() == "no name");  // an address is not sent as a name
    CHECK(f.ask().has_value());
    CHECK(f.served->connections() == 1);
    const auto named = f.ask("localhost");
    REQUIRE(named.has_value());
    CHECK(named->body() == "localhost");
}

TEST_CASE("a server of another CA is unavailable and gets no request", "[core][tls]")
{
    fixture f;
    const authority other("another CA");
    f.serve(other.issue("server", "IP:127.0.0.1"));
    check_unavailable(f.ask(), f);
}

TEST_CASE("a self-made CA is not trusted by default", "[core][tls]")
{
    fixture f;
    f.tls.ca.clear();
    f.serve(f.ca.issue("server", "IP:127.0.0.1"));
    check_unavailable(f.ask(), f);
}

TEST_CASE("a server with another name is unavailable", "[core][tls]")
{
    fixture f;
    SECTION("its names are others")
    {
        f.serve(f.ca.issue("127.0.0.1", "DNS:elsewhere.test,IP:127.0.0.2"));
        check_unavailable(f.ask(), f);
    }
    SECTION("its address is right, but the name was asked for")
    {
        f.serve(f.ca.issue("server", "IP:127.0.0.1"));
        check_unavailable(f.ask("localhost"), f);
    }
    SECTION("the name to verify is not the one it has")
    {
        f.serve(f.ca.issue("server", "IP:127.0.0.1"));
        f.tls.server_name = "kubernetes.test";
        check_unavailable(f.ask(), f);
    }
}

TEST_CASE("the name to verify can differ from the address", "[core][tls]")
{
    fixture f;
    f.serve(f.ca.issue("server", "DNS:kubernetes.test"));
    f.tls.server_name = "kubernetes.test";
    const auto answer = f.ask();
    REQUIRE(answer.has_value());
    CHECK(answer->body() == "kubernetes.test");
}

TEST_CASE("a client certificate is shown", "[core][tls]")
{
    fixture f;
    f.serve(f.ca.issue("server", "IP:127.0.0.1"), f.ca.certificate());
    SECTION("with one, the server answers")
    {
        const identity self = f.ca.issue("client", "");
        f.tls.certificate = self.certificate;
        f.tls.private_key = self.key;
        CHECK(f.ask().has_value());
    }
    SECTION("without, it does not")
    {
        CHECK_FALSE(f.ask().has_value());
        CHECK(f.served->requests() == 0);
    }
}

TEST_CASE("plain HTTP to a TLS port gets no answer", "[core][tls]")
{
    fixture f;
    f.serve(f.ca.issue("server", "IP:127.0.0.1"));
    f.make();
    origin plain = f.served->at("127.0.0.1");
    plain.scheme = "http";
    client_options options;
    options.timeout = 2s;
    const auto answer = run(f.context, f.asking->send(plain, request(verb::get, "/", 11), options));
    CHECK_FALSE(answer.has_value());
    CHECK(f.served->requests() == 0);
}

TEST_CASE("certificates that cannot be read are invalid", "[core][tls]")
{
    fixture f;
    const identity self = f.ca.issue("client", "");
    const identity other = f.ca.issue("other", "");
    const auto code = [&](const tls_settings& tls) {
        client_settings settings;
        settings.tls = tls;
        const auto made = make_client(f.context.get_executor(), settings);
        return made ? errc{} : made.error().code();
    };
    tls_settings tls;
    tls.ca = "no PEM";
    CHECK(code(tls) == errc::invalid);
    tls.ca = f.ca.certificate();
    CHECK(code(tls) == errc{});
    tls.certificate = "no PEM";
    tls.private_key = self.key;
    CHECK(code(tls) == errc::invalid);
    tls.certificate = self.certificate;
    CHECK(code(tls) == errc{});
    tls.private_key = "";
    CHECK(code(tls) == errc::invalid);
    tls.private_key = other.key;  // of another certificate
    CHECK(code(tls) == errc::invalid);
}
