#include "config/transport.hpp"

#include <boost/asio/ip/address_v4.hpp>

#include <string_view>

namespace portitor::config {

namespace {

bool is_local(const std::string& host)
{
    const auto ends_with = [&](std::string_view suffix) {
        return host.size() > suffix.size() && host.ends_with(suffix);
    };
    boost::system::error_code no_address;
    const auto address = boost::asio::ip::make_address_v4(host, no_address);
    return host == "localhost" || host == "::1" || (!no_address && address.is_loopback()) ||
           ends_with(".svc") || ends_with(".svc.cluster.local");
}

}  // namespace

bool may_be_asked(const http::origin& server, bool insecure)
{
    return server.scheme != "http" || (insecure && is_local(server.host));
}

}  // namespace portitor::config
