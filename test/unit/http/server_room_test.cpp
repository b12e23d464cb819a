#include "server_fixture.hpp"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace portitor;
using namespace portitor::http;
using namespace portitor::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// A client's connection from an address of this machine.
class line_from
{
public:
    line_from(const std::string& address, std::uint16_t port)
        : line_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        const asio::ip::tcp::endpoint here(asio::ip::make_address(address), 0);
        const asio::ip::tcp::endpoint there(asio::ip::address_v4::loopback(), port);
        const int at_once = 1;
        ::setsockopt(line_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        REQUIRE(::bind(line_, here.data(), static_cast<socklen_t>(here.size())) == 0);
        REQUIRE(::connect(line_, there.data(), static_cast<socklen_t>(there.size())) == 0);
    }
    line_from(line_from&& other) noexcept : line_(std::exchange(other.line_, -1)) {}
    line_from& operator=(line_from&&) = delete;
    ~line_from()
    {
        if (line_ >= 0)
            ::close(line_);
    }

    void send(const std::string& bytes) const
    {
        REQUIRE(::send(line_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    }

    bool is_closed() const
    {
        char byte = 0;
        const auto got = ::recv(line_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
        return got == 0 || (got < 0 && errno != EAGAIN);
    }

    std::string received() const
    {
        char bytes[1000];
        const auto got = ::recv(line_, bytes, sizeof bytes, MSG_DONTWAIT);
        return {bytes, got > 0 ? static_cast<std::size_t>(got) : 0};
    }

private:
    int line_;
};

void settle(server_fixture& f)
{
    f.context.restart();
    for (int i = 0; i < 300; ++i)
        f.context.poll();
}

}  // namespace

TEST_CASE("one peer cannot take all connections, and what is refused is counted", "[http][http_server]")
{
    server_limits limits;
    limits.max_connections = 16;
    metrics numbers;
    server_fixture f(limits);
    f.served->count_in(numbers);
    std::vector<line_from> lines;
    for (int i = 0; i < 12; ++i)
        lines.emplace_back("127.0.0.2", f.served->port());
    settle(f);
    CHECK(f.served->connections() == 9);
    CHECK(lines[11].is_closed());
    CHECK(has(numbers.expose(), "portitor_http_connections 9\n"));
    CHECK(has(numbers.expose(), "portitor_http_connections_refused_total{reason=\"peer_share\"} 3\n"));
    CHECK(has(numbers.expose(), "portitor_http_connections_refused_total{reason=\"full\"} 0\n"));
    auto other = f.connect();
    run(f.context, other->send(get("/other")));
    CHECK(run(f.context, other->read_message()).ends_with("GET /other "));
    std::vector<line_from> more;
    for (int i = 3; i < 40; ++i)
        more.emplace_back("127.0.0." + std::to_string(i), f.served->port());
    settle(f);
    CHECK(f.served->connections() == 16);
    CHECK(has(numbers.expose(), "portitor_http_connections_refused_total{reason=\"full\"} 31\n"));
    lines.clear();
    more.clear();
    run_until(f.context, [&] { return f.served->connections() == 1; });
    CHECK(has(numbers.expose(), "portitor_http_connections 1\n"));
    CHECK(run(f.context, f.connect()->send(get("/x"))));
}

TEST_CASE(
    "requests that are not whole hold no more than they may: the largest ends first", "[http][http_server]"
)
{
    server_limits limits;
    limits.max_unfinished = 256 * 1024;
    metrics numbers;
    server_fixture f(limits);
    f.served->count_in(numbers);
    const bool in_body = GENERATE(false, true);
    const line_from honest("127.0.0.1", f.served->port());
    honest.send("POST /honest HTTP/1.1\r\nHost: x\r\n");
    const std::string filler(40'000, 'x');
    std::vector<line_from> lines;
    for (int i = 0; i < 20; ++i)
    {
        lines.emplace_back("127.0.0.2", f.served->port());
        lines.back().send(
            in_body ? "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n" + filler
                    : "GET / HTTP/1.1\r\nX: " + filler
        );
        settle(f);
    }
    std::size_t ended = 0;
    for (const line_from& each : lines)
        ended += each.received().starts_with("HTTP/1.1 408 ") ? 1 : 0;
    CHECK(ended >= 12);
    CHECK(ended < 20);
    CHECK_FALSE(has(numbers.expose(), "portitor_http_connections_refused_total{reason=\"memory\"} 0\n"));
    honest.send("Content-Length: 2\r\n\r\nok");
    settle(f);
    CHECK(has(honest.received(), "POST /honest ok"));
}

TEST_CASE("a header that comes in pieces is the same request", "[http][http_server]")
{
    server_fixture f;
    const std::string filler = std::string(static_cast<std::size_t>(GENERATE(10, 3000, 30'000)), 'y');
    const std::string bytes =
        get("/first", "X: " + filler + "\r\n") + post("/second", "body") + get("/third");
    const auto piece = static_cast<std::size_t>(GENERATE(1, 7, 2048, 5000));
    if (piece == 1 && filler.size() > 3000)
        return;
    const line_from line("127.0.0.1", f.served->port());
    CAPTURE(piece, filler.size());
    std::string answers;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
    {
        line.send(bytes.substr(at, piece));
        for (int i = 0; i < 20; ++i)
            f.context.poll();
    }
    run_until(f.context, [&] { return f.delivered.size() == 3; });
    for (std::string some = line.received(); !some.empty(); some = line.received())
        answers += some;
    CHECK(has(answers, "GET /first "));
    CHECK(has(answers, "POST /second body"));
    CHECK(answers.ends_with("GET /third "));
    REQUIRE(f.seen.size() == 3);
    CHECK(f.seen[0]["X"] == filler);
}

#if defined(NDEBUG)
TEST_CASE("8192 headers that drip hold less than 100 MB", "[http][http_server]")
{
    constexpr std::size_t many = 200;
    server_fixture f;
    const auto size = static_cast<std::size_t>(GENERATE(1, 1500));
    const std::string text = get("/x", "X: " + std::string(size, 'x')).substr(0, 20 + size);
    std::vector<line_from> lines;
    lines.reserve(many);
    const auto drip = [&](std::size_t count) {
        while (lines.size() < count)
        {
            lines.emplace_back("127.0.0.1", f.served->port());
            lines.back().send(text);
        }
        settle(f);
        for (const line_from& each : lines)
            each.send("y");
        settle(f);
    };
    drip(4);  // what is made once
    const std::size_t before = ::mallinfo2().uordblks;
    drip(many);
    const std::size_t each = (::mallinfo2().uordblks - before) / (many - 4);
    CHECK(f.served->connections() == many);
    CAPTURE(each);
    CHECK(8192 * each < 100'000'000);
}
#endif
