#include "core/http_connection.hpp"

#include <portitor/core/http_client.hpp>

#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>

#include <deque>
#include <map>

namespace portitor::http {

namespace asio = boost::asio;

namespace {

result<void> configure(asio::ssl::context& context, const tls_settings& tls)
{
    boost::system::error_code ec;
    context.set_verify_mode(asio::ssl::verify_peer);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    if (tls.ca.empty())
        context.set_default_verify_paths(ec);
    else
        context.add_certificate_authority(asio::buffer(tls.ca), ec);
    if (ec)
        return fail(errc::invalid, "the CA certificate cannot be read: {}", ec.message());
    if (tls.certificate.empty())
        return {};
    context.use_certificate_chain(asio::buffer(tls.certificate), ec);
    if (ec)
        return fail(errc::invalid, "the client certificate cannot be read: {}", ec.message());
    context.use_private_key(asio::buffer(tls.private_key), asio::ssl::context::pem, ec);
    if (ec)
        return fail(errc::invalid, "the client key cannot be read: {}", ec.message());
    return {};
}

class pooled_client final : public client
{
public:
    pooled_client(asio::any_io_executor executor, client_settings settings)
        : executor_(executor), settings_(std::move(settings)), tls_(asio::ssl::context::tls_client)
    {}

    result<void> configure_tls() { return configure(tls_, settings_.tls); }

    asio::awaitable<result<response>> send(origin server, request message, client_options options) override
    {
        const deadline until = std::chrono::steady_clock::now() + options.timeout;
        prepare(message, server, true);
        std::unique_ptr<connection> line = take_idle(server);
        const bool reused = line != nullptr;
        auto answer = co_await exchange(line, server, message, options, until);
        // Between the check and the write the server may have closed an idle connection. What has no effect
        // may be sent again then; all else is the caller's decision.
        const bool harmless = message.method() == verb::get || message.method() == verb::head;
        if (!answer && reused && harmless && answer.error().code() == errc::unavailable)
        {
            line.reset();
            answer = co_await exchange(line, server, message, options, until);
        }
        if (answer && line->reusable())
            give_back(server, std::move(line));
        co_return answer;
    }

    asio::awaitable<result<std::unique_ptr<body_stream>>>
    open(origin server, request message, client_options options) override
    {
        const deadline until = std::chrono::steady_clock::now() + options.timeout;
        prepare(message, server, false);
        auto line = make_connection(executor_, server, &tls_, settings_.tls.server_name);
        auto connected = co_await line->connect(until);
        if (!connected)
            co_return connected.error();
        auto written = co_await line->write(message, until);
        if (!written)
            co_return written.error();
        connection& reader = *line;
        co_return co_await reader.read_stream(std::move(line), until);
    }

private:
    struct idle_connection
    {
        std::unique_ptr<connection> line;
        deadline since;
    };

    static void prepare(request& message, const origin& server, bool keep)
    {
        message.version(11);
        message.set(field::host, server.authority());
        message.set(field::user_agent, "portitor/" PORTITOR_VERSION);
        message.keep_alive(keep);
        message.prepare_payload();
    }

    // One request and its answer on `line`, which is connected first where it is null.
    asio::awaitable<result<response>> exchange(
        std::unique_ptr<connection>& line,
        const origin& server,
        request& message,
        const client_options& options,
        deadline until
    )
    {
        if (!line)
        {
            line = make_connection(executor_, server, &tls_, settings_.tls.server_name);
            auto connected = co_await line->connect(until);
            if (!connected)
                co_return connected.error();
        }
        auto written = co_await line->write(message, until);
        if (!written)
            co_return after_send(written.error(), message);
        auto answer = co_await line->read(options.max_body, until);
        if (!answer)
            co_return after_send(answer.error(), message);
        co_return answer;
    }

    // Once bytes have left, "unavailable" would promise that nothing arrived: the outcome is unknown instead.
    static error after_send(const error& failure, const request& message)
    {
        const bool harmless = message.method() == verb::get || message.method() == verb::head;
        if (failure.code() == errc::unavailable && !harmless)
            return {errc::timed_out, failure.message() + " (the connection broke, the outcome is unknown)"};
        return failure;
    }

    std::unique_ptr<connection> take_idle(const origin& server)
    {
        auto& idle = idle_[server];
        const auto oldest = std::chrono::steady_clock::now() - settings_.max_idle;
        while (!idle.empty())
        {
            idle_connection last = std::move(idle.back());
            idle.pop_back();
            if (last.since >= oldest && !last.line->stale())
                return std::move(last.line);
        }
        return nullptr;
    }

    void give_back(const origin& server, std::unique_ptr<connection> line)
    {
        auto& idle = idle_[server];
        const auto now = std::chrono::steady_clock::now();
        while (!idle.empty() && (idle.size() >= settings_.max_idle_per_origin ||
                                 idle.front().since < now - settings_.max_idle))
            idle.pop_front();
        idle.push_back({std::move(line), now});
    }

    asio::any_io_executor executor_;
    client_settings settings_;
    asio::ssl::context tls_;
    std::map<origin, std::deque<idle_connection>> idle_;
};

}  // namespace

result<std::unique_ptr<client>> make_client(asio::any_io_executor executor, const client_settings& settings)
{
    auto made = std::make_unique<pooled_client>(executor, settings);
    auto configured = made->configure_tls();
    if (!configured)
        return configured.error();
    return std::unique_ptr<client>(std::move(made));
}

}  // namespace portitor::http
