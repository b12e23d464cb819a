#include "catch.hpp"
#include "http/peer_shares.hpp"

#include <string>
#include <vector>

using portitor::http::peer_shares;
namespace asio = boost::asio;

namespace {

peer_shares::peer at(const std::string& address)
{
    return peer_shares::of(asio::ip::make_address(address));
}

/// Takes as many as it gets.
std::size_t fill(peer_shares& shares, const std::string& address, std::size_t places)
{
    std::size_t out = 0;
    for (; shares.may_have_another(at(address), places); ++out)
        shares.take(at(address));
    return out;
}

}  // namespace

TEST_CASE("one peer gets half of all places, and each further one a third of the rest", "[http][http_server]")
{
    peer_shares shares;
    const std::size_t first = fill(shares, "10.0.0.1", 8192);
    CHECK(first == 4097);
    CHECK(fill(shares, "10.0.0.2", 8192) == 1365);
    CHECK(fill(shares, "10.0.0.3", 8192) == 910);
    // What is free again is for the others first.
    for (int i = 0; i < 100; ++i)
        shares.give_back(at("10.0.0.2"));
    CHECK_FALSE(shares.may_have_another(at("10.0.0.1"), 8192));
    CHECK(shares.may_have_another(at("10.0.0.4"), 8192));
    for (std::size_t i = 0; i < first; ++i)
        shares.give_back(at("10.0.0.1"));
    CHECK(shares.may_have_another(at("10.0.0.1"), 8192));
}

TEST_CASE("a hundred addresses take every place, and no more", "[http][http_server]")
{
    peer_shares shares;
    std::size_t taken = 0;
    for (int i = 0; i < 100; ++i)
        taken += fill(shares, "10.0.1." + std::to_string(i), 8192);
    CHECK(taken == 8192);
}

TEST_CASE("a peer is an IPv4 address however it is written, or half an IPv6 address", "[http][http_server]")
{
    CHECK(at("10.0.0.1") == at("::ffff:10.0.0.1"));
    CHECK(at("10.0.0.1") != at("10.0.0.2"));
    CHECK(at("::ffff:10.0.0.1") != at("::ffff:10.0.0.2"));
    CHECK(at("2001:db8:0:1::1") == at("2001:db8:0:1:ffff::2"));
    CHECK(at("2001:db8:0:1::1") != at("2001:db8:0:2::1"));
}
