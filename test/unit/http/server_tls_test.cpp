#include "tls_server_fixture.hpp"

using namespace portitor;
using namespace portitor::http;
using namespace portitor::test;
using namespace std::chrono_literals;

TEST_CASE("over TLS a connection is kept, and requests are answered in their order", "[core][http_server]")
{
    tls_fixture f;
    auto line = f.connect_tls();
    CHECK(line->peer() == "first");
    for (int i = 0; i < 3; ++i)
    {
        run(f.context, line->send(post("/quick", "one!")));
        CHECK(run(f.context, line->read(1)).ends_with("quick /quick one!"));
        run(f.context, line->send(post("/slow", "two!")));
        CHECK(run(f.context, line->read(1)).ends_with("POST /slow two!"));
    }
    std::string all;
    for (int i = 0; i < 200; ++i)
        all += post(fmt::format("/{}/{:03}", i % 3 == 0 ? "slow" : "quick", i), "!");
    run(f.context, line->send(all));
    const std::string answers = run(f.context, line->read(200));
    std::size_t at = 0;
    for (int i = 0; i < 200 && at != answers.npos; ++i)
        at = answers.find(fmt::format("/{:03} !", i), at);
    CHECK(at != answers.npos);
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 200);
    CHECK(f.requests == 3 + 67);
}

TEST_CASE("over TLS a large body arrives whole, and one that is too large is 413", "[core][http_server]")
{
    tls_fixture f;
    auto line = f.connect_tls();
    const std::string body(60'000, 'x');
    run(f.context, line->send(post("/echo", body + "!")));
    CHECK(run(f.context, line->read(1)).ends_with(body + "!"));
    run(f.context, line->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"));
    CHECK(run(f.context, line->read(1)).starts_with("HTTP/1.1 413 "));
}

// Every answer over TLS is written with waiting, so this is the usual case there.
TEST_CASE("over TLS a request that stays half behind another is 408", "[core][http_server]")
{
    server_limits limits;
    limits.read_request = 300ms;
    tls_fixture f(limits);
    auto line = f.connect_tls();
    run(f.context, line->send(post("/quick", "!") + "GET /half"));
    const std::string answers = run(f.context, line->read(2));
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 1);
    CHECK(count_of(answers, "HTTP/1.1 408 ") == 1);
    run_until(f.context, [&] { return f.served->connections() == 0; });
}

TEST_CASE("over TLS an idle connection is closed after its time", "[core][http_server]")
{
    server_limits limits;
    limits.idle = 200ms;
    tls_fixture f(limits);
    auto line = f.connect_tls();
    run(f.context, line->send(post("/quick", "!")));
    run(f.context, line->read(1));
    CHECK(run(f.context, line->at_end()));
}

TEST_CASE("what is no TLS on a TLS port gets no answer, and others go on", "[core][http_server]")
{
    tls_fixture f;
    auto line = f.connect_tls();
    for (const std::string& text :
         {get("/quick"), std::string(5000, '\0'), std::string("\x16\x03\x01\xff\xff", 5)})
    {
        auto garbage = f.connect();
        run(f.context, garbage->send(text));
        garbage->close_sending();
        CHECK_FALSE(has(run(f.context, garbage->read_to_end()), "HTTP/"));
    }
    run_until(f.context, [&] { return f.served->connections() == 1; });
    run(f.context, line->send(post("/quick", "!")));
    CHECK(run(f.context, line->read(1)).ends_with("!"));
}

TEST_CASE(
    "a handshake that does not come is dropped in time, and no drain waits for it", "[core][http_server]"
)
{
    server_limits limits;
    SECTION("dropped")
    {
        limits.read_request = 200ms;
        tls_fixture f(limits);
        auto line = f.connect();
        CHECK(run(f.context, line->at_end()));
        run_until(f.context, [&] { return f.served->connections() == 0; });
    }
    SECTION("drained")
    {
        tls_fixture f(limits);
        auto line = f.connect();
        run_until(f.context, [&] { return f.served->connections() == 1; });
        const auto before = std::chrono::steady_clock::now();
        run(f.context, f.served->drain(3s));
        CHECK(std::chrono::steady_clock::now() - before < 1s);
    }
}

TEST_CASE("another certificate is for new connections, and old ones go on", "[core][http_server]")
{
    tls_fixture f;
    auto old = f.connect_tls();
    REQUIRE(f.use("second").has_value());
    CHECK(f.connect_tls()->peer() == "second");
    run(f.context, old->send(post("/quick", "!")));
    CHECK(run(f.context, old->read(1)).ends_with("!"));
    REQUIRE(f.use("third").has_value());
    CHECK(f.connect_tls()->peer() == "third");
    run(f.context, old->send(post("/quick", "!")));
    CHECK(run(f.context, old->read(1)).ends_with("!"));
    CHECK(old->peer() == "first");
}

TEST_CASE("a certificate that cannot be used changes nothing", "[core][http_server]")
{
    tls_fixture f;
    const identity one = f.ca.issue("one", "IP:127.0.0.1");
    const identity other = f.ca.issue("other", "IP:127.0.0.1");
    for (const server_tls& wrong :
         {server_tls{one.certificate, other.key},
          server_tls{"no PEM", one.key},
          server_tls{one.certificate, "no PEM"},
          server_tls{"", ""},
          server_tls{one.certificate.substr(0, one.certificate.size() / 2), one.key}})
    {
        const auto used = f.served->use_tls(wrong);
        REQUIRE_FALSE(used.has_value());
        CHECK(used.error().code() == errc::invalid);
        CHECK_FALSE(has(used.error().message(), "PRIVATE KEY"));
    }
    CHECK(f.connect_tls()->peer() == "first");
}

TEST_CASE("no TLS below 1.2 is spoken", "[core][http_server]")
{
    tls_fixture f;
    SSL_CTX_set_security_level(f.trust.native_handle(), 0);
    SSL_CTX_set_min_proto_version(f.trust.native_handle(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(f.trust.native_handle(), TLS1_1_VERSION);
    CHECK_THROWS(f.connect_tls());
    SSL_CTX_set_max_proto_version(f.trust.native_handle(), TLS1_2_VERSION);
    CHECK_NOTHROW(f.connect_tls());
}

TEST_CASE("over TLS a drain lets a running request finish", "[core][http_server]")
{
    tls_fixture f;
    auto idle = f.connect_tls();
    auto busy = f.connect_tls();
    run(f.context, busy->send(post("/held", "!")));
    run_until(f.context, [&] { return f.requests == 1; });
    f.tasks.spawn("drain", f.served->drain(3s));
    CHECK(run(f.context, idle->at_end()));
    f.held.open();
    CHECK(run(f.context, busy->read(1)).ends_with("POST /held !"));
    CHECK(run(f.context, busy->at_end()));
    CHECK(f.delivered == std::vector<bool>{true});
}
