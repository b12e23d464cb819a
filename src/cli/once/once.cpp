#include "cli/once/once.hpp"

#include "cli/once/yaml.hpp"
#include "offer/children.hpp"
#include "offer/plan.hpp"
#include "offer/terms.hpp"
#include "roles/controller/make_plan_settings.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

namespace portitor::roles {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;

result<std::string> read_input(const std::string& file)
{
    std::ostringstream text;
    if (file == "-")
    {
        text << std::cin.rdbuf();
        return text.str();
    }
    std::ifstream in(file, std::ios::binary);
    // A directory opens, and fails when read; an empty file does neither.
    in.peek();
    if (!in.is_open() || in.bad())
        return fail(errc::not_found, "{} cannot be read", file);
    text << in.rdbuf();
    return text.str();
}

/// The offers of the documents, Lists opened; other kinds are passed over.
std::vector<json::object> offers_in(std::vector<json::value> documents)
{
    std::vector<json::object> out;
    for (json::value& each : documents)
    {
        json::object* document = each.if_object();
        if (!document)
            continue;
        if (kube::string_at(*document, "kind") == api::service_offer_resource.kind)
            out.push_back(std::move(*document));
        else if (json::value* items = document->if_contains("items"); items && items->is_array())
        {
            std::vector<json::value> inner(items->get_array().begin(), items->get_array().end());
            for (json::object& one : offers_in(std::move(inner)))
                out.push_back(std::move(one));
        }
    }
    return out;
}

/// What the API server would add to a new object.
void complete(json::object& offer)
{
    json::value& meta = offer["metadata"];
    if (!meta.is_object())
        meta = json::object();
    if (!meta.get_object().contains("namespace"))
        meta.get_object()["namespace"] = "default";
    if (!meta.get_object().contains("uid"))
        meta.get_object()["uid"] = "00000000-0000-0000-0000-000000000000";
    if (!meta.get_object().contains("generation"))
        meta.get_object()["generation"] = 1;
}

class once_role final : public role
{
public:
    once_role(const process& around, const settings& config) : around_(around), config_(config) {}

    asio::awaitable<result<int>> run() override
    {
        if (config_.file.empty())
            co_return fail(
                errc::invalid, "--role=once needs -f FILE with ServiceOffers (or -f - for standard input)"
            );
        if (config_.output != "text" && config_.output != "yaml" && config_.output != "json")
            co_return fail(errc::invalid, "-o \"{}\" is none of text, yaml, json", config_.output);
        auto text = read_input(config_.file);
        if (!text)
            co_return text.error();
        auto documents = cli::once::parse_yaml(*text);
        if (!documents)
            co_return documents.error().within(config_.file);
        std::vector<json::object> offers = offers_in(std::move(*documents));
        std::erase_if(offers, [this](json::object& offer) { return !is_wanted(offer); });
        if (offers.empty())
            co_return fail(errc::not_found, "{} holds no ServiceOffer that was asked for", config_.file);
        bool all_good = true;
        json::array everything;
        for (json::object& each : offers)
        {
            auto shown = show(std::move(each), everything);
            if (!shown)
                std::cerr << "portitor: " << shown.error().message() << '\n';
            all_good = all_good && shown;
        }
        if (config_.output == "json")
            std::cout << json::serialize(everything) << '\n';
        // 2 says that something would be made, as nothing of a file's offers is there yet.
        co_return all_good ? 2 : 1;
    }

private:
    bool is_wanted(json::object& offer) const
    {
        complete(offer);
        const std::string key =
            kube::string_at(offer, "metadata.namespace") + "/" + kube::string_at(offer, "metadata.name");
        return config_.offers.empty() ||
               std::find(config_.offers.begin(), config_.offers.end(), key) != config_.offers.end();
    }

    result<void> show(json::object raw, json::array& everything)
    {
        auto offer = kube::parse_object(std::move(raw));
        if (!offer)
            return offer.error();
        const std::string key = (*offer)->meta.key().to_string();
        const offer::plan_settings rules = make_plan_settings(config_);
        const auto wanted = offer::make_draft(**offer, offer::observation(), rules, around_.clock.now());
        if (wanted.blocked)
            return fail(errc::invalid, "{}: {}: {}", key, wanted.blocked->reason, wanted.blocked->message);
        const offer::plan todo = offer::make_plan(**offer, offer::observation(), rules, around_.clock.now());
        if (config_.output == "text")
            std::cout << key << '\n';
        for (const offer::apply& each : todo.applies)
            print(each.desired, everything);
        // A registration comes once the offer is sold; here one sees it at once.
        const api::registration& registration = wanted.offer->registration;
        if (const auto* chain = offer::find_chain(registration.chain, rules);
            registration.enabled && chain && !rules.public_url.empty())
            print(offer::desired_registration(*wanted.offer, *chain, rules), everything);
        return {};
    }

    void print(const json::object& child, json::array& everything) const
    {
        if (config_.output == "json")
            everything.push_back(child);
        else if (config_.output == "yaml")
            std::cout << "---\n" << cli::once::to_yaml(child);
        else
            std::cout << "  + " << kube::string_at(child, "kind") << ' '
                      << kube::string_at(child, "metadata.name") << '\n';
    }

    const process around_;
    const settings& config_;
};

}  // namespace

std::unique_ptr<role> make_once(const process& around, const settings& config)
{
    return std::make_unique<once_role>(around, config);
}

}  // namespace portitor::roles
