#include "roles/verifier/fronts/forwarded_request.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace portitor::verifier {

namespace {

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

// A UUID has 36 characters.
constexpr std::size_t max_request_id = 64;

/// The headers that are read, each at its first appearance.
struct raw_headers
{
    struct slot
    {
        std::string_view name;
        bool only_once;  ///< two would be two readings
        std::string_view value = {};
        bool seen = false;
    };

    enum
    {
        uri,
        method,
        host,
        proto,
        x_payment,
        payment_signature,
        accept,
        user_agent,
        request_id,
    };

    std::array<slot, 9> slots{{
        {"x-forwarded-uri", true},
        {"x-forwarded-method", true},
        {"x-forwarded-host", true},
        {"x-forwarded-proto", true},
        {"x-payment", true},
        {"payment-signature", true},
        {"accept", false},
        {"user-agent", false},
        {"x-request-id", false},
    }};

    std::string_view operator[](std::size_t which) const { return slots[which].value; }
};

bool is_trusted(std::string_view name)
{
    const raw_headers known;
    return std::any_of(
               known.slots.begin(),
               known.slots.end(),
               [&](const auto& each) { return each.only_once && each.name == name; }
           ) ||
           std::any_of(vouched_headers.begin(), vouched_headers.end(), [&](const char* each) {
               return name == each;
           });
}

// Many upstreams read "X_Payer" and "X.Payer" as "X-Payer".
bool is_alias_of_trusted(std::string_view name)
{
    if (std::none_of(name.begin(), name.end(), [](char c) { return c == '_' || c == '.'; }))
        return false;
    std::string plain(name);
    for (char& c : plain)
        c = c == '_' || c == '.' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return is_trusted(plain);
}

bool is_printable(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) <= 0x7e;
    });
}

result<void> collect(const http::server_request& message, raw_headers& into)
{
    for (const auto& each : message.headers())
    {
        if (is_alias_of_trusted(each.name))
            return fail(errc::invalid, "a header spells a name of ours with \"_\" or \".\": remove it");
        for (raw_headers::slot& slot : into.slots)
        {
            if (slot.name.size() != each.name.size() || !http::equal_names(slot.name, each.name))
                continue;
            if (slot.only_once && slot.seen)
                return fail(errc::invalid, "the header {} comes more than once", slot.name);
            // Traefik escapes the path, and hands the query on as it came.
            if (slot.only_once && &slot != &into.slots[raw_headers::uri] && !is_printable(each.value))
                return fail(
                    errc::invalid, "the header {} holds a character that does not belong there", slot.name
                );
            if (!slot.seen)
                slot.value = each.value;
            slot.seen = true;
        }
    }
    return {};
}

/// The URI with what is not ASCII escaped, which is the same URI; where there is nothing to escape, as it is.
/// errc::invalid for characters that no URL of a request has.
result<std::string_view> escape_uri(std::string_view uri, std::string& room)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    if (std::any_of(uri.begin(), uri.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
        return fail(errc::invalid, "the URL of the request holds a control character: escape it");
    if (is_printable(uri))
        return uri;
    room.clear();
    for (const char each : uri)
    {
        const auto byte = static_cast<unsigned char>(each);
        if (byte < 0x80)
        {
            room += each;
            continue;
        }
        room += '%';
        room += digits[byte / 16];
        room += digits[byte % 16];
    }
    return std::string_view(room);
}

bool is_method(std::string_view text)
{
    return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalpha(c) != 0 || c == '-';
    });
}

bool is_host(std::string_view text)
{
    return !text.empty() && text.size() <= 300 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
    });
}

result<void> read_payment(const raw_headers& raw, forwarded_request& out)
{
    const std::string_view v1 = raw[raw_headers::x_payment];
    const std::string_view v2 = raw[raw_headers::payment_signature];
    if (!v1.empty() && !v2.empty())
        return fail(errc::invalid, "send X-PAYMENT or PAYMENT-SIGNATURE, not both");
    using text = forwarded_request::payment_text;
    out.payment.reset();
    if (!v2.empty())
        out.payment = text{x402::payment_header::payment_signature, v2};
    if (!v1.empty())
        out.payment = text{x402::payment_header::x_payment, v1};
    return {};
}

}  // namespace

result<void> read_forwarded_request(const http::server_request& message, forwarded_request& out)
{
    raw_headers raw;
    auto collected = collect(message, raw);
    if (!collected)
        return collected;
    const auto uri = escape_uri(raw[raw_headers::uri], out.escaped_uri);
    if (!uri)
        return uri.error();
    out.uri = *uri;
    out.method = raw[raw_headers::method];
    out.host = raw[raw_headers::host];
    out.scheme = raw[raw_headers::proto];
    out.accept = raw[raw_headers::accept];
    out.user_agent = raw[raw_headers::user_agent];
    const std::string_view id = raw[raw_headers::request_id];
    out.request_id = id.size() <= max_request_id && is_printable(id) ? id : std::string_view();
    if (out.uri.empty())
        return fail(errc::refused, "X-Forwarded-Uri is missing: ask through a ForwardAuth middleware");
    if (!is_method(out.method) || !is_host(out.host))
        return fail(errc::invalid, "X-Forwarded-Method or X-Forwarded-Host is missing, a list or malformed");
    if (out.method == "HEAD")
        out.method = "GET";
    // Behind a WebSocket handshake the gateway may say ws or wss.
    if (out.scheme == "ws")
        out.scheme = "http";
    if (out.scheme == "wss")
        out.scheme = "https";
    if (out.scheme != "http" && out.scheme != "https")
        return fail(errc::invalid, "X-Forwarded-Proto is missing or neither http nor https");
    auto path = route::read_request_path(out.uri, out.path);
    if (!path)
        return path;
    return read_payment(raw, out);
}

}  // namespace portitor::verifier
