#include "roles/verifier/forwarded_request.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace portitor::verifier {

namespace {

constexpr std::array read_headers{
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-payment",
    "payment-signature"};
// Ours in the granted answer; a client's copy under another spelling would reach the upstream beside them.
constexpr std::array vouched_headers{
    "x-payer",
    "x-payment-status",
    "x-payment-tx",
    "x-payment-payer",
    "x-verified-wallet",
    "x-payment-response",
    "payment-response",
    "x-portitor-route"};

std::string lower_case(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

bool is_trusted(std::string_view name)
{
    const auto equal = [&](const char* each) { return name == each; };
    return std::any_of(read_headers.begin(), read_headers.end(), equal) ||
           std::any_of(vouched_headers.begin(), vouched_headers.end(), equal);
}

// Many upstreams read "X_Payer" and "X.Payer" as "X-Payer".
bool is_alias_of_trusted(const std::string& name)
{
    if (name.find_first_of("_.") == name.npos)
        return false;
    std::string plain = name;
    std::replace_if(
        plain.begin(), plain.end(), [](char c) { return c == '_' || c == '.'; }, '-'
    );
    return is_trusted(plain);
}

result<std::string> single(const http::request& message, const char* name)
{
    const auto range = message.equal_range(name);
    if (range.first == range.second)
        return std::string();
    if (std::next(range.first) != range.second)
        return fail(errc::invalid, "the header {} comes more than once", name);
    const auto value = range.first->value();
    for (const char c : value)
    {
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e)
            return fail(errc::invalid, "the header {} holds a character that does not belong there", name);
    }
    return std::string(value);
}

bool is_method(const std::string& text)
{
    return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalpha(c) != 0 || c == '-';
    });
}

bool is_host(const std::string& text)
{
    return !text.empty() && text.size() <= 300 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
    });
}

result<std::optional<forwarded_request::payment_text>> read_payment(const http::request& message)
{
    auto v1 = single(message, "X-Payment");
    if (!v1)
        return v1.error();
    auto v2 = single(message, "Payment-Signature");
    if (!v2)
        return v2.error();
    if (!v1->empty() && !v2->empty())
        return fail(errc::invalid, "send X-PAYMENT or PAYMENT-SIGNATURE, not both");
    using text = forwarded_request::payment_text;
    if (!v2->empty())
        return std::optional(text{x402::payment_header::payment_signature, std::move(*v2)});
    if (!v1->empty())
        return std::optional(text{x402::payment_header::x_payment, std::move(*v1)});
    return std::optional<text>();
}

}  // namespace

result<forwarded_request> read_forwarded_request(const http::request& message)
{
    for (const auto& each : message)
    {
        if (is_alias_of_trusted(lower_case({each.name_string().data(), each.name_string().size()})))
            return fail(errc::invalid, "a header spells a name of ours with \"_\" or \".\": remove it");
    }
    forwarded_request out;
    const std::pair<const char*, std::string*> wanted[] = {
        {"X-Forwarded-Uri", &out.uri},
        {"X-Forwarded-Method", &out.method},
        {"X-Forwarded-Host", &out.host},
        {"X-Forwarded-Proto", &out.scheme},
    };
    for (const auto& [name, into] : wanted)
    {
        auto value = single(message, name);
        if (!value)
            return value.error();
        *into = std::move(*value);
    }
    if (out.uri.empty())
        return fail(errc::refused, "X-Forwarded-Uri is missing: ask through a ForwardAuth middleware");
    if (!is_method(out.method) || !is_host(out.host))
        return fail(errc::invalid, "X-Forwarded-Method or X-Forwarded-Host is missing, a list or malformed");
    if (out.method == "HEAD")
        out.method = "GET";
    // Behind a WebSocket handshake the gateway may say ws or wss.
    if (out.scheme == "ws" || out.scheme == "wss")
        out.scheme.replace(0, 2, "http");
    if (out.scheme != "http" && out.scheme != "https")
        return fail(errc::invalid, "X-Forwarded-Proto is missing or neither http nor https");
    auto path = read_request_path(out.uri);
    if (!path)
        return path.error();
    out.path = std::move(*path);
    auto payment = read_payment(message);
    if (!payment)
        return payment.error();
    out.payment = std::move(*payment);
    return out;
}

}  // namespace portitor::verifier
