#include "http/listen_endpoint.hpp"

#include <boost/asio/ip/address.hpp>

#include <charconv>

namespace portitor::http {

namespace asio = boost::asio;
using asio::ip::tcp;

result<listen_endpoint> parse_listen_endpoint(std::string_view text)
{
    const auto wrong =
        fail(errc::invalid, "\"{}\" is not an address to listen on, such as :8080 or 127.0.0.1:8080", text);
    const auto colon = text.rfind(':');
    std::string host(colon == text.npos ? std::string_view() : text.substr(0, colon));
    const std::string_view port_text = colon == text.npos ? text : text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto read = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    if (port_text.empty() || read.ec != std::errc() || read.ptr != port_text.data() + port_text.size())
        return wrong;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    if (host.empty())
        return listen_endpoint{tcp::endpoint(tcp::v6(), port), true};
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(host, ec);
    if (ec)
        return wrong;
    return listen_endpoint{tcp::endpoint(address, port)};
}

}  // namespace portitor::http
