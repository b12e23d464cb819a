#include "cli/once/once.hpp"

#include "cli/once/options.hpp"
#include "cli/once/yaml.hpp"
#include "offer/children.hpp"
#include "offer/plan.hpp"
#include "offer/terms.hpp"
#include "roles/plan_settings.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>
#include <istream>
#include <ostream>
#include <sstream>

namespace portitor::cli {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;

result<std::string> read_input(const std::string& file, std::istream& standard_input)
{
    std::ostringstream text;
    if (file == "-")
    {
        text << standard_input.rdbuf();
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

/// One run of the command.
class view
{
public:
    view(const roles::process& around, const console& terminal, const once::options& config)
        : around_(around), terminal_(terminal), config_(config)
    {}

    asio::awaitable<result<int>> run()
    {
        if (config_.file.empty())
            co_return fail(
                errc::invalid, "--role=once needs -f FILE with ServiceOffers (or -f - for standard input)"
            );
        if (config_.output != "text" && config_.output != "yaml" && config_.output != "json")
            co_return fail(errc::invalid, "-o \"{}\" is none of text, yaml, json", config_.output);
        auto text = read_input(config_.file, terminal_.in);
        if (!text)
            co_return text.error();
        auto documents = once::parse_yaml(*text);
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
                terminal_.err << "portitor: " << shown.error().message() << '\n';
            all_good = all_good && shown;
        }
        if (config_.output == "json")
            terminal_.out << json::serialize(everything) << '\n';
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
        const offer::plan_settings rules = roles::make_plan_settings(config_.gateway, config_.lists);
        const auto wanted = offer::make_draft(**offer, offer::observation(), rules, around_.clock.now());
        if (wanted.blocked)
            return fail(errc::invalid, "{}: {}: {}", key, wanted.blocked->reason, wanted.blocked->message);
        const offer::plan todo = offer::make_plan(**offer, offer::observation(), rules, around_.clock.now());
        if (config_.output == "text")
            terminal_.out << key << '\n';
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
            terminal_.out << "---\n" << once::to_yaml(child);
        else
            terminal_.out << "  + " << kube::string_at(child, "kind") << ' '
                          << kube::string_at(child, "metadata.name") << '\n';
    }

    const roles::process& around_;
    const console& terminal_;
    const once::options& config_;
};

class once_action final : public action
{
public:
    void declare(config::loader& into) override { options_.declare(into); }
    result<void> resolve() override { return options_.resolve(); }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        view work(around, terminal, options_);
        co_return co_await work.run();
    }

private:
    once::options options_;
};

}  // namespace

std::unique_ptr<action> make_once()
{
    return std::make_unique<once_action>();
}

}  // namespace portitor::cli
