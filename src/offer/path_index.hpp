#pragma once

#include "offer/offer_record.hpp"
#include "offer/place_memory.hpp"

#include <portitor/kube/object.hpp>
#include <portitor/kube/store.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace portitor::offer {

/// Which offers ask for which place, and which of them has it.
///
/// Two offers are in each other's way where they are of the same host and one's path is the other's or lies
/// below it; offers without a host of their own are of one host. They are gone through in order: those with a
/// right to their place by how old that is (place_memory), then all others by age (creationTimestamp, then
/// namespace/name). Each one has its place unless an earlier one that has its own is in the way. So an offer
/// that has lost is in nobody's way.
///
/// A change costs as much as it changes: the offers are found by segments, and only those are looked at again
/// for which the answer is another one. One strand.
class path_index
{
public:
    path_index() = default;
    path_index(const path_index&) = delete;
    path_index& operator=(const path_index&) = delete;

    /// Takes a change of an offer, or takes it again, with the place that it asks for now: none, where it is
    /// gone or has given up. A reserved place is none either. `since`: when its right to that place began.
    /// Returns the other offers for which the answer of owner_before() is now another one.
    std::vector<kube::object_key> update(
        const kube::change<offer_record>& of,
        std::optional<place> asked,
        clock::time_point since = place_memory::never
    );

    /// "namespace/name" of the first of the earlier offers that keep this one from its place; empty where it
    /// has it, or asks for none.
    std::string owner_before(const kube::object_key& offer) const;

    /// Whether that offer keeps more than a few from their places.
    bool is_crowded(const kube::object_key& offer) const;

    /// The hosts of their own that offers ask for a place at, and how many do. The public ones are not among
    /// them.
    const std::map<std::string, std::size_t>& hosts() const { return hosts_; }
    /// Changes with each host that comes or goes.
    std::uint64_t hosts_version() const { return hosts_version_; }

private:
    struct node;

    struct claim
    {
        kube::object_key key;
        clock::time_point since;
        clock::time_point created;
        place where;
        std::vector<node*> line;       ///< the paths above and its own one, "/" first
        const claim* owner = nullptr;  ///< the earlier one that is in the way
    };

    struct by_order
    {
        bool operator()(const claim* left, const claim* right) const;
    };
    using claims = std::set<claim*, by_order>;

    /// A claim by who is in its way: first those with an owner, the first owner first, then those that have
    /// their place; the earliest claim first among equals. Without a claim it comes before all of its owner.
    struct standing
    {
        const claim* owner;
        claim* of;
    };
    struct by_owner
    {
        bool operator()(const standing& left, const standing& right) const;
    };
    using standings = std::set<standing, by_owner>;

    /// Claims, to be found by host.
    class crowd
    {
    public:
        void insert(claim& of);
        void erase(claim& of);
        bool empty() const { return by_host_.empty(); }
        /// Those of this host.
        const standings& of(const std::string& host) const;

    private:
        std::map<std::string, standings> by_host_;
    };

    /// One path: who asks for it, and who asks for it or for what lies below.
    struct node
    {
        std::string path;
        crowd here;
        crowd below;
    };

    claim& make_claim(const offer_record& offer, place where, clock::time_point since);
    void count_host(const std::string& host, int more);
    void enter(claim& of);
    void leave(claim& of);
    template <typename Visitor>
    void visit_in_the_way(const claim& of, Visitor visitor) const;
    const claim* first_in_the_way(const claim& of) const;
    void add_kept_out_by(const claim& of, claims& to) const;
    void add_to_be_kept_out_by(const claim& of, claims& to) const;
    void settle(claims& unsettled, std::set<kube::object_key>& moved);

    std::map<kube::object_key, claim> claims_;
    std::unordered_map<std::string, node> nodes_;
    std::map<std::string, std::size_t> hosts_;
    std::uint64_t hosts_version_ = 0;
};

}  // namespace portitor::offer
