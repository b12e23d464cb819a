#include "route/host_name.hpp"

#include <boost/asio/ip/address_v6.hpp>

namespace portitor::route {

namespace {

std::string ipv6_name(std::string_view literal)
{
    boost::system::error_code ec;
    const auto address = boost::asio::ip::make_address_v6(std::string(literal), ec);
    return ec ? std::string() : address.to_string();
}

}  // namespace

std::string host_name_of(std::string_view authority)
{
    if (authority.starts_with('['))
    {
        const auto end = authority.find(']');
        return end == authority.npos ? std::string() : ipv6_name(authority.substr(1, end - 1));
    }
    std::string_view name = authority.substr(0, authority.find(':'));
    if (name.ends_with('.'))
        name.remove_suffix(1);
    std::string out(name);
    for (char& c : out)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    return out;
}

}  // namespace portitor::route
