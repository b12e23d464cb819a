#include "offer/path_index.hpp"

#include <algorithm>
#include <tuple>

namespace portitor::offer {

namespace {

// Deeper than this, paths are no longer told apart: it bounds what one offer costs.
constexpr std::size_t deepest = 32;
// More than these in one's way are a crowd.
constexpr int a_few = 5;

// "/", "/services", "/services/hello".
std::vector<std::string> line_to(const std::string& path)
{
    std::vector<std::string> out{"/"};
    for (std::size_t at = 1; at < path.size() && out.size() <= deepest;)
    {
        at = std::min(path.find('/', at), path.size());
        out.push_back(path.substr(0, at));
        ++at;
    }
    return out;
}

}  // namespace

bool path_index::by_order::operator()(const claim* left, const claim* right) const
{
    return std::tie(left->since, left->created, left->key) <
           std::tie(right->since, right->created, right->key);
}

bool path_index::by_owner::operator()(const standing& left, const standing& right) const
{
    if (left.owner != right.owner)
        return !right.owner || (left.owner && by_order()(left.owner, right.owner));
    if (!left.of || !right.of)
        return !left.of && right.of;
    return by_order()(left.of, right.of);
}

void path_index::crowd::insert(claim& of)
{
    by_host_[of.where.host].insert({of.owner, &of});
}

void path_index::crowd::erase(claim& of)
{
    const auto at = by_host_.find(of.where.host);
    if (at != by_host_.end() && at->second.erase({of.owner, &of}) != 0 && at->second.empty())
        by_host_.erase(at);
}

const path_index::standings& path_index::crowd::of(const std::string& host) const
{
    static const standings none;
    const auto at = by_host_.find(host);
    return at == by_host_.end() ? none : at->second;
}

path_index::claim& path_index::make_claim(const offer_record& offer, place where, clock::time_point since)
{
    claim& made = claims_[offer.meta.key()];
    made.key = offer.meta.key();
    made.since = since;
    made.created = offer.meta.created;
    made.where = std::move(where);
    for (const std::string& path : line_to(made.where.path))
    {
        node& each = nodes_[path];
        each.path = path;
        made.line.push_back(&each);
    }
    count_host(made.where.host, 1);
    return made;
}

void path_index::count_host(const std::string& host, int more)
{
    if (host.empty())
        return;
    const auto at = hosts_.try_emplace(host, 0).first;
    hosts_version_ += at->second == 0 ? 1 : 0;
    at->second += static_cast<std::size_t>(more);
    if (at->second != 0)
        return;
    hosts_.erase(at);
    ++hosts_version_;
}

void path_index::enter(claim& of)
{
    for (node* each : of.line)
        each->below.insert(of);
    of.line.back()->here.insert(of);
}

void path_index::leave(claim& of)
{
    for (node* each : of.line)
        each->below.erase(of);
    of.line.back()->here.erase(of);
}

// Sets that together hold all claims in the way of this one, and itself.
template <typename Visitor>
void path_index::visit_in_the_way(const claim& of, Visitor visitor) const
{
    for (const node* each : of.line)
        visitor((each == of.line.back() ? each->below : each->here).of(of.where.host));
}

const path_index::claim* path_index::first_in_the_way(const claim& of) const
{
    const claim* out = nullptr;
    visit_in_the_way(of, [&](const standings& some) {
        const auto at = some.lower_bound({nullptr, nullptr});
        if (at != some.end() && by_order()(at->of, &of) && (!out || by_order()(at->of, out)))
            out = at->of;
    });
    return out;
}

// Those that have no place because of this one.
void path_index::add_kept_out_by(const claim& of, claims& to) const
{
    visit_in_the_way(of, [&](const standings& some) {
        for (auto at = some.lower_bound({&of, nullptr}); at != some.end() && at->owner == &of; ++at)
            to.insert(at->of);
    });
}

// Those that have a place, or would have it but for one that is later than this one, which has its place: so
// they are all later than this one.
void path_index::add_to_be_kept_out_by(const claim& of, claims& to) const
{
    visit_in_the_way(of, [&](const standings& some) {
        for (auto at = some.lower_bound({&of, nullptr}); at != some.end(); ++at)
        {
            if (at->of != &of)
                to.insert(at->of);
        }
    });
}

// In order, so that of each one the earlier ones are settled already. Whoever gains or loses its place
// unsettles only later ones, so none is looked at twice.
void path_index::settle(claims& unsettled, std::set<kube::object_key>& moved)
{
    while (!unsettled.empty())
    {
        claim& each = **unsettled.begin();
        unsettled.erase(unsettled.begin());
        const claim* owner = first_in_the_way(each);
        if (owner == each.owner)
            continue;
        moved.insert(each.key);
        const bool had = !each.owner;
        leave(each);
        each.owner = owner;
        enter(each);
        if (had)
            add_kept_out_by(each, unsettled);
        else if (!owner)
            add_to_be_kept_out_by(each, unsettled);
    }
}

std::vector<kube::object_key>
path_index::update(const kube::change<offer_record>& of, std::optional<place> asked, clock::time_point since)
{
    const kube::object_key key = of.key();
    const auto at = claims_.find(key);
    const bool asks = of.after && asked && !is_reserved(*asked);
    if (at == claims_.end() && !asks)
        return {};
    if (at != claims_.end() && asks && at->second.where == *asked && at->second.since == since &&
        at->second.created == of.after->meta.created)
        return {};
    std::set<kube::object_key> moved;
    claims unsettled;
    if (at != claims_.end())
    {
        claim& old = at->second;
        leave(old);
        // It is kept until nobody refers to it any more.
        add_kept_out_by(old, unsettled);
        settle(unsettled, moved);
        for (const node* each : old.line)
        {
            if (each->below.empty())
                nodes_.erase(std::string(each->path));
        }
        count_host(old.where.host, -1);
        claims_.erase(at);
    }
    if (asks)
    {
        claim& made = make_claim(*of.after, std::move(*asked), since);
        made.owner = first_in_the_way(made);
        enter(made);
        if (!made.owner)
            add_to_be_kept_out_by(made, unsettled);
        settle(unsettled, moved);
    }
    moved.erase(key);
    return {moved.begin(), moved.end()};
}

std::string path_index::owner_before(const kube::object_key& offer) const
{
    const auto at = claims_.find(offer);
    return at == claims_.end() || !at->second.owner ? std::string() : at->second.owner->key.to_string();
}

bool path_index::is_crowded(const kube::object_key& offer) const
{
    const auto at = claims_.find(offer);
    const claim* owner = at == claims_.end() ? nullptr : at->second.owner;
    if (!owner)
        return false;
    int count = 0;
    visit_in_the_way(*owner, [&](const standings& some) {
        for (auto each = some.lower_bound({owner, nullptr});
             count <= a_few && each != some.end() && each->owner == owner;
             ++each)
            ++count;
    });
    return count > a_few;
}

}  // namespace portitor::offer
