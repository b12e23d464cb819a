#pragma once

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>

namespace portitor::http {

/// How many connections each peer has. As long as at most half of the places are taken, everybody gets one;
/// from then on only a peer that has fewer than half as many as are left free. One address so takes little
/// more than half of all, a second one a sixth, and the last places are for those who have few.
class peer_shares
{
public:
    /// An IPv4 address, or the first half of an IPv6 address: one customer, or one machine, has at least
    /// that.
    using peer = std::array<unsigned char, 16>;

    static peer of(const boost::asio::ip::address& from)
    {
        if (from.is_v4())
            return boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, from.to_v4()).to_bytes();
        peer out = from.to_v6().to_bytes();
        if (!from.to_v6().is_v4_mapped())
            std::fill(out.begin() + 8, out.end(), static_cast<unsigned char>(0));
        return out;
    }

    bool may_have_another(const peer& who, std::size_t places) const
    {
        if (taken_ >= places)
            return false;
        if (2 * taken_ <= places)
            return true;
        const auto known = by_peer_.find(who);
        return known == by_peer_.end() || 2 * known->second < places - taken_;
    }

    void take(const peer& who)
    {
        ++taken_;
        ++by_peer_[who];
    }

    void give_back(const peer& who)
    {
        --taken_;
        const auto known = by_peer_.find(who);
        if (--known->second == 0)
            by_peer_.erase(known);
    }

private:
    std::size_t taken_ = 0;
    std::map<peer, std::size_t> by_peer_;
};

}  // namespace portitor::http
