#include "verifier_world.hpp"

using namespace portitor;
using namespace portitor::route;
using namespace portitor::verifier;
using namespace portitor::verifier::samples;

namespace {

const std::string secret = "Bearer s3cr3t-of-the-upstream";

config::credential_entry
entry(std::string name, std::string file, std::vector<std::string> namespaces = {"shop"})
{
    return {std::move(name), std::move(file), std::move(namespaces)};
}

kube::object_ptr with_credential(const kube::object_ptr& object, std::string_view name = "up")
{
    return test::changed(object, "/spec/credential", fmt::format("\"{}\"", name));
}

}  // namespace

TEST_CASE("a credential is for the namespaces that the operator says", "[verifier][credentials]")
{
    const credential_store all(
        {entry("one", "/x", {"shop", "mall"}), entry("any", "/x", {"*"}), entry("none", "/x", {})}
    );
    CHECK(all.find("one", "shop").value()->name() == "one");
    CHECK(all.find("one", "mall").has_value());
    CHECK(all.find("any", "elsewhere").has_value());
    for (const char* ns : {"elsewhere", "Shop", "sho", "shopp", "*", ""})
    {
        INFO(ns);
        CHECK(all.find("one", ns).has_error());
    }
    CHECK(all.find("none", "shop").has_error());
    CHECK(all.find("ONE", "shop").has_error());
    CHECK(all.find("", "shop").has_error());
    // One that is another's sounds like one that is none.
    const auto theirs = all.find("one", "elsewhere");
    const auto nobodys = all.find("two", "elsewhere");
    REQUIRE(theirs.has_error());
    REQUIRE(nobodys.has_error());
    CHECK(theirs.error().code() == errc::invalid);
    CHECK(nobodys.error().code() == errc::invalid);
    std::string expected = nobodys.error().message();
    expected.replace(expected.find("two"), 3, "one");
    CHECK(theirs.error().message() == expected);
}

TEST_CASE("a route may not name a credential of others", "[verifier][credentials]")
{
    const std::set<std::string> urls{facilitator_url};
    const credential_store all({entry("up", "/x", {"mall"})});
    const auto refused =
        served_route::compile(*with_credential(route_object()), {x402::samples::networks(), urls, all});
    REQUIRE(refused.has_error());
    CHECK(refused.error().code() == errc::invalid);
    CHECK_THAT(refused.error().message(), Catch::Matchers::Contains("spec.credential"));
    const auto served = served_route::compile(
        *with_credential(route_of("mall", "hello", "/services/hello/*")),
        {x402::samples::networks(), urls, all}
    );
    REQUIRE(served.has_value());
    CHECK((*served)->credential() == all.find("up", "mall").value());
}

TEST_CASE(
    "the file of a credential is read again, and a broken one changes nothing", "[verifier][credentials]"
)
{
    const test::temp_folder folder;
    credential one(entry("up", folder.path("up")));
    CHECK_FALSE(one.value());
    CHECK(one.refresh().has_error());
    CHECK_FALSE(one.value());
    folder.write("up", "Bearer one\n");
    REQUIRE(one.refresh().has_value());
    REQUIRE(one.value());
    CHECK(*one.value() == "Bearer one");
    const auto held = one.value();
    REQUIRE(one.refresh().has_value());
    CHECK(one.value() == held);
    folder.write("up", "Bearer two\r\n\n");
    REQUIRE(one.refresh().has_value());
    CHECK(*one.value() == "Bearer two");
    CHECK(*held == "Bearer one");
    for (const std::string& bad :
         {std::string(),
          std::string("\n"),
          std::string("Bearer a\nX-Payer: 0x1"),
          std::string("Bearer a\rb"),
          std::string("Bearer\ta"),
          std::string("Bearer \xc3\xbc"),
          std::string("Bearer a\0b", 10),
          std::string("Bearer a\x7f"),
          std::string(8 * 1024 + 1, 'a')})
    {
        folder.write("up", bad);
        const auto read = one.refresh();
        REQUIRE(read.has_error());
        CHECK(read.error().code() == errc::invalid);
        // The failure is logged.
        CHECK(read.error().message().find("Bearer") == std::string::npos);
        CHECK(*one.value() == "Bearer two");
    }
    folder.write("up", std::string(8 * 1024, 'a'));
    CHECK(one.refresh().has_value());
    std::filesystem::remove(folder.path("up"));
    CHECK(one.refresh().has_error());
    CHECK(one.value()->size() == 8 * 1024);
}

TEST_CASE("the files that cannot be read are told by name", "[verifier][credentials]")
{
    const test::temp_folder folder;
    credential_store all({entry("good", folder.write("good", "a")), entry("bad", folder.path("bad"))});
    const auto failures = all.refresh();
    REQUIRE(failures.size() == 1);
    CHECK(failures[0].first == "bad");
    CHECK(*all.find("good", "shop").value()->value() == "a");
}

TEST_CASE("without its credential a service is not sold, and nothing is taken", "[verifier][credentials]")
{
    const test::temp_folder folder;
    desk d("", {entry("up", folder.path("up"))});
    d.put(with_credential(route_object()));
    const auto paying = d.pay(top);
    check_refused(paying, http::status::service_unavailable, "upstream_unavailable");
    CHECK(std::stoi(header(paying, "Retry-After")) > 0);
    CHECK(d.facilitator.calls() == 0);
    CHECK(d.on_record() == 0);
    check_refused(d.ask(top), http::status::service_unavailable, "upstream_unavailable");
    CHECK(d.ask("/services/hello/free/x").result() == http::status::ok);
    CHECK_THAT(d.numbers.expose(), Catch::Matchers::Contains("outcome=\"no_credential\"} 2"));

    folder.write("up", secret + "\n");
    CHECK(d.credentials.refresh().empty());
    const auto granted = d.pay(top);
    check_granted(granted);
    CHECK(header(granted, "Authorization") == secret);
    CHECK(d.facilitator.settles == 1);
}

TEST_CASE("a grant whose credential is gone after the settlement is not lost", "[verifier][credentials]")
{
    const test::temp_folder folder;
    desk d("", {entry("up", folder.write("up", secret))});
    d.put(with_credential(route_object()));
    // A credential keeps its last value for ever, so this takes force: another one in its place.
    const auto* held = d.newest.find("shop/hello")->route->credential();
    REQUIRE(held);
    auto& replaced = *const_cast<credential*>(held);
    d.facilitator.on_settle = [&] {
        std::destroy_at(&replaced);
        std::construct_at(&replaced, entry("up", folder.path("up")));
        REQUIRE_FALSE(replaced.value());
    };
    const auto lost = d.pay(top);
    check_refused(lost, http::status::service_unavailable, "upstream_unavailable");
    CHECK(std::stoi(header(lost, "Retry-After")) > 0);
    CHECK(d.facilitator.settles == 1);
    CHECK(d.count(x402::payment_state::settled) == 1);
    // Still not there: nothing is taken, nothing is lost.
    check_refused(d.pay(top), http::status::service_unavailable, "upstream_unavailable");
    CHECK(d.count(x402::payment_state::settled) == 1);
    REQUIRE(replaced.refresh().has_value());
    const auto granted = d.pay(top);
    check_granted(granted);
    CHECK(header(granted, "Authorization") == secret);
    check_refused(d.pay(top), http::status::conflict, "payment_already_used");
    CHECK(d.facilitator.settles == 1);
}

TEST_CASE("the credential goes into the grants of its route and nowhere else", "[verifier][credentials]")
{
    const test::temp_folder folder;
    const captured_log log;
    desk d("https://a.example", {entry("up", folder.write("up", secret))}, log_level::debug);
    d.put(with_credential(route_object()));
    d.put(test::changed(
        route_of("shop", "other", "/other/*"), "/spec/rules", R"([{"pattern": "/free", "gate": "free"}])"
    ));

    const auto paid = d.pay(top);
    check_granted(paid);
    CHECK(header(paid, "Authorization") == secret);
    CHECK(paid.count("Authorization") == 1);
    // The next value, from the next grant on.
    folder.write("up", "Basic abc");
    d.credentials.refresh();
    CHECK(header(d.pay_v1(v1_message(9)), "Authorization") == "Basic abc");
    folder.write("up", secret);
    d.credentials.refresh();

    std::vector<http::response> others;
    // Nor for what is free.
    others.push_back(d.ask("/services/hello/free/x", {{"Authorization", "Bearer of the client"}}));
    CHECK(others.back().result() == http::status::ok);
    // Who is not the offer's gateway gets none, and is not sold to.
    for (const std::string& target :
         {std::string("/verify/shop/hello"),
          "/verify/shop/hello" + own_target("shop", "other").substr(own_target("shop", "other").find('?')),
          own_target("shop", "hello", "u2"),
          own_target() + "&",
          own_target() + "0",
          std::string("/verify")})
    {
        INFO(target);
        const int calls = d.facilitator.calls();
        others.push_back(
            d.ask(question(top, {{"X-PAYMENT", x402::samples::encode(v1_message(8))}}, target.c_str()))
        );
        check_refused(others.back(), http::status::forbidden, "wrong_token");
        CHECK(d.facilitator.calls() == calls);
        others.push_back(d.ask(question("/services/hello/free/x", {}, target.c_str())));
        check_refused(others.back(), http::status::forbidden, "wrong_token");
    }
    others.push_back(d.ask(top, {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "GET"}}));
    question preflight(top, {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "POST"}});
    preflight.set("X-Forwarded-Method", "OPTIONS");
    others.push_back(d.ask(preflight));
    CHECK(others.back().result() == http::status::payment_required);
    others.push_back(d.ask(question("/other/free", {}, "/verify/shop/other")));
    CHECK(others.back().result() == http::status::ok);
    others.push_back(
        d.ask(question("/other", {{"X-PAYMENT", x402::samples::encode(v1_message(1))}}, "/verify/shop/other"))
    );
    CHECK(others.back().result() == http::status::ok);
    others.push_back(d.ask(top));
    others.push_back(d.ask(top, {{"Accept", "text/html"}, {"User-Agent", "Mozilla/5.0"}}));
    others.push_back(d.pay(top));
    CHECK(others.back().result() == http::status::conflict);
    others.push_back(d.pay("/services/hello/report"));
    others.push_back(d.pay_v1(v1_message(2, stranger())));
    CHECK(others.back().result() == http::status::payment_required);
    others.push_back(d.ask(top, {{"X-PAYMENT", "x"}}));
    others.push_back(d.ask("/elsewhere"));
    others.push_back(d.ask(question(top, {}, "/verify/shop/none")));
    d.facilitator.verify_answer = x402::verify_unavailable(error(errc::timed_out, "no answer"));
    others.push_back(d.pay_v1(v1_message(3)));
    d.facilitator.verify_answer = x402::verify_valid();
    d.facilitator.settle_throws = true;
    others.push_back(d.pay_v1(v1_message(4)));
    d.chain.throws = true;
    others.push_back(d.pay_v1(v1_message(5, stranger())));
    d.put(test::changed(with_credential(route_object()), "/spec/suspended", "true"));
    others.push_back(d.pay_v1(v1_message(6)));
    for (const http::response& each : others)
    {
        INFO(everything(each));
        CHECK_FALSE(each.count("Authorization"));
        CHECK(everything(each).find("s3cr3t") == std::string::npos);
    }
    CHECK(d.numbers.expose().find("s3cr3t") == std::string::npos);
    CHECK_FALSE(log.text().empty());
    CHECK(log.text().find("s3cr3t") == std::string::npos);
}
