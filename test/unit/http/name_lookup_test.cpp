#include "catch.hpp"
#include "run.hpp"

#include <portitor/core/deadline.hpp>
#include <portitor/http/name_lookup.hpp>

#include <future>

using namespace portitor;
using namespace std::chrono_literals;
using portitor::test::run;

namespace {

const http::origin server{"http", "shop.test", 8080};

}  // namespace

TEST_CASE("an address needs no lookup, and what the name service says is the answer", "[http][name]")
{
    boost::asio::io_context context;
    const auto literal =
        run(context, http::look_up({"http", "::1", 80}, [](const std::string&, std::uint16_t) {
                return result<http::addresses>(fail(errc::invalid, "asked"));
            }));
    REQUIRE(literal.has_value());
    CHECK(literal->at(0).address().to_string() == "::1");

    const auto found = run(context, http::look_up(server, [](const std::string& host, std::uint16_t port) {
                               const auto address = boost::asio::ip::make_address("192.0.2.1");
                               CHECK(host == "shop.test");
                               return result<http::addresses>(http::addresses{{address, port}});
                           }));
    REQUIRE(found.has_value());
    CHECK(found->at(0).port() == 8080);

    const auto unknown = run(context, http::look_up(server, [](const std::string&, std::uint16_t) {
                                 return result<http::addresses>(fail(errc::unavailable, "no such host"));
                             }));
    CHECK(unknown.error().message() == "no such host");
    const auto broken =
        run(context, http::look_up(server, [](const std::string&, std::uint16_t) -> result<http::addresses> {
                throw std::runtime_error("broken");
            }));
    CHECK(broken.error().message() == "cannot resolve shop.test: broken");
}

TEST_CASE("a name service that hangs holds up nobody, not even the end of the context", "[http][name]")
{
    const auto release = std::make_shared<std::promise<void>>();
    const std::shared_future<void> released = release->get_future().share();
    const auto ended = std::make_shared<std::promise<void>>();
    std::future<void> end = ended->get_future();
    {
        boost::asio::io_context context;
        const auto hang = [released, ended](const std::string&, std::uint16_t) {
            released.wait();
            ended->set_value();
            return result<http::addresses>(http::addresses());
        };
        const auto said = run(context, with_deadline(http::look_up(server, hang), 5ms, "looking up"));
        CHECK(said.error().code() == errc::timed_out);
        CHECK(end.wait_for(0s) == std::future_status::timeout);
    }
    release->set_value();
    CHECK(end.wait_for(5s) == std::future_status::ready);
}
