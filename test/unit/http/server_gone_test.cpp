#include "tls_server_fixture.hpp"

using namespace portitor;
using namespace portitor::http;
using namespace portitor::test;
using namespace std::chrono_literals;

namespace {

// A server tells a peer that has gone by what the kernel has of it, so that must have come.
constexpr auto on_its_way = 5ms;

constexpr std::size_t more_than_is_read_ahead = 30'000;

// What a client may have sent behind the request that is judged. The last one is more than is read ahead.
std::vector<std::string> texts_behind()
{
    return {
        "",
        "P",
        post("/next", "!").substr(0, 20),
        post("/next", "!"),
        post("/next", "!") + post("/quick", "!") + "POST",
        post("/next", std::string(more_than_is_read_ahead, 'x')),
    };
}

template <typename Wire>
using leaving = std::function<void(Wire&)>;

// Asks for "/held" once for each way to leave and each text behind it, and leaves while that is judged.
template <typename Wire, typename Connect>
void check_gone(server_fixture& f, const std::vector<leaving<Wire>>& ways, Connect connect)
{
    std::vector<std::unique_ptr<Wire>> lines;
    for (const auto& leave : ways)
    {
        for (const std::string& behind : texts_behind())
        {
            for (const bool together : {true, false})
            {
                lines.push_back(connect());
                Wire& line = *lines.back();
                run(f.context, line.send(post("/held", "!") + (together ? behind : "")));
                run_until(f.context, [&] { return f.requests == static_cast<int>(lines.size()); });
                if (!together)
                    run(f.context, line.send(behind));
                leave(line);
            }
        }
    }
    run(f.context, sleep_for(on_its_way));
    f.held.open();
    run_until(f.context, [&] { return f.delivered.size() == lines.size(); });
    CHECK(f.delivered == std::vector<bool>(lines.size(), false));
    // Nothing was written, and nothing is asked for that was sent behind.
    for (const auto& line : lines)
        CHECK(run(f.context, line->at_end()));
    CHECK(f.requests == static_cast<int>(lines.size()));
    run_until(f.context, [&] { return f.served->connections() == 0; });
}

// Sends three more requests behind "/held" while that is judged, cut in two at every `step`th byte: the rest
// follows when it has been answered.
template <typename Wire, typename Connect, typename Read>
void check_stays(server_fixture& f, std::size_t step, Connect connect, Read read_four)
{
    const std::string behind = post("/1", "!") + post("/quick", "!") + post("/2", "!");
    std::vector<std::pair<std::unique_ptr<Wire>, std::size_t>> lines;
    for (std::size_t cut = 0; cut <= behind.size(); cut += step)
    {
        lines.emplace_back(connect(), cut);
        run(f.context, lines.back().first->send(post("/held", "!")));
        run_until(f.context, [&] { return f.requests == static_cast<int>(lines.size()); });
        run(f.context, lines.back().first->send(behind.substr(0, cut)));
    }
    run(f.context, sleep_for(on_its_way));
    f.held.open();
    run_until(f.context, [&] { return f.delivered.size() >= lines.size(); });
    for (const auto& [line, cut] : lines)
    {
        CAPTURE(cut);
        run(f.context, line->send(behind.substr(cut)));
        const std::string answers = read_four(*line);
        CHECK(count_of(answers, "HTTP/1.1 200 ") == 4);
        const auto first = answers.find("POST /1 !");
        REQUIRE(first != answers.npos);
        CHECK(answers.find("POST /held !") < first);
        CHECK(answers.find("/quick !", first) < answers.find("POST /2 !", first));
        CHECK(answers.ends_with("POST /2 !"));
    }
    CHECK(std::find(f.delivered.begin(), f.delivered.end(), false) == f.delivered.end());
}

void use_version(tls_fixture& f, int version)
{
    SSL_CTX_set_min_proto_version(f.trust.native_handle(), version);
    SSL_CTX_set_max_proto_version(f.trust.native_handle(), version);
}

}  // namespace

TEST_CASE("a client that left while its request was judged gets nothing", "[core][http_server]")
{
    server_fixture f;
    check_gone<wire>(f, {&wire::close, &wire::close_sending, &wire::reset}, [&] { return f.connect(); });
}

TEST_CASE("over TLS a client that left while its request was judged gets nothing", "[core][http_server]")
{
    tls_fixture f;
    use_version(f, GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
    const auto farewell_and_close = [](tls_wire& line) {
        line.say_farewell();
        line.close();
    };
    check_gone<tls_wire>(
        f,
        {farewell_and_close, &tls_wire::close, &tls_wire::close_sending, &tls_wire::reset},
        [&] { return f.connect_tls(); }
    );
}

TEST_CASE(
    "over TLS a client that ended its stream has gone though the connection is open", "[core][http_server]"
)
{
    tls_fixture f;
    use_version(f, GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
    std::vector<std::unique_ptr<tls_wire>> lines;
    for (const std::string& behind : texts_behind())
    {
        if (behind.size() > more_than_is_read_ahead)
            continue;
        lines.push_back(f.connect_tls());
        run(f.context, lines.back()->send(post("/held", "!")));
        run_until(f.context, [&] { return f.requests == static_cast<int>(lines.size()); });
        run(f.context, lines.back()->send(behind));
        lines.back()->say_farewell();
    }
    run(f.context, sleep_for(on_its_way));
    f.held.open();
    run_until(f.context, [&] { return f.delivered.size() == lines.size(); });
    CHECK(f.delivered == std::vector<bool>(lines.size(), false));
    for (const auto& line : lines)
        CHECK(run(f.context, line->at_end()));
}

TEST_CASE("what a client sends while its request is judged is answered after it", "[core][http_server]")
{
    server_fixture f;
    const auto read_four = [&](wire& line) {
        std::string out;
        for (int i = 0; i < 4; ++i)
            out += run(f.context, line.read_message());
        return out;
    };
    check_stays<wire>(
        f, 1, [&] { return f.connect(); }, read_four
    );
}

TEST_CASE(
    "over TLS what a client sends while its request is judged is answered after it", "[core][http_server]"
)
{
    tls_fixture f;
    const auto read_four = [&](tls_wire& line) { return run(f.context, line.read(4)); };
    check_stays<tls_wire>(
        f, 7, [&] { return f.connect_tls(); }, read_four
    );
}

TEST_CASE("over TLS a client may send more than is read ahead", "[core][http_server]")
{
    tls_fixture f;
    auto line = f.connect_tls();
    run(f.context, line->send(post("/held", "!")));
    run_until(f.context, [&] { return f.requests == 1; });
    std::string behind;
    std::size_t count = 0;
    for (; behind.size() < more_than_is_read_ahead; ++count)
        behind += post("/next", "!");
    run(f.context, line->send(behind));
    run(f.context, sleep_for(on_its_way));
    f.held.open();
    const std::string answers = run(f.context, line->read(1 + count));
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 1 + count);
    CHECK(f.delivered == std::vector<bool>(1 + count, true));
}

TEST_CASE("over TLS keys may change while a request is judged", "[core][http_server]")
{
    tls_fixture f;
    auto line = f.connect_tls();
    run(f.context, line->send(post("/held", "!")));
    run_until(f.context, [&] { return f.requests == 1; });
    line->change_keys();
    run(f.context, line->send(post("/quick", "!")));
    run(f.context, sleep_for(on_its_way));
    f.held.open();
    CHECK(count_of(run(f.context, line->read(2)), "HTTP/1.1 200 ") == 2);
    CHECK(f.delivered == std::vector<bool>{true});
    run(f.context, line->send(post("/next", "!")));
    CHECK(run(f.context, line->read(1)).ends_with("POST /next !"));
}

TEST_CASE("a half-closed client reads an answer whose arrival counts for nothing", "[core][http_server]")
{
    tls_fixture f;
    SECTION("over TLS")
    {
        auto line = f.connect_tls();
        run(f.context, line->send(post("/held/uncounted", "!")));
        run_until(f.context, [&] { return f.requests == 1; });
        line->say_farewell();
        f.held.open();
        CHECK(run(f.context, line->read(1)).ends_with("POST /held/uncounted !"));
    }
    SECTION("without")
    {
        server_fixture plain;
        auto line = plain.connect();
        run(plain.context, line->send(post("/held/uncounted", "!")));
        run_until(plain.context, [&] { return plain.requests == 1; });
        line->close_sending();
        plain.held.open();
        CHECK(run(plain.context, line->read_to_end()).ends_with("POST /held/uncounted !"));
    }
}
