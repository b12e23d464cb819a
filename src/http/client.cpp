#include "http/connection.hpp"

#include <portitor/http/client.hpp>

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
    if (!tls.ca.empty())
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

/// Connections that lie idle, to be used again. Readers of a body may outlive the client, and with it this.
class idle_pool
{
public:
    explicit idle_pool(const client_settings& settings)
        : most_(settings.max_idle_per_origin), longest_(settings.max_idle)
    {}

    /// A connection that the server has not closed, or null.
    std::unique_ptr<connection> take(const origin& server)
    {
        auto& idle = idle_[server];
        const auto oldest = std::chrono::steady_clock::now() - longest_;
        while (!idle.empty())
        {
            entry last = std::move(idle.back());
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
        while (!idle.empty() && (idle.size() >= most_ || idle.front().since < now - longest_))
            idle.pop_front();
        idle.push_back({std::move(line), now});
    }

private:
    struct entry
    {
        std::unique_ptr<connection> line;
        deadline since;
    };

    std::size_t most_;
    std::chrono::milliseconds longest_;
    std::map<origin, std::deque<entry>> idle_;
};

// May be sent again without harm.
bool is_harmless(const request& message, const client_options& options)
{
    return !options.has_effect && (message.method() == verb::get || message.method() == verb::head);
}

class pooled_client final : public client
{
public:
    pooled_client(asio::any_io_executor executor, client_settings settings)
        : executor_(executor), settings_(std::move(settings)),
          names_(
              executor,
              settings_.names ? settings_.names : make_dns(),
              time_,
              settings_.log,
              settings_.names_within
          )
    {}

    result<void> use_tls(const tls_settings& tls) override
    {
        auto fresh = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
        auto configured = configure(*fresh, tls);
        if (!configured)
            return configured;
        settings_.tls = tls;
        // A connection keeps what it needs of the context that it was made with.
        tls_ = std::move(fresh);
        needs_system_roots_ = tls.ca.empty();
        pool_ = std::make_shared<idle_pool>(settings_);
        return {};
    }

    asio::awaitable<result<response>> send(origin server, request message, client_options options) override
    {
        const deadline until = std::chrono::steady_clock::now() + options.timeout;
        prepare(message, server, true);
        const auto pool = pool_;
        std::unique_ptr<connection> line = pool->take(server);
        const bool reused = line != nullptr;
        auto answer = co_await exchange(line, server, message, options, until);
        // Between the check and the write the server may have closed an idle connection. What has no effect
        // may be sent again then; all else is the caller's decision.
        if (!answer && reused && is_harmless(message, options) && answer.error().code() == errc::unavailable)
        {
            line.reset();
            answer = co_await exchange(line, server, message, options, until);
        }
        if (answer && line->reusable())
            pool->give_back(server, std::move(line));
        co_return answer;
    }

    asio::awaitable<result<std::unique_ptr<body_stream>>>
    open(origin server, request message, client_options options) override
    {
        const deadline until = std::chrono::steady_clock::now() + options.timeout;
        prepare(message, server, options.pooled);
        std::unique_ptr<connection> line = options.pooled ? pool_->take(server) : nullptr;
        const bool reused = line != nullptr;
        auto stream = co_await begin(std::move(line), server, message, options, until);
        if (!stream && reused && is_harmless(message, options) && stream.error().code() == errc::unavailable)
            stream = co_await begin(nullptr, server, message, options, until);
        co_return stream;
    }

private:
    static void prepare(request& message, const origin& server, bool keep)
    {
        message.version(11);
        // Another name may be asked for at this address.
        if (message[field::host].empty())
            message.set(field::host, server.authority());
        message.set(field::user_agent, "portitor/" PORTITOR_VERSION);
        message.keep_alive(keep);
        message.prepare_payload();
    }

    asio::awaitable<result<void>>
    connect(std::unique_ptr<connection>& line, const origin& server, deadline until)
    {
        if (server.scheme == "https" && needs_system_roots_)
        {
            // Some hundred certificates: many a client never needs them.
            boost::system::error_code ec;
            tls_->set_default_verify_paths(ec);
            if (ec)
                co_return fail(errc::unavailable, "the system's CA bundle cannot be read: {}", ec.message());
            needs_system_roots_ = false;
        }
        line = make_connection(executor_, names_, server, tls_.get(), settings_.tls.server_name);
        co_return co_await line->connect(until);
    }

    // Connects `line` where it is null, and sends the request.
    asio::awaitable<result<void>> transmit(
        std::unique_ptr<connection>& line,
        const origin& server,
        const request& message,
        const client_options& options,
        deadline until
    )
    {
        if (!line)
        {
            auto connected = co_await connect(line, server, until);
            if (!connected)
                co_return connected;
        }
        const auto all = line->write_at_once(message, until);
        if (!all)
            co_return after_send(all.error(), message, options);
        if (*all)
            co_return result<void>();
        auto written = co_await line->write_rest();
        if (!written)
            co_return after_send(written.error(), message, options);
        co_return written;
    }

    // One request and its answer.
    asio::awaitable<result<response>> exchange(
        std::unique_ptr<connection>& line,
        const origin& server,
        request& message,
        const client_options& options,
        deadline until
    )
    {
        auto sent = co_await transmit(line, server, message, options, until);
        if (!sent)
            co_return sent.error();
        auto answer = co_await line->read(options.max_header, options.max_body, until);
        if (!answer)
            co_return after_send(answer.error(), message, options);
        co_return answer;
    }

    // One request and the header of its answer.
    asio::awaitable<result<std::unique_ptr<body_stream>>> begin(
        std::unique_ptr<connection> line,
        const origin& server,
        request& message,
        const client_options& options,
        deadline until
    )
    {
        auto sent = co_await transmit(line, server, message, options, until);
        if (!sent)
            co_return sent.error();
        connection_taker give_back;
        if (options.pooled)
            give_back = [pool = std::weak_ptr(pool_), server](std::unique_ptr<connection> finished) {
                if (const auto held = pool.lock())
                    held->give_back(server, std::move(finished));
            };
        connection& reader = *line;
        auto stream = co_await reader.read_stream(std::move(line), until, std::move(give_back));
        if (!stream)
            co_return after_send(stream.error(), message, options);
        co_return stream;
    }

    // Once bytes have left, "unavailable" would promise that nothing arrived: the outcome is unknown instead.
    static error after_send(const error& failure, const request& message, const client_options& options)
    {
        if (failure.code() == errc::unavailable && !is_harmless(message, options))
            return {errc::timed_out, failure.message() + " (the connection broke, the outcome is unknown)"};
        return failure;
    }

    asio::any_io_executor executor_;
    client_settings settings_;
    steady_timekeeper time_;
    name_lookup names_;
    std::unique_ptr<asio::ssl::context> tls_;
    bool needs_system_roots_ = false;
    std::shared_ptr<idle_pool> pool_;
};

}  // namespace

result<std::unique_ptr<client>> make_client(asio::any_io_executor executor, const client_settings& settings)
{
    auto made = std::make_unique<pooled_client>(executor, settings);
    auto configured = made->use_tls(settings.tls);
    if (!configured)
        return configured.error();
    return std::unique_ptr<client>(std::move(made));
}

}  // namespace portitor::http
