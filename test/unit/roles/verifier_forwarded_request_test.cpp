#include "catch.hpp"
#include "roles/verifier/forwarded_request.hpp"

using namespace portitor;
using namespace portitor::verifier;

namespace {

using headers = std::vector<std::pair<std::string, std::string>>;

const headers plain{
    {"X-Forwarded-Uri", "/services/hello/a?q=1"},
    {"X-Forwarded-Method", "POST"},
    {"X-Forwarded-Host", "api.example.com:8443"},
    {"X-Forwarded-Proto", "https"},
};

http::request message_of(const headers& list)
{
    http::request message{http::verb::get, "/verify/shop/hello", 11};
    for (const auto& [name, value] : list)
        message.insert(name, value);
    return message;
}

// The plain headers with one set to another value, or taken out where there is none.
http::request with(const std::string& name, std::optional<std::string> value)
{
    http::request message = message_of(plain);
    if (value)
        message.set(name, *value);
    else
        message.erase(name);
    return message;
}

http::request with_more(const headers& more)
{
    http::request message = message_of(plain);
    for (const auto& [name, value] : more)
        message.insert(name, value);
    return message;
}

}  // namespace

TEST_CASE("what the gateway tells is read", "[verifier][forwarded]")
{
    const auto asked = read_forwarded_request(message_of(plain));
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
    CHECK(read_forwarded_request(with("X-Forwarded-Method", "HEAD"))->method == "GET");
    for (const char* method : {"GET", "OPTIONS", "DELETE", "PROPFIND", "M-SEARCH", "head"})
        CHECK(read_forwarded_request(with("X-Forwarded-Method", method))->method == method);
}

TEST_CASE("a WebSocket handshake is plain HTTP", "[verifier][forwarded]")
{
    CHECK(read_forwarded_request(with("X-Forwarded-Proto", "ws"))->scheme == "http");
    CHECK(read_forwarded_request(with("X-Forwarded-Proto", "wss"))->scheme == "https");
}

TEST_CASE("hosts in every form", "[verifier][forwarded]")
{
    for (const char* host : {"a", "10.77.0.1:8000", "[::1]:80", "my_host.example"})
        CHECK(read_forwarded_request(with("X-Forwarded-Host", host))->host == host);
}

TEST_CASE("without X-Forwarded-Uri nobody came through the gateway", "[verifier][forwarded]")
{
    for (const auto& message :
         {with("X-Forwarded-Uri", std::nullopt), with("X-Forwarded-Uri", ""), message_of({})})
    {
        const auto asked = read_forwarded_request(message);
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
        {"X-Forwarded-Uri", "/\xc3\xbc"},
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
    const auto asked = read_forwarded_request(
        with(row.name, row.value ? std::optional<std::string>(row.value) : std::nullopt)
    );
    REQUIRE(asked.has_error());
    CHECK(asked.error().code() == errc::invalid);
}

TEST_CASE("a host of any length is not taken", "[verifier][forwarded]")
{
    CHECK(read_forwarded_request(with("X-Forwarded-Host", std::string(300, 'a'))).has_value());
    CHECK(read_forwarded_request(with("X-Forwarded-Host", std::string(301, 'a'))).has_error());
}

TEST_CASE("a header that comes twice is refused, even with the same value", "[verifier][forwarded]")
{
    for (const auto& [name, value] : plain)
    {
        INFO(name);
        const auto asked = read_forwarded_request(with_more({{name, value}}));
        REQUIRE(asked.has_error());
        CHECK(asked.error().code() == errc::invalid);
        CHECK_THAT(asked.error().message(), Catch::Matchers::Contains("more than once"));
    }
    for (const char* name : {"X-Payment", "PAYMENT-SIGNATURE", "x-payment"})
        CHECK(read_forwarded_request(with_more({{name, "a"}, {name, "a"}})).has_error());
    CHECK(read_forwarded_request(with_more({{"X-Payment", ""}, {"x-PAYMENT", "a"}})).has_error());
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
    const auto asked = read_forwarded_request(with_more({{name, "0x1"}}));
    REQUIRE(asked.has_error());
    CHECK(asked.error().code() == errc::invalid);
    CHECK_THAT(asked.error().message(), Catch::Matchers::Contains("remove it"));
}

TEST_CASE(
    "headers of others pass, and so does a client's X-Payer, which the gateway replaces",
    "[verifier][forwarded]"
)
{
    const auto asked = read_forwarded_request(with_more({
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
    const auto v1 = read_forwarded_request(with_more({{"X-PAYMENT", "abc"}}));
    REQUIRE(v1.has_value());
    REQUIRE(v1->payment);
    CHECK(v1->payment->header == x402::payment_header::x_payment);
    CHECK(v1->payment->value == "abc");

    const auto v2 = read_forwarded_request(with_more({{"payment-signature", "def"}, {"X-Payment", ""}}));
    REQUIRE(v2.has_value());
    REQUIRE(v2->payment);
    CHECK(v2->payment->header == x402::payment_header::payment_signature);
    CHECK(v2->payment->value == "def");

    CHECK_FALSE(read_forwarded_request(with_more({{"X-Payment", ""}}))->payment);

    const auto both = read_forwarded_request(with_more({{"X-Payment", "abc"}, {"Payment-Signature", "abc"}}));
    REQUIRE(both.has_error());
    CHECK(both.error().code() == errc::invalid);
    CHECK_THAT(both.error().message(), Catch::Matchers::Contains("not both"));
}
