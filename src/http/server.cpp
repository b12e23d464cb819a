#include "http/listen_endpoint.hpp"
#include "http/session.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>

namespace portitor::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using error_code = boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

using concrete_socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;

// So many sets of buffers wait for the next request; more go back to the system.
constexpr std::size_t most_spare = 64;

std::chrono::milliseconds tick_for(const server_limits& limits)
{
    using std::chrono::milliseconds;
    const milliseconds shortest = std::min({limits.idle, limits.read_request, limits.write_reply});
    return std::clamp(shortest / 4, milliseconds(1), milliseconds(1000));
}

using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

error_code open_acceptor(tcp::acceptor& acceptor, const listen_endpoint& where, bool share_port)
{
    error_code ec;
    acceptor.open(where.at.protocol(), ec);
    if (!ec && where.every_address)
        acceptor.set_option(asio::ip::v6_only(false), ec);
    if (!ec)
        acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec && share_port)
        acceptor.set_option(reuse_port(true), ec);
    if (!ec)
        acceptor.bind(where.at, ec);
    if (!ec)
        acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (ec && acceptor.is_open())
    {
        error_code ignored;
        acceptor.close(ignored);
    }
    return ec;
}

bool lacks_ipv6(error_code ec)
{
    return ec == asio::error::address_family_not_supported ||
           ec == boost::system::errc::address_not_available;
}

}  // namespace

/// Connections keep the one that they began with.
struct server::tls_context
{
    asio::ssl::context context{asio::ssl::context::tls_server};
};

server::server(asio::io_context& context, logger log, handler answer, server_limits limits)
    : context_(context), log_(log), answer_(std::move(answer)), limits_(limits), acceptor_(context),
      sessions_(context.get_executor(), log), housekeeping_(context.get_executor(), log),
      shares_(std::make_unique<peer_shares>()), tick_length_(tick_for(limits))
{}

namespace {

void write(const response& message, response_writer& out)
{
    out.status(message.result_int());
    for (const auto& each : message)
    {
        if (each.name() == field::connection || each.name() == field::content_length)
            continue;
        out.header(
            {each.name_string().data(), each.name_string().size()}, {each.value().data(), each.value().size()}
        );
    }
    out.finish(message.body());
}

pending_answer write_when_made(asio::awaitable<reply> making, response_writer& out)
{
    reply made = co_await std::move(making);
    write(made.message, out);
    co_return std::move(made.on_written);
}

handler handler_of(message_handler answer)
{
    return [answer = std::move(answer)](const server_request& message, response_writer& out) {
        return std::optional(write_when_made(answer(message), out));
    };
}

}  // namespace

server::server(asio::io_context& context, logger log, message_handler answer, server_limits limits)
    : server(context, std::move(log), handler_of(std::move(answer)), limits)
{}

server::~server() = default;

result<void> server::listen(std::string_view text, bool share_port)
{
    const auto where = parse_listen_endpoint(text);
    if (!where)
        return where.error();
    error_code ec = open_acceptor(acceptor_, *where, share_port);
    if (where->every_address && lacks_ipv6(ec))
        ec = open_acceptor(acceptor_, {tcp::endpoint(tcp::v4(), where->at.port())}, share_port);
    if (ec)
        return fail(errc::refused, "cannot listen on {}: {}", text, ec.message());
    return {};
}

std::uint16_t server::port() const
{
    error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
}

result<void> server::use_tls(const server_tls& identity)
{
    auto fresh = std::make_shared<tls_context>();
    asio::ssl::context& context = fresh->context;
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    // Renegotiation lets a client make us work; idle connections give their buffers back.
    SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
    error_code ec;
    context.use_certificate_chain(asio::buffer(identity.certificate), ec);
    if (ec)
        return fail(errc::invalid, "the certificate cannot be read: {}", ec.message());
    context.use_private_key(asio::buffer(identity.private_key), asio::ssl::context::pem, ec);
    if (ec)
        return fail(errc::invalid, "the private key cannot be read, or is not the certificate's");
    if (SSL_CTX_check_private_key(context.native_handle()) != 1)
        return fail(errc::invalid, "the private key is not the certificate's");
    tls_ = std::move(fresh);
    return {};
}

void server::count_in(metrics& numbers)
{
    const std::string name = "portitor_http_connections_refused_total";
    const std::string help = "Connections that were closed for want of room";
    count_open_ = &numbers.gauge("portitor_http_connections", "Connections of clients that are open");
    count_full_ = &numbers.counter(name, help, {{"reason", "full"}});
    count_share_ = &numbers.counter(name, help, {{"reason", "peer_share"}});
    count_memory_ = &numbers.counter(name, help, {{"reason", "memory"}});
}

void server::refused(const char* why, counter* count)
{
    if (count != nullptr)
        count->add();
    if (!std::exchange(refusing_, true))
        log_.warn("refusing connections", {{"why", why}, {"open", open_.size()}});
}

void server::make_room()
{
    while (unfinished_ > limits_.max_unfinished)
    {
        const auto largest =
            std::max_element(open_.begin(), open_.end(), [](const session* left, const session* right) {
                return left->held() < right->held();
            });
        refused("requests that are not whole hold too much", count_memory_);
        (*largest)->give_up();
    }
}

std::unique_ptr<server::work> server::take_work()
{
    if (spare_.empty())
        return std::make_unique<work>();
    auto taken = std::move(spare_.back());
    spare_.pop_back();
    return taken;
}

void server::give_back(std::unique_ptr<work> done)
{
    // What a large request has blown up is not kept.
    if (spare_.size() < most_spare && done->input.capacity() <= 4 * 8 * 1024)
        spare_.push_back(std::move(done));
}

namespace {

// Keeps the session, and what its stream refers to, for as long as its coroutine runs.
template <typename Session, typename Context>
asio::awaitable<void, asio::io_context::executor_type>
serve(std::unique_ptr<Session> session, std::shared_ptr<Context>)
{
    co_await session->run();
}

}  // namespace

asio::awaitable<void> server::run()
{
    if (draining_)
        co_return;
    housekeeping_.spawn("limits", keep_limits());
    while (!draining_)
    {
        auto [ec, accepted] = co_await acceptor_.async_accept(context_.get_executor(), as_result);
        if (draining_ || ec == asio::error::operation_aborted)
            break;
        if (ec)
        {
            // Out of descriptors, most likely: give the running sessions time to return some.
            log_.warn("cannot accept a connection", {{"err", ec.message()}});
            co_await sleep_for(std::chrono::milliseconds(100));
            continue;
        }
        concrete_socket socket(std::move(accepted));
        const tcp::endpoint from = socket.remote_endpoint(ec);
        const peer_shares::peer who = peer_shares::of(from.address());
        if (ec)
            continue;  // it has gone already
        if (!shares_->may_have_another(who, places()))
        {
            const bool full = open_.size() >= places();
            refused(
                full ? "all places are taken" : "a peer has its share", full ? count_full_ : count_share_
            );
            continue;  // the socket closes here
        }
        refusing_ = refusing_ && 2 * open_.size() > places();
        socket.set_option(tcp::no_delay(true), ec);
        if (tls_)
        {
            using stream = asio::ssl::stream<concrete_socket>;
            auto made =
                std::make_unique<stream_session<stream>>(*this, who, std::move(socket), tls_->context);
            sessions_.spawn("https", serve(std::move(made), tls_));
        }
        else
        {
            auto made = std::make_unique<stream_session<concrete_socket>>(*this, who, std::move(socket));
            sessions_.spawn("http", serve(std::move(made), tls_));
        }
    }
}

asio::awaitable<void> server::keep_limits()
{
    asio::steady_timer timer(context_);
    for (;;)
    {
        timer.expires_after(tick_length_);
        co_await timer.async_wait(asio::use_awaitable);
        ++tick_;
        // A session that ends here leaves the list only later, on its own turn.
        for (session* each : open_)
            each->expire(tick_);
    }
}

asio::awaitable<void> server::drain(std::chrono::milliseconds limit)
{
    draining_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (session* each : open_)
        each->close_soon();
    asio::steady_timer deadline(context_, limit);
    deadline.async_wait([this](error_code ec) {
        if (!ec)
            sessions_.cancel();
    });
    co_await sessions_.join();
    housekeeping_.cancel();
    co_await housekeeping_.join();
}

}  // namespace portitor::http
