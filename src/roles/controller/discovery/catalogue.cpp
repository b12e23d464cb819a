#include "roles/controller/discovery/catalogue.hpp"

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

document_ptr catalogue::services()
{
    refresh();
    return services_;
}

document_ptr catalogue::registrations()
{
    refresh();
    return registrations_;
}

document_ptr catalogue::registration(const kube::object_key& offer) const
{
    const offer_view seen = find_(offer);
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
    bool differs = services_ == nullptr;
    for (const kube::object_key& each : std::exchange(changed_, {}))
        differs = look_at(each, wall_now) || differs;
    if (differs)
        assemble();
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

// Whether the lists say something else from now on.
bool catalogue::look_at(const kube::object_key& offer, clock::time_point now)
{
    const offer_view seen = find_(offer);
    const listing known = make_listing(seen, now);
    entry fresh{make_list_entry(seen, known, settings_), known.until};
    const auto held = entries_.find(offer);
    if (held == entries_.end() && fresh.texts.empty())
        return false;
    const bool differs = held == entries_.end() || held->second.texts != fresh.texts;
    if (held != entries_.end())
        forget(held);
    if (fresh.texts.empty())
        return true;
    if (fresh.until)
        expiring_.emplace(*fresh.until, offer);
    entries_.emplace(offer, std::move(fresh));
    return differs;
}

void catalogue::forget(std::map<kube::object_key, entry>::iterator which)
{
    if (which->second.until)
        expiring_.erase({*which->second.until, which->first});
    entries_.erase(which);
}

void catalogue::assemble()
{
    std::vector<std::string_view> services;
    std::vector<std::string_view> agents;
    std::vector<std::string_view> registrations;
    services.reserve(entries_.size());
    for (const auto& [key, each] : entries_)
    {
        services.emplace_back(each.texts.service);
        if (!each.texts.agent.empty())
            agents.emplace_back(each.texts.agent);
        if (!each.texts.registration.empty())
            registrations.emplace_back(each.texts.registration);
    }
    services_ = std::make_shared<const document>(services_document(services));
    registrations_ =
        std::make_shared<const document>(registrations_document(agents, registrations, settings_));
}

}  // namespace portitor::controller
