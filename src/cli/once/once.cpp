#include "cli/once/once.hpp"

#include "cli/once/both_sides.hpp"
#include "cli/once/comparison.hpp"
#include "cli/once/options.hpp"
#include "cli/once/secrets.hpp"
#include "cli/once/show.hpp"
#include "cli/once/survey.hpp"
#include "cli/output/text.hpp"
#include "cli/yaml.hpp"

#include <portitor/core/exception_text.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <ostream>

namespace portitor::cli {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr int no_change = 0;
constexpr int mistakes = 1;
constexpr int changes = 2;

/// One run of the command.
class look
{
public:
    look(const roles::process& around, const console& terminal, once::options& config)
        : around_(around), terminal_(terminal), config_(config)
    {}

    asio::awaitable<result<int>> run()
    {
        auto link = once::link_to_cluster(around_, config_);
        if (!link)
            co_return link.error();
        link_ = std::move(*link);
        report_.cluster = link_.words;
        auto known = co_await read_settings();
        if (!known)
            co_return known.error();

        const std::string ns = config_.ns.empty() ? terminal_.default_namespace : config_.ns;
        for (std::string& each : config_.offers)
        {
            if (each.find('/') == each.npos)
                each.insert(0, ns + "/");
        }
        once::survey survey(around_, config_, settings_, link_);
        auto files = once::read_offers(config_.files, terminal_.in, ns);
        auto read = co_await survey.read(std::move(files), &report_);
        if (!read)
            co_return read.error();
        if (!config_.compare.empty())
            co_return co_await compare(&survey);
        co_return co_await plan(&survey);
    }

private:
    asio::awaitable<result<void>> read_settings()
    {
        if (link_.is_cluster || terminal_.has_config_file)
        {
            auto read = co_await config_.settings.complete(*link_.server, terminal_);
            if (!read)
                co_return read;
        }
        if (config_.settings.known())
            report_.settings = config_.settings.source();
        else if (link_.is_cluster)
            report_.settings =
                "what each offer's live objects show of them, and " + config_.settings.source();
        else
            report_.settings = "defaults, as there is no --config";
        settings_ = config_.settings.plan();
        settings_.deletion_deadline = config_.deletion_deadline;
        co_return result<void>();
    }

    asio::awaitable<result<int>> plan(once::survey* survey)
    {
        auto selected = co_await survey->select(&report_);
        if (!selected)
            co_return selected.error();
        if (selected->empty() && report_.errors.empty() && !config_.files.empty())
            report_.errors.push_back(
                fmt::format("{}: no ServiceOffer that was asked for", fmt::join(config_.files, ", "))
            );
        for (const kube::object_key& key : *selected)
        {
            std::exception_ptr thrown;
            try
            {
                report_.offers.push_back(co_await survey->look_at(key));
            }
            catch (...)
            {
                thrown = std::current_exception();
            }
            if (thrown)
                report_.errors.push_back(fmt::format("{}: {}", key.to_string(), describe(thrown)));
        }
        report_.unseen = survey->unseen();
        once::mask_secrets(report_);
        if (config_.output == "text")
            once::show_text(terminal_.out, report_, palette(terminal_.colour), config_.all);
        else
            write(once::document_of(report_));
        tell_errors();
        const bool wrong = !report_.errors.empty() || report_.count().invalid > 0;
        co_return wrong ? mistakes : report_.changes() ? changes : no_change;
    }

    /// Both sides' prices, in the place of a plan.
    asio::awaitable<result<int>> compare(once::survey* survey)
    {
        kube::api* const server = link_.is_cluster ? link_.server.get() : nullptr;
        const auto text = co_await once::read_pricing(server, config_.compare, &terminal_.in);
        if (!text)
            co_return text.error();
        const x402::network_table& known = settings_.lists.networks.table;
        const auto there = once::read_predecessor(*text, known);
        if (!there)
            co_return there.error().within("--compare " + config_.compare);
        const auto here =
            once::charges_of(survey->view(), settings_, config_.settings.known(), around_.clock.now());
        auto all = once::compare_charges(*there, here.charges, here.blocked, known);
        if (!config_.offers.empty() || !config_.selector.empty())
        {
            auto selected = co_await survey->select(&report_);
            if (!selected)
                co_return selected.error();
            std::set<std::string> names;
            for (const kube::object_key& each : *selected)
                names.insert(each.to_string());
            once::keep_routes_of(all, names);
        }
        report_.unseen = survey->unseen();
        once::mask_secrets(report_);
        once::mask_secrets(all);
        if (config_.output == "text")
        {
            once::show_head(terminal_.out, report_, palette(terminal_.colour));
            once::show_comparison(terminal_.out, all, known, palette(terminal_.colour));
        }
        else
            write(once::comparison_document(all, known));
        tell_errors();
        const bool same = std::all_of(all.begin(), all.end(), [](const auto& each) { return each.same(); });
        co_return !report_.errors.empty() ? mistakes : same ? no_change : changes;
    }

    void write(const json::object& document) const
    {
        terminal_.out
            << (config_.output == "json" ? printable_json(json::serialize(document)) + '\n'
                                         : to_yaml(document));
    }

    void tell_errors() const
    {
        terminal_.out.flush();
        for (const std::string& each : report_.errors)
            terminal_.err << "portitor: " << printable(each) << '\n';
        for (const once::offer_report& each : report_.offers)
        {
            if (!each.problems.empty())
                terminal_.err << "portitor: " << printable(each.key.to_string()) << " is invalid: "
                              << printable(fmt::format("{}", fmt::join(each.problems, "; "))) << '\n';
        }
    }

    const roles::process& around_;
    const console& terminal_;
    once::options& config_;
    once::cluster_link link_;
    offer::plan_settings settings_;
    once::report report_;
};

}  // namespace

std::unique_ptr<action> make_once()
{
    return std::make_unique<run_action<look, once::options>>();
}

}  // namespace portitor::cli
