#include "cli/pay/wish.hpp"

#include <portitor/x402/payment.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>

namespace portitor::cli::pay {

namespace {

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) noexcept
{
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != marks.npos;
    });
}

}  // namespace

result<wish> wish_for(const std::string& url)
{
    auto where = http::parse_url(url);
    if (!where)
        return where.error();
    wish out;
    out.where = std::move(*where);
    out.url = url;
    return out;
}

bool is_in_clear(const wish& what)
{
    const std::string& host = what.where.origin.host;
    if (what.where.origin.scheme == "https" || host == "localhost" || host.ends_with(".localhost"))
        return false;
    boost::system::error_code is_name;
    const auto address = boost::asio::ip::make_address(host, is_name);
    return is_name || !address.is_loopback();
}

result<std::pair<std::string, std::string>> parse_header(std::string_view line)
{
    const auto colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == line.npos || !is_token(name))
        return fail(errc::invalid, "a header is written 'Name: value'");
    for (const std::string_view ours :
         {x402::x_payment_header,
          x402::payment_signature_header,
          std::string_view("Content-Length"),
          std::string_view("Transfer-Encoding"),
          std::string_view("Connection")})
        if (boost::beast::iequals({name.data(), name.size()}, {ours.data(), ours.size()}))
            return fail(errc::invalid, "the header {} is set by portitor itself", ours);
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    const auto is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; };
    if (std::any_of(value.begin(), value.end(), is_control))
        return fail(errc::invalid, "the value of the header {} has control characters in it", name);
    return std::pair(std::string(name), std::string(value));
}

bool is_method(std::string_view text) noexcept
{
    return text.size() <= 32 && text != "CONNECT" && is_token(text);
}

}  // namespace portitor::cli::pay
