#include "roles/controller/discovery/catalogue.hpp"

#include "offer/hosts.hpp"

#include <portitor/api/names.hpp>

#include <utility>
#include <vector>

namespace portitor::controller {

namespace {

constexpr std::chrono::seconds shortest_age(1);
constexpr std::size_t tag_digits = 32;

}  // namespace

document::document(std::string content)
    : text(std::move(content)), etag('"' + api::sha256_hex(text, tag_digits) + '"')
{}

catalogue::catalogue(
    const offer::plan_settings& settings, const clock& wall, const timekeeper& time, lookup find
)
    : settings_(settings), wall_(wall), time_(time), find_(std::move(find))
{}

void catalogue::note_change(const kube::object_key& offer)
{
    // An offer that came and went unasked leaves nothing behind.
    if (!entries_.contains(offer) && !find_(offer).offer)
        changed_.erase(offer);
    else
        changed_.insert(offer);
}

document_ptr catalogue::services(const std::string& host)
{
    return shelf_of(host).services;
}

document_ptr catalogue::registrations(const std::string& host)
{
    return shelf_of(host).registrations;
}

const catalogue::shelf& catalogue::shelf_of(const std::string& host)
{
    refresh();
    const auto at = shelves_.find(host);
    // Nothing is kept of a host that sells nothing: there may be any number of them.
    if (at == shelves_.end())
        empty_ = {};
    shelf& out = at == shelves_.end() ? empty_ : at->second;
    if (!out.services)
        assemble(out, host);
    return out;
}

std::string catalogue::host_of(const offer_view& seen) const
{
    return seen.offer ? offer::place_among(seen.offer->where, settings_).host : std::string();
}

document_ptr catalogue::registration(const kube::object_key& offer, const std::string& host) const
{
    const offer_view seen = find_(offer);
    if (!host.empty() && host_of(seen) != host)
        return nullptr;
    auto text = registration_document(seen, make_listing(seen, wall_.now()), settings_);
    return text ? std::make_shared<const document>(std::move(*text)) : nullptr;
}

void catalogue::refresh()
{
    const auto now = time_.now();
    if (looked_at_ && now < *looked_at_ + shortest_age)
        return;
    const auto wall_now = wall_.now();
    take_expired(wall_now);
    if (looked_at_ && changed_.empty())
        return;
    looked_at_ = now;
    for (const kube::object_key& each : std::exchange(changed_, {}))
        look_at(each, wall_now);
}

void catalogue::take_expired(clock::time_point now)
{
    for (const auto& [until, offer] : expiring_)
    {
        if (until > now)
            return;
        changed_.insert(offer);
    }
}

void catalogue::look_at(const kube::object_key& offer, clock::time_point now)
{
    const offer_view seen = find_(offer);
    const listing known = make_listing(seen, now);
    entry fresh{make_list_entry(seen, known, settings_), host_of(seen), known.until};
    const auto held = entries_.find(offer);
    const bool is_listed = !fresh.texts.empty();
    if (held != entries_.end())
    {
        if (!is_listed || held->second.texts != fresh.texts || held->second.host != fresh.host)
            forget(held);
        else
        {
            note_end(offer, held->second, fresh.until);
            return;
        }
    }
    if (!is_listed)
        return;
    shelf& at = shelves_[fresh.host];
    at.offers.insert(offer);
    at.services = nullptr;
    note_end(
        offer,
        entries_.emplace(offer, entry{std::move(fresh.texts), std::move(fresh.host), {}}).first->second,
        fresh.until
    );
}

void catalogue::note_end(const kube::object_key& offer, entry& of, std::optional<clock::time_point> until)
{
    if (of.until)
        expiring_.erase({*of.until, offer});
    of.until = until;
    if (until)
        expiring_.emplace(*until, offer);
}

void catalogue::forget(std::map<kube::object_key, entry>::iterator which)
{
    note_end(which->first, which->second, std::nullopt);
    const auto at = shelves_.find(which->second.host);
    at->second.offers.erase(which->first);
    at->second.services = nullptr;
    if (at->second.offers.empty())
        shelves_.erase(at);
    entries_.erase(which);
}

void catalogue::assemble(shelf& which, const std::string& host) const
{
    std::vector<std::string_view> services;
    std::vector<std::string_view> agents;
    std::vector<std::string_view> registrations;
    services.reserve(which.offers.size());
    for (const kube::object_key& key : which.offers)
    {
        const entry& each = entries_.at(key);
        services.emplace_back(each.texts.service);
        if (!each.texts.agent.empty())
            agents.emplace_back(each.texts.agent);
        if (!each.texts.registration.empty())
            registrations.emplace_back(each.texts.registration);
    }
    which.services = std::make_shared<const document>(services_document(services));
    which.registrations =
        std::make_shared<const document>(registrations_document(agents, registrations, settings_, host));
}

}  // namespace portitor::controller
