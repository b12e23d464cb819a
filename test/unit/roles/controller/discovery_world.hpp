#pragma once

#include "../../offer/offer_world.hpp"
#include "manual_timekeeper.hpp"
#include "roles/controller/discovery/front.hpp"

#include <portitor/api/names.hpp>

#include <map>

namespace portitor::test {

/// A clock that a test sets.
class set_clock final : public clock
{
public:
    time_point now() const override { return time; }
    time_point time = from_rfc3339("2026-11-24T20:00:00Z");
};

/// An offer that is sold and registered as agent 7.
inline world registered_world()
{
    world all;
    all.edit("/spec/registration", R"({"enabled": true, "name": "Hello", "description": "Says hello"})");
    all.sell();
    all.registrar(R"({"phase": "Confirmed", "agentId": "7", "txHash": "0xabc"})");
    all.settle();
    return all;
}

inline controller::offer_view view_of(const world& all)
{
    offer::observation seen = all.observation();
    return {std::move(seen.offer), std::move(seen.children)};
}

/// Offers by key with the catalogue of them.
struct discovery_world
{
    offer::plan_settings settings = world().settings;
    std::map<kube::object_key, controller::offer_view> offers;
    set_clock wall;
    manual_timekeeper time;
    int looks = 0;  ///< of the catalogue at offers
    controller::catalogue documents{settings, wall, time, [this](const kube::object_key& key) {
                                        ++looks;
                                        const auto at = offers.find(key);
                                        return at == offers.end() ? controller::offer_view() : at->second;
                                    }};

    void put(const world& all)
    {
        offers[all.offer->meta.key()] = view_of(all);
        documents.note_change(all.offer->meta.key());
    }

    void remove(const kube::object_key& key)
    {
        offers.erase(key);
        documents.note_change(key);
    }

    /// The same offer under another name and UID.
    static world named(world all, const std::string& name)
    {
        const std::string uid = "uid-of-" + name;
        all.offer =
            changed(changed(all.offer, "/metadata/name", '"' + name + '"'), "/metadata/uid", '"' + uid + '"');
        for (kube::object_ptr* each : {&all.seen.payment_route, &all.seen.registration})
        {
            if (!*each)
                continue;
            const std::string owner =
                R"([{"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": ")" + name +
                R"(", "uid": ")" + uid + R"(", "controller": true}])";
            *each = changed(*each, "/metadata/ownerReferences", owner);
        }
        return all;
    }
};

}  // namespace portitor::test
