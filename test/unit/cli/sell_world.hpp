#pragma once

#include "command_world.hpp"
#include "forwarding_api.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>

namespace portitor::cli::samples {

using api::service_offer_resource;

constexpr const char* seller = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";

inline bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

/// An API server that says what time it is, as real ones do with each answer; others may act between.
class dated_api final : public forwarding_api
{
public:
    dated_api(
        std::unique_ptr<kube::api> inner,
        std::string date,
        std::function<void()> before_patch = {},
        std::function<void()> before_get = {}
    )
        : forwarding_api(std::move(inner)), date_(std::move(date)), before_patch_(std::move(before_patch)),
          before_get_(std::move(before_get))
    {}

    boost::asio::awaitable<result<http::response>> ask(http::verb, std::string, std::string) override
    {
        http::response out = http::make_response(http::status::ok, "{}");
        out.set(http::field::date, date_);
        co_return out;
    }

    answer<kube::object_ptr>
    patch(kube::resource kind, kube::object_key key, boost::json::array operations) override
    {
        if (before_patch_)
            std::exchange(before_patch_, nullptr)();
        return forwarding_api::patch(kind, std::move(key), std::move(operations));
    }

    answer<kube::object_ptr>
    get(kube::resource kind, kube::object_key key, kube::request_class urgency) override
    {
        if (before_get_)
            before_get_();
        return forwarding_api::get(kind, std::move(key), urgency);
    }

private:
    std::string date_;
    std::function<void()> before_patch_;
    std::function<void()> before_get_;
};

struct sell_world : command_world
{
    sell_world()
    {
        create(
            api::service_resource,
            R"({"apiVersion":"v1","kind":"Service","metadata":{"namespace":"shop","name":"web"},)"
            R"("spec":{"ports":[{"port":8080}]}})"
        );
        create(
            {"", "v1", "configmaps", "ConfigMap"},
            R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"portitor","name":"portitor-config"},)"
            R"("data":{"portitor.yaml":"public-url: https://api.example.com\n"}})"
        );
    }

    /// What the operator has set from now on, as the chart writes it.
    void replace_settings(const std::string& text)
    {
        const boost::json::array change{
            boost::json::object{{"op", "replace"}, {"path", "/data/portitor.yaml"}, {"value", text}}};
        const kube::resource maps{"", "v1", "configmaps", "ConfigMap"};
        const auto said = server.storage().patch(
            sandbox::kind_id(maps), kube::object_key{"portitor", "portitor-config"}, change, "operator"
        );
        if (!said.good())
            throw std::runtime_error("the settings cannot be replaced");
    }

    outcome sell(std::vector<std::string> words)
    {
        words.insert(words.begin(), "sell");
        words.insert(words.end(), {"-n", "shop"});
        return run(words);
    }

    outcome sell_http(const std::string& name, const std::vector<std::string>& more = {})
    {
        std::vector<std::string> words{
            "http", name, "--upstream", "web", "--price", "0.001", "--pay-to", seller, "--no-wait"};
        words.insert(words.end(), more.begin(), more.end());
        return sell(words);
    }

    /// As the controller does.
    void report_ready(const std::string& name, const std::string& status, const std::string& reason)
    {
        const auto generation = live(service_offer_resource, name)->meta.generation;
        const auto condition = [&](const char* type) {
            return fmt::format(
                R"({{"type":"{}","status":"{}","reason":"{}","message":"as reported","observedGeneration":{},)"
                R"("lastTransitionTime":"2026-11-24T20:00:00Z"}})",
                type,
                status,
                reason,
                generation
            );
        };
        report(
            service_offer_resource,
            name,
            fmt::format(
                R"({{"observedGeneration":{},"phase":"x","endpoint":"https://api.example.com/services/{}","conditions":[{},{}]}})",
                generation,
                name,
                condition("UpstreamHealthy"),
                condition("Ready")
            )
        );
    }

    const kube::object& offer(const std::string& name)
    {
        kept_ = live(service_offer_resource, name);
        return *kept_;
    }

private:
    kube::object_ptr kept_;
};

}  // namespace portitor::cli::samples
