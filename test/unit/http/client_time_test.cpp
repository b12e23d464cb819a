#include "catch.hpp"
#include "dns_server.hpp"
#include "run.hpp"
#include "wire.hpp"

#include <portitor/http/client.hpp>

#include <boost/asio/co_spawn.hpp>

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <sys/socket.h>
#include <unistd.h>

using namespace portitor;
using namespace portitor::http;
using namespace std::chrono_literals;
using portitor::test::dns_reply;
using portitor::test::dns_server;
using portitor::test::run;
using portitor::test::wire;
using portitor::test::wire_server;
namespace asio = boost::asio;
using asio::ip::tcp;
using kind = dns_reply::kind;

namespace {

constexpr std::chrono::milliseconds limit = 150ms;
constexpr std::chrono::milliseconds slack = 350ms;  // for a machine that has much to do

struct world
{
    asio::io_context context;
    dns_reply named{kind::answer, {"127.0.0.1"}, 0};
    dns_server names{context, [this](const dns_server::question& about) { return about_name(about); }};
    std::map<std::string, dns_reply> others;
    std::unique_ptr<wire_server> peer;
    std::unique_ptr<client> asking;

    ~world()
    {
        asking.reset();
        run(context, names.stop());
        if (peer)
            run(context, peer->stop());
    }

    world()
    {
        client_settings settings;
        settings.max_idle = 0ms;
        settings.names = make_dns({names.address(), "", 10s});
        settings.names_within.least_ttl = settings.names_within.most_ttl = 0ms;
        settings.names_within.patience = 50ms;
        settings.log = logger(log_level::error, log_format::text);
        asking = make_client(context.get_executor(), settings).value();
    }

    dns_reply about_name(const dns_server::question& about)
    {
        if (about.tcp)
            return {kind::drip};
        const auto other = others.find(about.name);
        return other == others.end() ? named : other->second;
    }

    void serve(wire_server::script script)
    {
        peer = std::make_unique<wire_server>(context, std::move(script));
    }
    void serve_ok()
    {
        serve([](wire& line, int) -> asio::awaitable<void> {
            co_await line.read_message();
            co_await line.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            co_await line.read_message();
        });
    }

    asio::awaitable<result<response>> ask(origin server)
    {
        client_options options;
        options.timeout = limit;
        return asking->send(std::move(server), request(verb::get, "/", 11), options);
    }

    /// The code of a call's failure, after checking that it ended in its time.
    errc fails(origin server)
    {
        const auto before = std::chrono::steady_clock::now();
        const auto answer = run(context, ask(std::move(server)));
        const auto took = std::chrono::steady_clock::now() - before;
        CHECK(took < limit + slack);
        CHECK_FALSE(answer.has_value());
        return answer.has_value() ? errc::invalid : answer.error().code();
    }
};

/// Lets nobody in, and says nothing: its queue of connections is full.
class full_listener
{
public:
    explicit full_listener(const tcp::endpoint& at)
    {
        acceptor_.open(at.protocol());
        acceptor_.bind(at);
        acceptor_.listen(0);
        const tcp::endpoint there = acceptor_.local_endpoint();
        for (int& each : queue_)
        {
            each = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            ::connect(each, there.data(), static_cast<socklen_t>(there.size()));
        }
    }
    full_listener(const full_listener&) = delete;
    full_listener& operator=(const full_listener&) = delete;
    ~full_listener()
    {
        for (const int each : queue_)
            ::close(each);
    }

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

private:
    asio::io_context context_;
    tcp::acceptor acceptor_{context_};
    std::array<int, 4> queue_{};
};

}  // namespace

TEST_CASE("a call ends in its time whatever the name server does", "[http][time]")
{
    world w;
    w.named = GENERATE(
        dns_reply{kind::silence},
        dns_reply{kind::truncated},
        dns_reply{kind::answer, {"127.0.0.1"}, 30, 2s},
        dns_reply{kind::no_name},
        dns_reply{kind::failure}
    );
    CHECK(w.fails({"http", "pay.shop.test", 80}) == errc::unavailable);
}

TEST_CASE("a name server that hangs for one name holds up no call to another", "[http][time]")
{
    world w;
    w.serve_ok();
    for (int i = 0; i < 20; ++i)
        w.others["hangs" + std::to_string(i) + ".test"] = {kind::silence};
    int hanging = 0;
    for (const auto& [host, reply] : w.others)
    {
        ++hanging;
        asio::co_spawn(w.context, w.ask({"http", host, 80}), [&](const auto&, const auto&) { --hanging; });
    }
    w.context.run_for(20ms);
    CHECK(hanging == 20);
    const auto answer = run(w.context, w.ask({"http", "pay.shop.test", w.peer->origin().port}));
    CHECK(answer.has_value());
    CHECK(hanging == 20);
    const auto until = std::chrono::steady_clock::now() + limit + slack;
    while (hanging > 0 && std::chrono::steady_clock::now() < until)
        w.context.run_one_for(10ms);
    CHECK(hanging == 0);
}

TEST_CASE("calls go on to the last good address while the name server hangs", "[http][time]")
{
    world w;
    w.serve_ok();
    const origin server{"http", "pay.shop.test", w.peer->origin().port};
    CHECK(run(w.context, w.ask(server)).has_value());
    w.named = {kind::silence};
    const std::size_t before = w.names.asked().size();
    CHECK(run(w.context, w.ask(server)).has_value());
    CHECK(w.names.asked().size() > before);
    CHECK(run(w.context, w.ask(server)).has_value());
    CHECK(w.peer->connections() == 3);
}

TEST_CASE("a call ends in its time where the connection hangs", "[http][time]")
{
    world w;
    const full_listener full({asio::ip::address_v4::loopback(), 0});
    CHECK(w.fails({"http", "pay.shop.test", full.port()}) == errc::unavailable);
}

TEST_CASE("an address that hangs leaves time for the next one", "[http][time]")
{
    world w;
    w.serve_ok();
    const std::uint16_t port = w.peer->origin().port;
    const full_listener full({asio::ip::make_address_v4("127.0.0.2"), port});
    w.named.addresses = {"127.0.0.2", "127.0.0.1"};
    client_options options;
    options.timeout = 1s;
    const auto answer =
        run(w.context, w.asking->send({"http", "pay.shop.test", port}, request(verb::get, "/", 11), options));
    CHECK(answer.has_value());
}

TEST_CASE("a call ends in its time where TLS hangs or drips", "[http][time]")
{
    world w;
    const bool drips = GENERATE(false, true);
    w.serve([drips](wire& line, int) -> asio::awaitable<void> {
        bool open = true;
        // The head of a record of a handshake message, and its beginning.
        std::string record("\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb\x03\x03", 11);
        record += std::string(2000, 'x');
        for (std::size_t at = 0; drips && open && at < record.size(); ++at)
        {
            open = co_await line.send(record.substr(at, 1));
            co_await sleep_for(2ms);
        }
        if (!drips)
            co_await line.read_to_end();
    });
    CHECK(w.fails({"https", "pay.shop.test", w.peer->origin().port}) == errc::unavailable);
}

TEST_CASE("a call ends in its time where the answer hangs or drips", "[http][time]")
{
    world w;
    const std::string begin = GENERATE(
        "",
        "HTTP/1.1 200 OK\r\nX: ",
        "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"
    );
    const bool drips = GENERATE(false, true);
    w.serve([=](wire& line, int) -> asio::awaitable<void> {
        co_await line.read_message();
        bool open = co_await line.send(begin);
        while (drips && open)
        {
            open = co_await line.send("x");
            co_await sleep_for(5ms);
        }
        co_await line.read_to_end();
    });
    const errc how = w.fails({"http", "pay.shop.test", w.peer->origin().port});
    CHECK((how == errc::timed_out || (begin.empty() && drips && how == errc::protocol)));
}

TEST_CASE("a call ends in its time where the server does not take the request", "[http][time]")
{
    world w;
    w.serve([](wire&, int) -> asio::awaitable<void> { co_await sleep_for(5s); });
    request large(verb::post, "/", 11);
    large.body().assign(16 << 20, 'x');
    client_options options;
    options.timeout = limit;
    const auto before = std::chrono::steady_clock::now();
    const auto answer =
        run(w.context, w.asking->send({"http", "pay.shop.test", w.peer->origin().port}, large, options));
    CHECK(answer.error().code() == errc::timed_out);
    CHECK(std::chrono::steady_clock::now() - before < limit + slack);
}
