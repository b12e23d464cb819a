#include "catch.hpp"
#include "cli/pay/key.hpp"
#include "cli/pay/purchase.hpp"
#include "cli/pay/report.hpp"
#include "cli/pay/unpaid.hpp"
#include "hand_made_process.hpp"
#include "run.hpp"
#include "wire.hpp"

#include <portitor/http/client.hpp>
#include <portitor/x402/base64.hpp>

#include <boost/json/parse.hpp>

using namespace portitor;
using namespace portitor::cli::pay;
using portitor::test::run;
using portitor::test::wire;
using portitor::test::wire_server;
namespace asio = boost::asio;

namespace {

bool has(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

/// A buyer with the real client, and a server on loopback that does what a test says.
struct shop
{
    test::hand_made_process around;
    std::unique_ptr<http::client> client = http::make_client(around.context.get_executor(), {}).value();
    std::string seen;
    std::unique_ptr<wire_server> server;

    ~shop()
    {
        client.reset();
        if (server)
            run(around.context, server->stop());
    }

    void serve(wire_server::script script)
    {
        server = std::make_unique<wire_server>(around.context, std::move(script));
    }

    paid_answer bought(http::origin from, const std::string& method)
    {
        wish what = wish_for(from.to_string() + "/hello").value();
        what.method = method;
        patience once;
        once.tries = 1;
        x402::signed_payment payment{
            x402::payment_header::payment_signature, "c2lnbmVk", evm::address(), 1'795'511'510};
        return run(around.context, buy(*client, around.timers, around.stop, {what, payment}, once));
    }
};

}  // namespace

TEST_CASE("a connection that breaks after the payment leaves it in doubt, whatever the method", "[cli][pay]")
{
    const std::string method = GENERATE("GET", "HEAD", "POST");
    const std::string half = GENERATE("", "HTTP/1.1 200 O");
    CAPTURE(method, half);
    shop f;
    f.serve([&f, half](wire& line, int) -> asio::awaitable<void> {
        f.seen = co_await line.read_message();
        co_await line.send(half);
        line.close();
    });
    const paid_answer ended = f.bought(f.server->origin(), method);
    CHECK(has(f.seen, "PAYMENT-SIGNATURE: c2lnbmVk"));
    CHECK(ended.how == ending::unknown);
    CHECK(has(ended.why, "not known whether the payment settled"));
    CHECK_FALSE(has(ended.why, "nothing was charged"));
}

TEST_CASE("a server that nobody runs got no payment", "[cli][pay]")
{
    shop f;
    const http::origin nobody{"http", "127.0.0.1", test::free_port(f.around.context)};
    const paid_answer ended = f.bought(nobody, "GET");
    CHECK(ended.how == ending::unsent);
    CHECK(has(ended.why, "nothing was charged"));
}

TEST_CASE("terms may be longer than headers usually are", "[cli][pay]")
{
    const std::string terms = x402::encode_base64(
        R"({"x402Version":2,"accepts":[{}],"error":")" + std::string(20'000, 'x') + R"("})"
    );
    shop f;
    f.serve([&terms](wire& line, int) -> asio::awaitable<void> {
        co_await line.read_message();
        co_await line.send(
            "HTTP/1.1 402 Payment Required\r\nContent-Length: 0\r\nPAYMENT-REQUIRED: " + terms + "\r\n\r\n"
        );
    });
    const auto known = x402::network_table::built_in();
    const wish what = wish_for(f.server->origin().to_string() + "/hello").value();
    const auto asked = run(f.around.context, ask(*f.client, f.around.stop, what, known));
    REQUIRE(asked.has_value());
    CHECK(asked->how == ending::terms);
    CHECK(asked->terms.value().error.size() == 20'000);
}

TEST_CASE("a report in JSON moves no cursor", "[cli][pay]")
{
    report told;
    told.what = wish_for("https://shop.test/hello").value();
    told.how = ending::free;
    told.answer = http::make_response(
        http::status::ok,
        "a\xc2\x9b"
        "2J\x7f"
    );
    const std::string shown = to_json_text(told, x402::network_table::built_in(), "");
    CHECK(has(shown, "a\\u009b2J\\u007f"));
    CHECK(
        boost::json::parse(shown).at("body") == "a\xc2\x9b"
                                                "2J\x7f"
    );
}

TEST_CASE("a key in the place of its file's name is not quoted", "[cli][pay]")
{
    const std::string digits = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
    for (const std::string& given : {"0x" + digits, digits, digits.substr(2), "0X" + digits + "0"})
    {
        const auto read = read_key_file(given);
        REQUIRE(read.has_error());
        CHECK(has(read.error().message(), "looks like a key itself"));
        CHECK_FALSE(has(read.error().message(), digits.substr(4, 20)));
    }
    CHECK(has(read_key_file("/nowhere/key").error().message(), "/nowhere/key cannot be read"));
}
