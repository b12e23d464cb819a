#include "cli/once/once.hpp"

#include "cli/once/options.hpp"
#include "cli/yaml.hpp"
#include "offer/chains.hpp"
#include "offer/children.hpp"
#include "offer/plan.hpp"

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
        auto documents = parse_yaml(*text);
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
        const offer::plan_settings rules{config_.gateway, config_.lists};
        offer::observation seen;
        seen.offer = offer::offer_record::read(**offer);
        const offer::plan todo = offer::make_plan(seen, rules, around_.clock.now());
        if (todo.blocked)
            return fail(errc::invalid, "{}: {}: {}", key, todo.blocked->reason, todo.blocked->message);
        if (config_.output == "text")
            terminal_.out << key << '\n';
        for (const offer::apply& each : todo.applies)
            print(each.desired, everything);
        // A registration comes once the offer is sold; here one sees it at once.
        const api::service_offer& sold = *seen.offer->spec;
        if (const auto* chain = offer::find_chain(sold.registration.chain, rules);
            sold.registration.enabled && chain && !rules.gateway.public_url.empty())
            print(offer::desired_registration(sold, *chain, rules), everything);
        return {};
    }

    void print(const json::object& child, json::array& everything) const
    {
        if (config_.output == "json")
            everything.push_back(child);
        else if (config_.output == "yaml")
            terminal_.out << "---\n" << to_yaml(child);
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
