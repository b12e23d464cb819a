#include "catch.hpp"
#include "dns_server.hpp"
#include "files.hpp"
#include "run.hpp"

#include <portitor/http/name_service.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

using namespace portitor;
using namespace std::chrono_literals;
using portitor::test::dns_reply;
using portitor::test::dns_server;
using portitor::test::run;
namespace asio = boost::asio;
using kind = dns_reply::kind;

namespace {

struct world
{
    asio::io_context context;
    dns_server server;
    http::dns_settings settings;
    std::optional<result<http::name_answer>> said;

    explicit world(dns_server::script script) : server(context, std::move(script))
    {
        settings.servers = server.address();
        settings.first_try = 30ms;
    }
    ~world() { run(context, server.stop()); }

    std::unique_ptr<http::name_question> begin(const std::string& host)
    {
        return http::make_dns(settings
        )(context.get_executor(), host, [this](result<http::name_answer> answer) { said = std::move(answer); }
        );
    }

    result<http::name_answer> ask(const std::string& host)
    {
        said.reset();
        const auto question = begin(host);
        CHECK_FALSE(said);
        const auto limit = std::chrono::steady_clock::now() + 4s;
        context.restart();
        while (!said && std::chrono::steady_clock::now() < limit)
            context.run_one_for(10ms);
        REQUIRE(said);
        return *said;
    }
};

std::vector<std::string> texts(const result<http::name_answer>& answer)
{
    std::vector<std::string> out;
    if (answer)
        for (const auto& each : answer->addresses)
            out.push_back(each.to_string());
    std::sort(out.begin(), out.end());
    return out;
}

std::ptrdiff_t descriptors()
{
    return std::distance(
        std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()
    );
}

}  // namespace

TEST_CASE("a name has the addresses of both families, for as long as the server says", "[http][dns]")
{
    world w([](const dns_server::question& about) {
        CHECK(about.name == "pay.shop.test");
        return dns_reply{kind::answer, {"192.0.2.7", "192.0.2.8", "2001:db8::7"}, 17};
    });
    const auto found = w.ask("pay.shop.test");
    CHECK(texts(found) == std::vector<std::string>{"192.0.2.7", "192.0.2.8", "2001:db8::7"});
    REQUIRE(found.has_value());
    CHECK(found->ttl == 17s);
}

TEST_CASE("an answer that is cut short is asked for again over TCP", "[http][dns]")
{
    world w([](const dns_server::question& about) {
        return about.tcp ? dns_reply{kind::answer, {"192.0.2.7"}} : dns_reply{kind::truncated};
    });
    CHECK(texts(w.ask("pay.shop.test")) == std::vector<std::string>{"192.0.2.7"});
}

TEST_CASE("of an answer with hundreds of addresses some are taken", "[http][dns]")
{
    world w([](const dns_server::question& about) {
        if (!about.tcp)
            return dns_reply{kind::truncated};
        dns_reply out;
        for (int i = 0; i < 500; ++i)
            out.addresses.push_back("192.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
        return out;
    });
    CHECK(texts(w.ask("pay.shop.test")).size() == 16);
}

TEST_CASE("a name that is not there is told from a server that does not know", "[http][dns]")
{
    dns_reply reply;
    world w([&](const auto&) { return reply; });
    reply = {kind::no_name};
    CHECK(w.ask("pay.shop.test").error().code() == errc::not_found);
    reply = {};
    CHECK(w.ask("pay.shop.test").error().code() == errc::not_found);
    reply = {kind::failure};
    CHECK(w.ask("pay.shop.test").error().code() == errc::unavailable);
    reply = {kind::silence};
    CHECK(w.ask("pay.shop.test").error().code() == errc::unavailable);
    CHECK(w.ask("bad name").error().code() != errc::timed_out);
    CHECK(w.ask(std::string(3000, 'x')).has_value() == false);
}

TEST_CASE("an answer that comes late, or whose datagram was lost, is an answer", "[http][dns]")
{
    int asked = 0;
    dns_reply late{kind::answer, {"192.0.2.7"}};
    world w([&](const auto&) { return ++asked <= 2 ? dns_reply{kind::silence} : late; });
    CHECK(texts(w.ask("pay.shop.test")) == std::vector<std::string>{"192.0.2.7"});
    late.after = 50ms;
    CHECK(texts(w.ask("pay.shop.test")) == std::vector<std::string>{"192.0.2.7"});
}

TEST_CASE("addresses of one family are good enough where the other's never come", "[http][dns]")
{
    const bool v6 = GENERATE(false, true);
    const auto instead = GENERATE(kind::silence, kind::failure);
    world w([=](const dns_server::question& about) {
        return about.v6 == v6 ? dns_reply{kind::answer, {"192.0.2.7", "2001:db8::7"}} : dns_reply{instead};
    });
    CHECK(texts(w.ask("pay.shop.test")) == std::vector<std::string>{v6 ? "2001:db8::7" : "192.0.2.7"});
}

TEST_CASE("a question can be abandoned at once, and leaves no socket behind", "[http][dns]")
{
    const auto how = GENERATE(kind::silence, kind::truncated);
    world w([=](const dns_server::question& about) { return dns_reply{about.tcp ? kind::drip : how}; });
    w.settings.first_try = 10s;
    const auto before = descriptors();
    auto question = w.begin("pay.shop.test");
    w.context.run_for(50ms);
    CHECK(descriptors() > before);
    question.reset();
    w.context.restart();
    w.context.run_for(100ms);  // the server's end goes too
    CHECK_FALSE(w.said);
    CHECK(descriptors() == before);
}

TEST_CASE("a name is completed as in a pod: search domains first, up to five dots", "[http][dns]")
{
    const test::temp_folder folder;
    const std::string configuration = "search shop.svc.cluster.local svc.cluster.local cluster.local\n"
                                      "nameserver 127.0.0.9\noptions ndots:5\n";
    world w([](const dns_server::question& about) {
        const bool here = about.name == "pay.other.svc.cluster.local" || about.name == "api.example.test";
        return here ? dns_reply{kind::answer, {"192.0.2.7"}} : dns_reply{kind::no_name};
    });
    w.settings.resolv_conf = folder.write("resolv.conf", configuration);
    CHECK(texts(w.ask("pay.other")) == std::vector<std::string>{"192.0.2.7"});
    CHECK(
        w.server.names() ==
        std::vector<std::string>{"pay.other.shop.svc.cluster.local", "pay.other.svc.cluster.local"}
    );
    CHECK(texts(w.ask("api.example.test")) == std::vector<std::string>{"192.0.2.7"});
    CHECK(w.server.names().size() == 6);
    CHECK(w.server.names().back() == "api.example.test");
    CHECK(texts(w.ask("api.example.test.")) == std::vector<std::string>{"192.0.2.7"});
    CHECK(w.server.names().size() == 7);
}

TEST_CASE("names of this machine need no name server", "[http][dns]")
{
    world w([](const auto&) { return dns_reply{kind::no_name}; });
    const auto found = texts(w.ask("localhost"));
    CHECK(std::find(found.begin(), found.end(), "127.0.0.1") != found.end());
    CHECK(w.server.asked().empty());
}
