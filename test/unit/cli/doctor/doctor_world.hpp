#pragma once

#include "catch.hpp"
#include "cli/doctor/patient.hpp"
#include "hand_made_process.hpp"
#include "run.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/config/groups.hpp>
#include <portitor/core/task_group.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace portitor::cli::doctor::samples {

namespace asio = boost::asio;
namespace json = boost::json;

inline json::object object_of(const std::string& text)
{
    return json::parse(text).as_object();
}

inline http::response answer(unsigned status, std::string body = "{}")
{
    return http::make_response(static_cast<http::status>(status), std::move(body), "application/json");
}

/// An API server that has what the test put there.
class scripted_cluster final : public kube::api
{
public:
    std::map<std::string, json::object> objects;             ///< "plural/namespace/name"
    std::map<std::string, std::vector<json::object>> lists;  ///< by plural
    std::map<std::string, http::response> others;            ///< by target, of ask()
    std::vector<std::string> forbidden;                      ///< plurals
    std::vector<std::string> forbidden_everywhere;           ///< to be listed in all namespaces at once
    std::function<http::response(const std::string& target, const std::string& body)> on_ask;
    std::string silent;  ///< a target of ask() that holds this is never answered; empty: none

    asio::awaitable<kube::api_result<kube::object_ptr>>
    get(kube::resource kind, kube::object_key key, kube::request_class) override
    {
        const std::string plural(kind.plural);
        if (is_in(forbidden, plural))
            co_return refusal(403, "Forbidden");
        const auto at = objects.find(plural + "/" + key.ns + "/" + key.name);
        if (at == objects.end())
            co_return refusal(404, "NotFound");
        co_return kube::parse_object(at->second).value();
    }

    asio::awaitable<kube::api_result<kube::list_page>>
    list(kube::resource kind, kube::selection which, kube::list_position, kube::item_handler each) override
    {
        const std::string plural(kind.plural);
        if (is_in(forbidden, plural) || (which.ns.empty() && is_in(forbidden_everywhere, plural)))
            co_return refusal(403, "Forbidden");
        for (const json::object& item : lists[plural])
        {
            if (!which.ns.empty() && kube::string_at(item, "metadata.namespace") != which.ns)
                continue;
            auto taken = each(json::object(item), {});
            if (!taken)
                co_return kube::api_error(taken.error());
        }
        co_return kube::list_page();
    }

    asio::awaitable<result<http::response>> ask(http::verb, std::string target, std::string body) override
    {
        if (!silent.empty() && target.find(silent) != target.npos)
            co_await sleep_for(std::chrono::hours(1));
        if (on_ask)
            co_return on_ask(target, body);
        const auto at = others.find(target);
        if (at == others.end())
            co_return fail(errc::unavailable, "the API server is not reached");
        co_return at->second;
    }

    // Doctor writes nothing, and watches nothing.
    template <typename T>
    using refused = asio::awaitable<kube::api_result<T>>;
    refused<std::unique_ptr<http::body_stream>>
    watch(kube::resource, kube::selection, std::string, std::chrono::seconds) override
    {
        co_return refusal(405, "MethodNotAllowed");
    }
    refused<kube::object_ptr> apply(kube::resource, json::object, kube::apply_options) override
    {
        co_return refusal(405, "MethodNotAllowed");
    }
    refused<kube::object_ptr> patch(kube::resource, kube::object_key, json::array) override
    {
        co_return refusal(405, "MethodNotAllowed");
    }
    refused<kube::object_ptr> replace(kube::resource, json::object, kube::request_class) override
    {
        co_return refusal(405, "MethodNotAllowed");
    }
    refused<kube::object_ptr> create(kube::resource, json::object, kube::request_class) override
    {
        co_return refusal(405, "MethodNotAllowed");
    }
    refused<void> remove(kube::resource, kube::object_key, kube::delete_options) override
    {
        co_return refusal(405, "MethodNotAllowed");
    }

private:
    static kube::api_error refusal(unsigned status, const char* reason)
    {
        return {status, reason, reason, {}};
    }

    static bool is_in(const std::vector<std::string>& some, const std::string& plural)
    {
        return std::find(some.begin(), some.end(), plural) != some.end();
    }
};

/// Everybody else: what each URL comes to.
class scripted_web final : public http::client
{
public:
    using answerer =
        std::function<result<http::response>(const std::string& url, const http::request& asked)>;

    answerer say = [](const std::string&, const http::request&) {
        return result<http::response>(fail(errc::unavailable, "connection refused"));
    };
    std::vector<http::request> seen;

    asio::awaitable<result<http::response>>
    send(http::origin to, http::request message, http::client_options with) override
    {
        auto said = answer_to(to, message);
        if (said && said->body().size() > with.max_body)
            co_return fail(errc::protocol, "the answer is too large");
        co_return said;
    }

    asio::awaitable<result<std::unique_ptr<http::body_stream>>>
    open(http::origin to, http::request message, http::client_options) override
    {
        auto said = answer_to(to, message);
        if (!said)
            co_return said.error();
        co_return std::make_unique<header_only>(std::move(*said));
    }

    result<void> use_tls(const http::tls_settings&) override { return {}; }

private:
    struct header_only final : http::body_stream
    {
        explicit header_only(http::response from) : of(std::move(from)) {}
        unsigned status_code() const override { return of.result_int(); }
        const boost::beast::http::fields& headers() const override { return of.base(); }
        asio::awaitable<result<std::string>> read_some(std::chrono::milliseconds) override
        {
            co_return fail(errc::invalid, "nobody reads the body");
        }
        http::response of;
    };

    result<http::response> answer_to(const http::origin& to, const http::request& message)
    {
        seen.push_back(message);
        return say(to.to_string() + std::string(message.target()), message);
    }
};

using examiner = asio::awaitable<void> (*)(const patient&, notebook&);

/// A patient, and what its areas find.
struct doctor_world
{
    portitor::test::hand_made_process host;
    roles::process around = host.process();
    scripted_cluster cluster;
    scripted_web web;
    offer::plan_settings settings;
    bool settings_known = true;
    std::string registrar;
    u256 low_balance;
    std::unique_ptr<market_view> market;

    doctor_world()
    {
        settings.gateway = config::defaults<config::gateway_options>();
        settings.lists = config::defaults<config::operator_lists>();
    }

    /// Reads the offers and their surroundings as they are by now.
    void read_market()
    {
        auto read = portitor::test::run(
            host.context, market_view::read(around, cluster, settings, market_view::request())
        );
        market = std::move(read.value());
    }

    patient made()
    {
        return {
            around,
            cluster,
            web,
            settings,
            settings_known,
            "portitor",
            {{"portitor", "portitor-controller"}, 8080},
            registrar,
            std::chrono::milliseconds(500),
            market.get(),
            market ? "" : "there is no market",
            {},
            low_balance};
    }

    std::vector<finding> visit(examiner area)
    {
        const patient of = made();
        notebook into("area");
        portitor::test::run(host.context, area(of, into));
        return into.findings();
    }

    /// The same, where somebody is silent for the patient's whole limit.
    std::vector<finding> visit_silent(examiner area)
    {
        const patient of = made();
        notebook into("area");
        bool ended = false;
        asio::co_spawn(host.context, area(of, into), [&](std::exception_ptr) { ended = true; });
        host.context.restart();
        host.context.poll();
        CHECK_FALSE(ended);
        host.timers.advance(of.limit);
        host.context.restart();
        host.context.poll();
        REQUIRE(ended);
        return into.findings();
    }

    std::string ago(std::chrono::seconds age) const { return to_rfc3339(host.clock.now() - age); }
};

/// "failure Gateway a/b: it is not there", a line for each.
inline std::string lines(const std::vector<finding>& all)
{
    std::string out;
    for (const finding& each : all)
        out += fmt::format("{} {}: {}\n", to_string(each.how), each.check, each.words);
    return out;
}

inline bool says(const std::vector<finding>& all, const std::string& part)
{
    return lines(all).find(part) != std::string::npos;
}

/// An offer of the namespace "shop" that sells the Service "hello".
inline json::object sold_offer(const std::string& name)
{
    json::object out = object_of(R"({
        "apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer",
        "spec": {
          "type": "http",
          "upstream": {"service": "hello", "port": 9000},
          "payment": {"network": "base-sepolia", "payTo": "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
                      "price": {"perRequest": "0.001"}}},
        "status": {"observedGeneration": 1, "conditions": [
          {"type": "Ready", "status": "True", "reason": "Ready", "message": "", "observedGeneration": 1}]}})"
    );
    out["metadata"] = json::object{
        {"namespace", "shop"},
        {"name", name},
        {"uid", "uid-" + name},
        {"generation", 1},
        {"creationTimestamp", "2026-01-01T00:00:00Z"}};
    return out;
}

/// That of an offer, admitted.
inline json::object payment_route(const std::string& offer, const std::string& facilitator)
{
    json::object out = object_of(R"({
        "apiVersion": "obol.org/v1alpha1", "kind": "PaymentRoute",
        "spec": {
          "price": "1000", "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
          "payTo": "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955", "network": "eip155:84532",
          "priceModel": "per-request", "description": "", "maxTimeoutSeconds": 300,
          "settlement": "beforeResponse"},
        "status": {"admitted": true, "lastAdmittedGeneration": 1}})");
    const json::object owner{
        {"apiVersion", "obol.org/v1alpha1"},
        {"kind", "ServiceOffer"},
        {"name", offer},
        {"uid", "uid-" + offer},
        {"controller", true}};
    out["metadata"] = json::object{
        {"namespace", "shop"},
        {"name", offer + "-payment"},
        {"uid", "uid-route-" + offer},
        {"generation", 1},
        {"creationTimestamp", "2026-01-01T00:00:00Z"},
        {"ownerReferences", json::array{owner}}};
    out["spec"].as_object()["pattern"] = "/services/" + offer + "/*";
    out["spec"].as_object()["facilitatorURL"] = facilitator;
    return out;
}

}  // namespace portitor::cli::doctor::samples
