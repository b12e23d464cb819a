#pragma once

#include "../command_world.hpp"
#include "offer/child.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>

namespace portitor::cli::once::samples {

namespace json = boost::json;

inline constexpr const char* offer_head = R"(
apiVersion: obol.org/v1alpha1
kind: ServiceOffer
)";

/// An offer in the namespace "shop", as a file has it.
inline std::string
written(const std::string& name, const std::string& more = "price: {perRequest: \"0.001\"}")
{
    return "---" + std::string(offer_head) + "metadata: {name: " + name + ", namespace: shop}\n" +
           "spec:\n  upstream: {service: web, port: 8080}\n  payment:\n    network: base-sepolia\n" +
           "    payTo: \"0x14dC79964da2C08b23698B3D3cc7Ca32193d9955\"\n    " + more + "\n";
}

/// Nobody's writes but dry runs get through, and those are counted.
class only_looked_at final : public kube::api
{
public:
    /// How the API server answers, where it is not as usual.
    struct manners
    {
        bool last_first = false;         ///< of what it lists
        bool lets_nobody_patch = false;  ///< also no dry run
    };

    only_looked_at(std::unique_ptr<kube::api> inner, unsigned& dry_runs, const manners& how)
        : inner_(std::move(inner)), dry_runs_(dry_runs), how_(how)
    {}

    template <typename T>
    using answer = boost::asio::awaitable<kube::api_result<T>>;

    answer<kube::object_ptr>
    get(kube::resource kind, kube::object_key key, kube::request_class urgency) override
    {
        return inner_->get(kind, std::move(key), urgency);
    }
    answer<kube::list_page> list(
        kube::resource kind, kube::selection which, kube::list_position from, kube::item_handler each
    ) override
    {
        if (!how_.last_first)
        {
            auto usual = co_await inner_->list(kind, std::move(which), std::move(from), std::move(each));
            co_return usual;
        }
        std::vector<json::object> all;
        kube::item_handler keep = [&all](json::object&& item, std::string_view) {
            all.emplace_back(std::as_const(item), json::storage_ptr());
            return result<void>();
        };
        auto page = co_await inner_->list(kind, std::move(which), std::move(from), std::move(keep));
        for (auto item = all.rbegin(); item != all.rend(); ++item)
        {
            const auto taken = each(std::move(*item), {});
            if (!taken)
                co_return kube::api_error(taken.error());
        }
        co_return page;
    }
    answer<std::unique_ptr<http::body_stream>>
    watch(kube::resource, kube::selection, std::string, std::chrono::seconds) override
    {
        throw std::logic_error("a watch");
    }
    answer<kube::object_ptr> apply(kube::resource kind, json::object wanted, kube::apply_options how) override
    {
        if (!how.dry_run)
            throw std::logic_error("a write");
        ++dry_runs_;
        if (how_.lets_nobody_patch)
            return refuse(fmt::format(
                "{}.{} \"x\" is forbidden: User \"viewer\" cannot patch resource \"{}\" in API group \"{}\"",
                kind.plural,
                kind.group,
                kind.plural,
                kind.group
            ));
        return inner_->apply(kind, std::move(wanted), std::move(how));
    }
    answer<kube::object_ptr> patch(kube::resource, kube::object_key, json::array) override
    {
        throw std::logic_error("a patch");
    }
    answer<kube::object_ptr> replace(kube::resource, json::object, kube::request_class) override
    {
        throw std::logic_error("a replace");
    }
    answer<kube::object_ptr> create(kube::resource, json::object, kube::request_class) override
    {
        throw std::logic_error("a create");
    }
    answer<void> remove(kube::resource, kube::object_key, kube::delete_options) override
    {
        throw std::logic_error("a removal");
    }

private:
    static answer<kube::object_ptr> refuse(std::string why)
    {
        co_return kube::api_error(403, "Forbidden", std::move(why), {});
    }

    const std::unique_ptr<kube::api> inner_;
    unsigned& dry_runs_;
    const manners& how_;
};

struct once_world : cli::samples::command_world
{
    unsigned dry_runs = 0;
    only_looked_at::manners manners;
    std::string gateway_controller = "traefik.io/gateway-controller";

    once_world()
    {
        between = [this](std::unique_ptr<kube::api> inner) -> std::unique_ptr<kube::api> {
            return std::make_unique<only_looked_at>(std::move(inner), dry_runs, manners);
        };
    }

    /// Runs it with -o json; `code` is checked.
    json::object look(std::vector<std::string> words, int code, const std::string& input = {})
    {
        words.insert(words.begin(), {"once", "-o", "json"});
        if (!input.empty())
            words.insert(words.end(), {"-f", "-"});
        const outcome done = run(words, input);
        INFO(done.err);
        REQUIRE(done.code == code);
        return json::parse(done.out).as_object();
    }

    json::object only(const std::string& input, int code, std::vector<std::string> words = {})
    {
        const json::object said = look(std::move(words), code, input);
        REQUIRE(kube::array_at(said, "offers").size() == 1);
        return said.at("offers").at(0).as_object();
    }

    void create_offer(const std::string& name)
    {
        create(
            api::service_offer_resource,
            R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","metadata":{"namespace":"shop","name":")" +
                name +
                R"("},"spec":{"upstream":{"service":"web","port":8080},"payment":{"network":"base-sepolia",)"
                R"("payTo":"0x14dC79964da2C08b23698B3D3cc7Ca32193d9955","price":{"perRequest":"0.001"}}}})"
        );
    }

    /// The ConfigMap of the installation.
    void settings(const std::string& text)
    {
        json::object map{{"apiVersion", "v1"}, {"kind", "ConfigMap"}};
        map["metadata"] = json::object{{"namespace", "portitor"}, {"name", "portitor-config"}};
        map["data"] = json::object{{"portitor.yaml", text}};
        create(api::config_map_resource, json::serialize(map));
    }

    /// As the controller would: the children that are foretold.
    void settle()
    {
        const json::object said = look({"-A", "--no-dry-run"}, 2);
        for (const json::value& one : kube::array_at(said, "offers"))
        {
            for (const json::value& each : kube::array_at(one.as_object(), "children"))
                settle(each.as_object());
        }
    }

    /// As settle(), and as gateway, verifier and controller would report: nothing is left to do.
    void settle_wholly(const std::vector<std::string>& names)
    {
        settle();
        for (const std::string& name : names)
        {
            patch(
                api::service_offer_resource,
                name,
                R"([{"op":"add","path":"/metadata/finalizers","value":["obol.org/portitor"]}])"
            );
            report(
                api::payment_route_resource,
                name + "-payment",
                R"({"admitted":true,"lastAdmittedGeneration":1,"conditions":[]})"
            );
            report_accepted("so-" + name);
            json::array found{
                condition("UpstreamHealthy", "True", "Healthy", "http://web.shop.svc:8080/ answers"),
                condition("RoutePublished", "True", "Published", "it refuses it unpaid")};
            report_offer(name, {{"conditions", std::move(found)}});
        }
        const json::object said = look({"-A", "--no-dry-run"}, 2);
        for (const json::value& one : kube::array_at(said, "offers"))
        {
            const json::object& offer = one.as_object();
            json::array all;
            for (const json::value& each : kube::array_at(offer, "conditions"))
            {
                const auto text = [&](const char* key) { return kube::string_at(each.as_object(), key); };
                all.push_back(condition(text("type"), text("status"), text("reason"), text("message")));
            }
            report_offer(
                kube::string_at(offer, "name"),
                {{"phase", kube::string_at(offer, "status.phase")},
                 {"endpoint", kube::string_at(offer, "terms.endpoint")},
                 {"conditions", std::move(all)}}
            );
        }
    }

    static json::object condition(
        const std::string& type,
        const std::string& status,
        const std::string& reason,
        const std::string& message
    )
    {
        return {
            {"type", type},
            {"status", status},
            {"reason", reason},
            {"message", message},
            {"observedGeneration", 1},
            {"lastTransitionTime", "2026-11-24T19:00:00Z"}};
    }

    void report_offer(const std::string& name, json::object status)
    {
        status["observedGeneration"] = 1;
        report(api::service_offer_resource, name, json::serialize(status));
    }

    void report_accepted(const std::string& route)
    {
        const auto live = this->live(api::http_route_resource, route);
        const json::object& parent = live->spec().at("parentRefs").at(0).as_object();
        json::array told{
            condition("Accepted", "True", "Accepted", ""),
            condition("ResolvedRefs", "True", "ResolvedRefs", "")};
        json::object entry{{"controllerName", gateway_controller}, {"parentRef", parent}};
        entry["conditions"] = std::move(told);
        report(
            api::http_route_resource, route, json::serialize(json::object{{"parents", json::array{entry}}})
        );
    }

    /// What is told of a Middleware hides its token: the stand-in of who has no key.
    static json::object unmasked(json::object wanted)
    {
        const std::string address = kube::string_at(wanted, "spec.forwardAuth.address");
        if (const auto query = address.find('?'); query != address.npos)
            wanted.at("spec").at("forwardAuth").at("address") = address.substr(0, query) + "?token=unknown";
        return wanted;
    }

    void settle(const json::object& child)
    {
        for (const offer::child_type& type : offer::child_types)
        {
            if (type.resource.kind != kube::string_at(child, "kind"))
                continue;
            kube::apply_options how;
            how.field_manager = api::controller_field_manager;
            server.storage().apply(
                sandbox::kind_id(type.resource),
                key(kube::string_at(child, "name")),
                unmasked(child.at("wanted").as_object()),
                how
            );
        }
    }
};

inline std::string action_of(const json::object& offer, const std::string& kind)
{
    for (const json::value& each : kube::array_at(offer, "children"))
    {
        if (kube::string_at(each.as_object(), "kind") == kind)
            return kube::string_at(each.as_object(), "action");
    }
    return {};
}

}  // namespace portitor::cli::once::samples
