#include "catch.hpp"
#include "roles/verifier/fronts/forwarded_request.hpp"

using namespace portitor;
using namespace portitor::route;
using namespace portitor::verifier;

namespace {

using headers = std::vector<std::pair<std::string, std::string>>;

const headers plain{
    {"X-Forwarded-Uri", "/services/hello/a?q=1"},
    {"X-Forwarded-Method", "POST"},
    {"X-Forwarded-Host", "api.example.com:8443"},
    {"X-Forwarded-Proto", "https"},
};

/// A request and what was read of it, which views it.
struct reading
{
    explicit reading(const headers& list)
    {
        message.set_start(http::verb::get, "GET", "/verify/shop/hello", 11);
        for (const auto& [name, value] : list)
            message.add_header(name, value);
        outcome = read_forwarded_request(message, read);
    }

    bool has_value() const { return outcome.has_value(); }
    bool has_error() const { return outcome.has_error(); }
    portitor::error error() const { return outcome.error(); }
    const forwarded_request* operator->() const { return &read; }

    http::server_request message;
    forwarded_request read;
    result<void> outcome;
};

// The plain headers with one set to another value, or taken out where there is none.
headers with(const std::string& name, std::optional<std::string> value)
{
    headers list = plain;
    std::erase_if(list, [&](const auto& each) { return each.first == name; });
    if (value)
        list.emplace_back(name, *value);
    return list;
}

headers with_more(const headers& more)
{
    headers list = plain;
    list.insert(list.end(), more.begin(), more.end());
    return list;
}

}  // namespace

TEST_CASE("what the gateway tells is read", "[verifier][forwarded]")
{
    const reading asked(plain);
    REQUIRE(asked.has_value());
    CHECK(asked->uri == "/services/hello/a?q=1");
    CHECK(asked->method == "POST");
    CHECK(asked->scheme == "https");
    CHECK(asked->host == "api.example.com:8443");
    CHECK(asked->path.text == "/services/hello/a");
    CHECK_FALSE(asked->payment);
}

TEST_CASE("HEAD is priced as GET, other methods are themselves", "[verifier][forwarded]")
{
    CHECK(reading(with("X-Forwarded-Method", "HEAD"))->method == "GET");
    for (const char* method : {"GET", "OPTIONS", "DELETE", "PROPFIND", "M-SEARCH", "head"})
        CHECK(reading(with("X-Forwarded-Method", method))->method == method);
}

TEST_CASE("a WebSocket handshake is plain HTTP", "[verifier][forwarded]")
{
    CHECK(reading(with("X-Forwarded-Proto", "ws"))->scheme == "http");
    CHECK(reading(with("X-Forwarded-Proto", "wss"))->scheme == "https");
}

TEST_CASE("hosts in every form", "[verifier][forwarded]")
{
    for (const char* host : {"a", "10.77.0.1:8000", "[::1]:80", "my_host.example"})
        CHECK(reading(with("X-Forwarded-Host", host))->host == host);
}

TEST_CASE("without X-Forwarded-Uri nobody came through the gateway", "[verifier][forwarded]")
{
    for (const headers& list :
         {with("X-Forwarded-Uri", std::nullopt), with("X-Forwarded-Uri", ""), headers()})
    {
        const reading asked(list);
        REQUIRE(asked.has_error());
        CHECK(asked.error().code() == errc::refused);
    }
}

TEST_CASE("a header that can be read in more than one way is refused", "[verifier][forwarded]")
{
    struct wrong
    {
        const char* name;
        const char* value;  ///< null: the header is missing
    };
    const auto row = GENERATE(values<wrong>({
        {"X-Forwarded-Uri", "services/hello"},
        {"X-Forwarded-Uri", "/a, /b"},
        {"X-Forwarded-Uri", "/a/..%2Fb"},
        {"X-Forwarded-Uri", "/a\x80"},
        {"X-Forwarded-Uri", "/a?\x7f"},
        {"X-Forwarded-Uri", "/a?\x01"},
        {"X-Forwarded-Method", nullptr},
        {"X-Forwarded-Method", ""},
        {"X-Forwarded-Method", "GET, POST"},
        {"X-Forwarded-Method", "GET,POST"},
        {"X-Forwarded-Method", "GET\tPOST"},
        {"X-Forwarded-Method", "AVERYLONGMETHODNAMEOFMORETHANTHIRTYTWO"},
        {"X-Forwarded-Host", nullptr},
        {"X-Forwarded-Host", ""},
        {"X-Forwarded-Host", "a.example, b.example"},
        {"X-Forwarded-Host", "a.example,b.example"},
        {"X-Forwarded-Host", "a.example/x"},
        {"X-Forwarded-Host", "user@a.example"},
        {"X-Forwarded-Host", "a.example\"<script>"},
        {"X-Forwarded-Proto", nullptr},
        {"X-Forwarded-Proto", ""},
        {"X-Forwarded-Proto", "https, http"},
        {"X-Forwarded-Proto", "HTTPS"},
        {"X-Forwarded-Proto", "ftp"},
        {"X-Forwarded-Proto", "wsss"},
        {"X-Payment", "a\x01"},
        {"Payment-Signature", "a\xff"},
    }));
    INFO(row.name << ": " << (row.value ? row.value : "(missing)"));
    const reading asked(with(row.name, row.value ? std::optional<std::string>(row.value) : std::nullopt));
    REQUIRE(asked.has_error());
    CHECK(asked.error().code() == errc::invalid);
}

TEST_CASE(
    "characters beyond ASCII are taken as if they were escaped, in path and query alike",
    "[verifier][forwarded]"
)
{
    const reading raw(with("X-Forwarded-Uri", "/caf\xc3\xa9?q=\xc3\xa9&r=\xff"));
    REQUIRE(raw.has_value());
    CHECK(raw->uri == "/caf%C3%A9?q=%C3%A9&r=%FF");
    CHECK(raw->path.text == "/caf%C3%A9");
    const reading escaped(with("X-Forwarded-Uri", "/caf%C3%A9?q=%C3%A9"));
    REQUIRE(escaped.has_value());
    CHECK(escaped->uri == "/caf%C3%A9?q=%C3%A9");
}

TEST_CASE("a refused URL is spoken of as the client's URL", "[verifier][forwarded]")
{
    for (const char* uri : {"/a?\x01", "/a\x7f", "/\t"})
    {
        const reading asked(with("X-Forwarded-Uri", uri));
        REQUIRE(asked.has_error());
        CHECK_THAT(asked.error().message(), Catch::Matchers::Contains("the URL of the request"));
    }
}

TEST_CASE("a host of any length is not taken", "[verifier][forwarded]")
{
    CHECK(reading(with("X-Forwarded-Host", std::string(300, 'a'))).has_value());
    CHECK(reading(with("X-Forwarded-Host", std::string(301, 'a'))).has_error());
}

TEST_CASE("a header that comes twice is refused, even with the same value", "[verifier][forwarded]")
{
    for (const auto& [name, value] : plain)
    {
        INFO(name);
        const reading asked(with_more({{name, value}}));
        REQUIRE(asked.has_error());
        CHECK(asked.error().code() == errc::invalid);
        CHECK_THAT(asked.error().message(), Catch::Matchers::Contains("more than once"));
    }
    for (const char* name : {"X-Payment", "PAYMENT-SIGNATURE", "x-payment"})
        CHECK(reading(with_more({{name, "a"}, {name, "a"}})).has_error());
    CHECK(reading(with_more({{"X-Payment", ""}, {"x-PAYMENT", "a"}})).has_error());
}

TEST_CASE("a name of ours in another spelling is refused", "[verifier][forwarded]")
{
    const char* const name = GENERATE(
        "X_Payer",
        "x_payer",
        "X.Payer",
        "X_forwarded_uri",
        "X-Forwarded_Uri",
        "X.Forwarded.Method",
        "X_Forwarded-Host",
        "X_Forwarded_Proto",
        "X_Payment",
        "Payment_Signature",
        "PAYMENT.SIGNATURE",
        "X_Payment_Status",
        "X_Payment_Tx",
        "X-Payment_Payer",
        "X_Verified_Wallet",
        "X_Payment_Response",
        "Payment_Response",
        "X_Portitor_Route"
    );
    INFO(name);
    const reading asked(with_more({{name, "0x1"}}));
    REQUIRE(asked.has_error());
    CHECK(asked.error().code() == errc::invalid);
    CHECK_THAT(asked.error().message(), Catch::Matchers::Contains("remove it"));
}

TEST_CASE(
    "headers of others pass, and so does a client's X-Payer, which the gateway replaces",
    "[verifier][forwarded]"
)
{
    const reading asked(with_more({
        {"X_Custom", "1"},
        {"X.Trace.Id", "2"},
        {"X-Payer", "0x1"},
        {"X-Payers_", "3"},
        {"Authorization", "Bearer x"},
        {"Cookie", "a=1"},
        {"Cookie", "b=2"},
        {"X-Forwarded-For", "1.2.3.4, 5.6.7.8"},
    }));
    CHECK(asked.has_value());
}

TEST_CASE(
    "the header of a payment decides its version, and one payment comes at a time", "[verifier][forwarded]"
)
{
    const reading v1(with_more({{"X-PAYMENT", "abc"}}));
    REQUIRE(v1.has_value());
    REQUIRE(v1->payment);
    CHECK(v1->payment->header == x402::payment_header::x_payment);
    CHECK(v1->payment->value == "abc");

    const reading v2(with_more({{"payment-signature", "def"}, {"X-Payment", ""}}));
    REQUIRE(v2.has_value());
    REQUIRE(v2->payment);
    CHECK(v2->payment->header == x402::payment_header::payment_signature);
    CHECK(v2->payment->value == "def");

    CHECK_FALSE(reading(with_more({{"X-Payment", ""}}))->payment);

    const reading both(with_more({{"X-Payment", "abc"}, {"Payment-Signature", "abc"}}));
    REQUIRE(both.has_error());
    CHECK(both.error().code() == errc::invalid);
    CHECK_THAT(both.error().message(), Catch::Matchers::Contains("not both"));
}
