#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"

#include <portitor/core/deadline.hpp>
#include <portitor/http/name_lookup.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <map>
#include <optional>

using namespace portitor;
using namespace std::chrono_literals;
using portitor::test::run;
namespace asio = boost::asio;

namespace {

/// A name service whose questions wait until the test answers them.
struct world
{
    struct question final : http::name_question
    {
        question(world& owner, std::string asked, http::name_taker taker)
            : of(owner), host(std::move(asked)), take(std::move(taker))
        {
            of.asked.push_back(host);
            of.open[host] = this;
        }
        question(const question&) = delete;
        question& operator=(const question&) = delete;
        ~question() override { of.open.erase(host); }

        world& of;
        std::string host;
        http::name_taker take;
    };

    using answer = std::optional<result<http::addresses>>;

    asio::io_context context;
    test::manual_timekeeper time;
    std::map<std::string, question*> open;
    std::vector<std::string> asked;
    http::name_limits limits;
    std::optional<http::name_lookup> names;

    explicit world(http::name_limits of = {}) : limits(of)
    {
        names.emplace(
            context.get_executor(),
            [this](asio::any_io_executor, const std::string& host, http::name_taker take) {
                return std::make_unique<question>(*this, host, std::move(take));
            },
            time,
            logger(log_level::error, log_format::text),
            limits
        );
    }
    ~world()
    {
        pass(48h);  // everybody has gone
        names.reset();
        CHECK(open.empty());
    }

    void settle()
    {
        context.restart();
        context.poll();
    }

    /// Begins a look-up; its answer is there when it has come.
    std::shared_ptr<answer> begin(const std::string& host, std::chrono::milliseconds limit = 5s)
    {
        auto out = std::make_shared<answer>();
        asio::co_spawn(
            context,
            names->look_up({"http", host, 80}, time.now() + limit),
            [out](std::exception_ptr thrown, result<http::addresses> said) {
                if (!thrown)
                    *out = std::move(said);
            }
        );
        settle();
        return out;
    }

    void say(const std::string& host, result<http::name_answer> said)
    {
        const auto which = open.find(host);
        REQUIRE(which != open.end());
        const http::name_taker take = which->second->take;
        take(std::move(said));
        settle();
    }

    void pass(std::chrono::milliseconds by)
    {
        time.advance(by);
        settle();
    }
};

result<http::name_answer> at(const std::string& address, std::chrono::seconds ttl = 30s)
{
    return http::name_answer{{asio::ip::make_address(address)}, ttl};
}

result<http::name_answer> away()
{
    return fail(errc::unavailable, "the server is away");
}

std::string text(const std::shared_ptr<world::answer>& said)
{
    if (!*said)
        return "waiting";
    return **said ? (**said)->at(0).address().to_string() : (**said).error().message();
}

}  // namespace

TEST_CASE("an address needs no look-up", "[http][name]")
{
    world w;
    CHECK(text(w.begin("::1")) == "::1");
    CHECK(w.asked.empty());
}

TEST_CASE("who asks for the same name waits for the same question, and no other", "[http][name]")
{
    world w;
    const auto first = w.begin("shop.test");
    const auto second = w.begin("shop.test");
    const auto other = w.begin("other.test");
    w.say("other.test", at("192.0.2.2"));
    CHECK(text(other) == "192.0.2.2");
    CHECK(text(first) == "waiting");
    w.say("shop.test", at("192.0.2.1"));
    CHECK(text(first) == "192.0.2.1");
    CHECK(text(second) == "192.0.2.1");
    CHECK((**first)->at(0).port() == 80);
    CHECK(w.asked.size() == 2);
    CHECK(w.names->questions() == 0);
}

TEST_CASE("addresses are remembered for their time, within bounds", "[http][name]")
{
    world w;
    w.begin("shop.test");
    const auto [said, good_for] = GENERATE(
        std::pair(0s, 1000ms), std::pair(30s, 30'000ms), std::pair(std::chrono::seconds(1 << 30), 60'000ms)
    );
    w.say("shop.test", at("192.0.2.1", said));
    w.pass(good_for - 1ms);
    CHECK(text(w.begin("shop.test")) == "192.0.2.1");
    CHECK(w.asked.size() == 1);
    w.pass(1ms);
    const auto anew = w.begin("shop.test");
    CHECK(w.asked.size() == 2);
    w.say("shop.test", at("192.0.2.2"));
    CHECK(text(anew) == "192.0.2.2");
}

TEST_CASE("a look-up ends in its time, and its question may still be answered", "[http][name]")
{
    world w;
    const auto late = w.begin("shop.test", 100ms);
    w.pass(99ms);
    CHECK(text(late) == "waiting");
    w.pass(1ms);
    CHECK(text(late) == "cannot resolve shop.test: no answer in time");
    CHECK((**late).error().code() == errc::unavailable);
    CHECK(w.open.size() == 1);
    w.say("shop.test", at("192.0.2.1"));
    CHECK(text(w.begin("shop.test")) == "192.0.2.1");
    CHECK(w.asked.size() == 1);
}

TEST_CASE("a look-up that is canceled ends at once", "[http][name]")
{
    world w;
    asio::cancellation_signal signal;
    bool ended = false;
    asio::co_spawn(
        w.context,
        w.names->look_up({"http", "shop.test", 80}, w.time.now() + 1h),
        asio::bind_cancellation_slot(
            signal.slot(), [&](const std::exception_ptr&, const result<http::addresses>&) { ended = true; }
        )
    );
    w.settle();
    CHECK_FALSE(ended);
    signal.emit(asio::cancellation_type::terminal);
    w.settle();
    CHECK(ended);
}

TEST_CASE("the last good addresses serve while the name server hangs", "[http][name]")
{
    world w;
    w.begin("shop.test");
    w.say("shop.test", at("192.0.2.1"));
    w.pass(31s);
    const auto first = w.begin("shop.test");
    CHECK(text(first) == "waiting");
    w.pass(w.limits.patience);
    CHECK(text(first) == "192.0.2.1");
    // Nobody waits twice for what does not come, and a question that hangs is given up.
    CHECK(text(w.begin("shop.test")) == "192.0.2.1");
    CHECK(w.asked.size() == 2);
    w.pass(w.limits.longest);
    CHECK(text(w.begin("shop.test")) == "192.0.2.1");
    w.pass(w.limits.pause);
    CHECK(text(w.begin("shop.test")) == "192.0.2.1");
    CHECK(w.asked.size() == 3);
    w.say("shop.test", at("192.0.2.2"));
    CHECK(text(w.begin("shop.test")) == "192.0.2.2");
    CHECK(w.asked.size() == 3);
}

TEST_CASE("the last good addresses serve for an hour while the name server fails", "[http][name]")
{
    world w;
    w.begin("shop.test");
    w.say("shop.test", at("192.0.2.1"));
    w.pass(31s);
    const auto first = w.begin("shop.test");
    w.say("shop.test", away());
    CHECK(text(first) == "192.0.2.1");
    // It is left in peace for a while.
    CHECK(text(w.begin("shop.test")) == "192.0.2.1");
    CHECK(w.asked.size() == 2);
    w.pass(w.limits.keep - 32s);
    CHECK(text(w.begin("shop.test")) == "192.0.2.1");
    w.say("shop.test", away());
    w.pass(2s);
    const auto last = w.begin("shop.test");
    w.say("shop.test", away());
    CHECK(text(last) == "cannot resolve shop.test: the server is away");
    CHECK(w.names->names() == 0);
}

TEST_CASE("a name that is gone is gone", "[http][name]")
{
    world w;
    w.begin("shop.test");
    w.say("shop.test", at("192.0.2.1"));
    w.pass(31s);
    const auto gone = w.begin("shop.test");
    w.say("shop.test", fail(errc::not_found, "no such name"));
    CHECK(text(gone) == "cannot resolve shop.test: no such name");
    CHECK((**gone).error().code() == errc::unavailable);
    CHECK(w.names->names() == 0);
}

TEST_CASE("a flood of one owner's names takes no question and no memory of another's", "[http][name]")
{
    http::name_limits limits;
    limits.max_questions = 8;
    limits.max_names = 32;
    world w(limits);
    w.begin("pay.known.test");
    w.say("pay.known.test", at("192.0.2.1"));
    const auto honest = w.begin("pay.honest.test");
    std::vector<std::shared_ptr<world::answer>> flood;
    for (int i = 0; i < 200; ++i)
    {
        w.pass(1ms);
        flood.push_back(w.begin("n" + std::to_string(i) + ".flood.svc.cluster.local"));
        CHECK(w.names->questions() <= 8);
        CHECK(w.names->names() <= 32);
    }
    CHECK(text(flood[0]).ends_with("too many names are being looked up"));
    CHECK(text(flood[199]) == "waiting");
    const auto another = w.begin("pay.another.test");
    w.say("pay.another.test", at("192.0.2.3"));
    CHECK(text(another) == "192.0.2.3");
    CHECK(text(honest) == "waiting");
    w.say("pay.honest.test", at("192.0.2.2"));
    CHECK(text(honest) == "192.0.2.2");
    CHECK(text(w.begin("pay.known.test")) == "192.0.2.1");
    // Also where they are all answered, and remembered.
    for (int i = 0; i < 200; ++i)
    {
        w.pass(1ms);
        const std::string host = "m" + std::to_string(i) + ".flood.svc.cluster.local";
        w.begin(host);
        w.say(host, at("192.0.2.9"));
        CHECK(w.names->names() <= 32);
    }
    const std::size_t asked = w.asked.size();
    CHECK(text(w.begin("pay.known.test")) == "192.0.2.1");
    CHECK(w.asked.size() == asked);
}

TEST_CASE("a question that nobody waits for gives way first", "[http][name]")
{
    http::name_limits limits;
    limits.max_questions = 2;
    world w(limits);
    const auto waits = w.begin("a.test", 1h);
    const auto left = w.begin("b.test", 10ms);
    w.pass(10ms);
    CHECK(text(left) == "cannot resolve b.test: no answer in time");
    const auto third = w.begin("c.test");
    CHECK(w.open.count("b.test") == 0);
    CHECK(text(waits) == "waiting");
    CHECK(text(third) == "waiting");
}

TEST_CASE("names belong together by their last two labels, or by the namespace of a Service", "[http][name]")
{
    CHECK(http::owner_of_name("a.b.example.com") == "example.com");
    CHECK(http::owner_of_name("example.com.") == "example.com");
    CHECK(http::owner_of_name("localhost") == "localhost");
    CHECK(http::owner_of_name("pay.shop.svc") == "shop.svc");
    CHECK(http::owner_of_name("pay.shop.svc.cluster.local") == "shop.svc");
    CHECK(http::owner_of_name("a.pay.shop.svc.cluster.local.") == "shop.svc");
    CHECK(http::owner_of_name("").empty());
    CHECK(http::owner_of_name(".") == "");
    CHECK(http::owner_of_name(".test") == ".test");
}
