#pragma once

#include "../api/objects.hpp"
#include "offer/plan.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <stdexcept>

namespace portitor::test {

/// "HTTPRoute".
inline std::string name_of(offer::child_kind kind)
{
    return std::string(offer::type_of(kind).resource.kind);
}

/// An offer with all that surrounds it, and an API server small enough to see through: it carries plans out.
/// Verifier, gateway and registrar act when a test says so.
class world
{
public:
    /// What there is beside the offer, as make_plan() is to see it.
    struct surroundings
    {
        kube::object_ptr middleware;
        kube::object_ptr cors;
        kube::object_ptr in_flight;
        kube::object_ptr rate;
        kube::object_ptr http_route;
        kube::object_ptr payment_route;
        kube::object_ptr registration;
        offer::probe_result probe;
        offer::model_listing model;
        offer::gate_proof proof;
        offer::facilitator_word facilitator;
        std::string trial;
        std::optional<bool> verifier_ready;
        offer::by_child<std::string> apply_errors;
        offer::by_child<bool> lost;
        offer::by_child<bool> taken_down;
        offer::by_child<std::chrono::milliseconds> repair_waits;
        std::chrono::milliseconds route_turn{0};
        std::string path_owner;
        bool path_crowded = false;
        bool beyond_limit = false;
        offer::service_nature service = offer::service_nature::ordinary;
        std::chrono::milliseconds words_wait{0};
        std::set<std::string> been_true;
        std::chrono::milliseconds recovery_wait{0};
        std::string way_around;
        std::string name_clash;
        kube::object_ptr home;
        bool upstream_granted = false;
        api::served_schema served;
    };

    offer::plan_settings settings;
    bool selected = true;  ///< by the operator
    surroundings seen;
    kube::object_ptr offer;  ///< null once it is gone
    clock::time_point now = from_rfc3339("2026-11-24T20:00:00Z");

    world()
    {
        offer = object_from(R"({
            "apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer",
            "metadata": {"name": "hello", "namespace": "shop", "uid": "offer-uid", "generation": 1,
                         "resourceVersion": "1", "creationTimestamp": "2026-11-24T19:59:59Z"},
            "spec": {
                "upstream": {"service": "web", "port": 8080, "healthPath": "/health"},
                "payment": {
                    "network": "base-sepolia", "payTo": "0x00000000000000000000000000000000000000AB",
                    "price": {"perRequest": "0.01"}
                }
            }
        })");
        settings.gateway.gateway = {"traefik", "traefik-gateway"};
        settings.gateway.controller = "traefik.io/gateway-controller";
        settings.gateway.verifier_url = "http://portitor-verifier.portitor.svc:8080";
        settings.gateway.public_url = "https://api.example.com";
        // Whose hosts are whose is for the tests of that.
        settings.gateway.hosts.written_public = {"*"};
        settings.gateway.hosts.entries = {{"*", {"*"}, std::nullopt}};
        settings.lists.facilitators.entries = {
            {"default", "https://f.example"}, {"own", "https://own.example"}};
        settings.lists.facilitators.default_name = "default";
        settings.lists.credentials.entries = {
            {"litellm", "", {"shop"}}, {"shared", "", {"*"}}, {"secret", "", {"other"}}};
        settings.gate_key = api::gate_key::make(std::string(32, 'k')).value();
        settings.lists.chains.entries = {{"base-sepolia", "0x8004A818BFB912233c491871b3d84c89A494BD9e"}};
        settings.lists.networks.table = networks();
    }

    /// Base Sepolia with two tokens, and a network without one.
    static x402::network_table networks()
    {
        x402::network base;
        base.caip2 = "eip155:84532";
        base.chain_id = 84532;
        base.aliases = {"base-sepolia"};
        base.tokens = {
            {"USDC", "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC", "2", 6},
            {"OBOL", "0x0a09371a8b011d5110656ceBCc70603e53FD2c78", "Obol Network", "1", 18}};
        x402::network bare;
        bare.caip2 = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";
        bare.aliases = {"solana"};
        x402::network_table out;
        if (!out.add(std::move(base)) || !out.add(std::move(bare)))
            throw std::runtime_error("the test's network is refused");
        return out;
    }

    offer::observation observation() const
    {
        offer::observation out;
        out.offer = offer::offer_record::read(*offer, selected);
        out.children =
            offer::find_children(offer->meta, [&](offer::child_kind kind, const kube::object_key&) {
                return const_cast<world*>(this)->slot(kind);
            });
        for (const offer::child_type& type : offer::child_types)
        {
            offer::child& each = out.children[type.kind];
            each.error = seen.apply_errors[type.kind];
            each.lost = seen.lost[type.kind];
            each.taken_down = seen.taken_down[type.kind];
            each.wait = seen.repair_waits[type.kind];
        }
        out.children[offer::child_kind::http_route].turn = seen.route_turn;
        out.probe = seen.probe;
        out.model = seen.model;
        out.proof = seen.proof;
        out.facilitator = seen.facilitator;
        out.trial = seen.trial;
        out.verifier_ready = seen.verifier_ready;
        out.path_owner = seen.path_owner;
        out.path_crowded = seen.path_crowded;
        out.beyond_limit = seen.beyond_limit;
        out.service = seen.service;
        out.words_wait = seen.words_wait;
        out.been_true = seen.been_true;
        out.recovery_wait = seen.recovery_wait;
        out.way_around = seen.way_around;
        out.name_clash = seen.name_clash;
        out.home = seen.home;
        out.upstream_granted = seen.upstream_granted;
        out.served = seen.served;
        return out;
    }

    offer::plan look() const { return offer::make_plan(observation(), settings, now); }

    /// Plans once and carries it out.
    offer::plan step()
    {
        offer::plan next = look();
        carry_out(next);
        return next;
    }

    /// Steps until there is nothing to do; the number of steps that did something. Throws where there is no
    /// end.
    int settle()
    {
        for (int steps = 0; steps < 20; ++steps)
        {
            if (!offer || step().empty())
                return steps;
        }
        throw std::runtime_error("the plans do not come to an end");
    }

    /// Edits the offer's spec as a user does: the generation moves.
    void edit(std::string_view pointer, std::string_view text) { offer = edited(offer, pointer, text); }

    /// Edits an object's spec as a user does.
    kube::object_ptr edited(const kube::object_ptr& object, std::string_view pointer, std::string_view text)
    {
        return changed(
            versioned(changed(object, pointer, text)),
            "/metadata/generation",
            std::to_string(object->meta.generation + 1)
        );
    }

    void mark_deleted()
    {
        offer = changed(offer, "/metadata/deletionTimestamp", '"' + to_rfc3339(now) + '"');
    }

    void healthy() { seen.probe = {offer::probe_result::verdict::healthy, "", 0}; }
    void unhealthy(unsigned times, std::string why = "connection refused")
    {
        seen.probe = {offer::probe_result::verdict::unhealthy, std::move(why), times};
    }

    /// The verifier takes up the present terms.
    void admit()
    {
        const std::string generation = std::to_string(seen.payment_route->meta.generation);
        seen.payment_route = versioned(changed(
            seen.payment_route,
            "/status",
            R"({"admitted": true, "lastAdmittedGeneration": )" + generation + "}"
        ));
    }

    void refuse_admission(const std::string& reason, const std::string& message)
    {
        const std::string generation = std::to_string(seen.payment_route->meta.generation);
        seen.payment_route = changed(
            seen.payment_route,
            "/status",
            R"({"admitted": false, "conditions": [{"type": "Admitted", "status": "False", "reason": ")" +
                reason + R"(", "message": ")" + message + R"(", "observedGeneration": )" + generation + "}]}"
        );
    }

    /// The facilitator lists these networks.
    void list_networks(std::set<std::string> names)
    {
        seen.facilitator = {};
        seen.facilitator.said = offer::facilitator_word::verdict::listed;
        seen.facilitator.served = std::make_shared<const x402::served_networks>(std::move(names));
    }

    /// The Gateway's controller gives its verdict on the present route.
    void publish(const std::string& accepted = "True", const std::string& reason = "Accepted")
    {
        set_parents(parent(accepted, reason, seen.http_route->meta.generation, "traefik", "traefik-gateway"));
    }

    static std::string parent(
        const std::string& accepted,
        const std::string& reason,
        std::int64_t generation,
        const std::string& ns,
        const std::string& name,
        const std::string& resolved = "True",
        const std::string& by = "traefik.io/gateway-controller"
    )
    {
        const auto condition = [&](const char* type, const std::string& status, const std::string& why) {
            return R"({"type": ")" + std::string(type) + R"(", "status": ")" + status + R"(", "reason": ")" +
                   why + R"(", "message": "words of the gateway", "observedGeneration": )" +
                   std::to_string(generation) + "}";
        };
        return R"({"parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": ")" +
               ns + R"(", "name": ")" + name + R"("}, "controllerName": ")" + by + R"(", "conditions": [)" +
               condition("Accepted", accepted, reason) + ", " +
               condition("ResolvedRefs", resolved, resolved == "True" ? "ResolvedRefs" : "BackendNotFound") +
               "]}";
    }

    void set_parents(const std::string& parents)
    {
        seen.http_route = changed(seen.http_route, "/status", R"({"parents": [)" + parents + "]}");
    }

    void registrar(const std::string& status)
    {
        seen.registration = versioned(changed(seen.registration, "/status", status));
    }

    /// An offer that is sold: everything is well.
    void sell()
    {
        healthy();
        settle();
        admit();
        publish();
        settle();
    }

    kube::condition condition(std::string_view type) const
    {
        const auto all = kube::parse_conditions(offer->status());
        const auto* found = kube::find_condition(all, type);
        return found ? *found : kube::condition{};
    }

    /// "True/Ready", or "/" where there is no such condition.
    std::string verdict(std::string_view type) const
    {
        const auto found = condition(type);
        return found.status + "/" + found.reason;
    }

    std::string phase() const { return kube::string_at(offer->status(), "phase"); }

    void carry_out(const offer::plan& plan)
    {
        if (plan.add_finalizer)
            offer = with_finalizers(offer, {"obol.org/portitor"});
        for (const auto& each : plan.applies)
            carry_out(each);
        for (const auto& each : plan.removes)
            remove(slot(each.kind), each.uid);
        for (const auto& each : plan.releases)
            release(slot(each.kind), each);
        if (plan.status)
            offer = changed(offer, "/status", boost::json::serialize(*plan.status));
        if (plan.remove_finalizer)
            offer = offer->meta.deleted ? nullptr : with_finalizers(offer, {});
    }

    kube::object_ptr& slot(offer::child_kind kind)
    {
        switch (kind)
        {
        case offer::child_kind::middleware:
            return seen.middleware;
        case offer::child_kind::cors:
            return seen.cors;
        case offer::child_kind::in_flight:
            return seen.in_flight;
        case offer::child_kind::rate:
            return seen.rate;
        case offer::child_kind::http_route:
            return seen.http_route;
        case offer::child_kind::payment_route:
            return seen.payment_route;
        case offer::child_kind::registration:
            break;
        }
        return seen.registration;
    }

private:
    // Server-side apply with force, by the only manager there is: fields that are not named stay, lists are
    // replaced.
    static void merge(boost::json::object& into, const boost::json::object& from)
    {
        for (const auto& [key, value] : from)
        {
            boost::json::value& held = into[key];
            if (value.is_object() && held.is_object())
                merge(held.get_object(), value.get_object());
            else
                held = value;
        }
    }

    static void drop(boost::json::object& from, std::string_view pointer)
    {
        const auto end = pointer.find('/', 1);
        std::string key(pointer.substr(1, end == pointer.npos ? end : end - 1));
        if (const auto tilde = key.find("~0"); tilde != key.npos)
            key.erase(tilde + 1, 1);
        if (end == pointer.npos)
            from.erase(key);
        else
            drop(from.at(key).as_object(), pointer.substr(end));
    }

    void carry_out(const offer::apply& step)
    {
        kube::object_ptr& live = slot(step.kind);
        boost::json::object raw = live ? live->raw : boost::json::object();
        const boost::json::value before = live ? boost::json::value(live->spec()) : boost::json::value();
        for (const std::string& pointer : step.foreign)
            drop(raw, pointer);
        merge(raw, step.desired);
        boost::json::object& meta = raw["metadata"].as_object();
        if (!live)
            meta["uid"] = "uid-" + std::to_string(++writes_);
        const std::int64_t generation = live ? live->meta.generation : 0;
        meta["generation"] = raw.at("spec") == before ? generation : generation + 1;
        live = versioned(kube::parse_object(raw).value());
    }

    void remove(kube::object_ptr& live, const std::string& uid)
    {
        if (!live || live->meta.uid != uid)
            throw std::runtime_error("removes what is not there");
        if (live->meta.finalizers.empty())
            live = nullptr;
        else
            live = versioned(changed(live, "/metadata/deletionTimestamp", '"' + to_rfc3339(now) + '"'));
    }

    void release(kube::object_ptr& live, const offer::release_finalizer& step)
    {
        if (!live || live->meta.uid != step.uid || live->meta.resource_version != step.resource_version)
            throw std::runtime_error("releases what has changed");
        live = versioned(with_finalizers(live, {}));
        if (live->meta.deleted)
            live = nullptr;
    }

    static kube::object_ptr with_finalizers(const kube::object_ptr& object, std::vector<std::string> names)
    {
        boost::json::array list;
        for (const std::string& each : names)
            list.emplace_back(each);
        return changed(object, "/metadata/finalizers", boost::json::serialize(list));
    }

    kube::object_ptr versioned(const kube::object_ptr& object)
    {
        return changed(object, "/metadata/resourceVersion", '"' + std::to_string(100 + ++writes_) + '"');
    }

    int writes_ = 0;
};

}  // namespace portitor::test
