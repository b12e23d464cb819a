#include "cli/once/once.hpp"

#include "cli/once/options.hpp"
#include "cli/once/show.hpp"
#include "cli/once/survey.hpp"
#include "cli/yaml.hpp"

#include <portitor/core/exception_text.hpp>

#include <boost/json/serialize.hpp>

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
        co_await read_settings();

        once::survey survey(around_, config_, settings_, link_);
        auto read = co_await survey.read(once::read_offers(config_.files, terminal_.in), &report_);
        if (!read)
            co_return read.error();
        co_return co_await plan(&survey);
    }

private:
    asio::awaitable<void> read_settings()
    {
        if (link_.is_cluster || terminal_.has_config_file)
            co_await config_.settings.complete(*link_.server, terminal_);
        report_.settings = link_.is_cluster || terminal_.has_config_file
                               ? config_.settings.source()
                               : "defaults, as there is no --config";
        settings_ = config_.settings.plan();
        settings_.deletion_deadline = config_.deletion_deadline;
    }

    asio::awaitable<result<int>> plan(once::survey* survey)
    {
        auto selected = co_await survey->select(&report_);
        if (!selected)
            co_return selected.error();
        if (selected->empty() && report_.errors.empty() && !config_.files.empty())
            report_.errors.emplace_back("the files hold no ServiceOffer that was asked for");
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
        write();
        for (const std::string& each : report_.errors)
            terminal_.err << "portitor: " << printable(each) << '\n';
        const bool wrong = !report_.errors.empty() || report_.count().invalid > 0;
        co_return wrong ? mistakes : report_.changes() ? changes : no_change;
    }

    void write() const
    {
        if (config_.output == "json")
            terminal_.out << json::serialize(once::document_of(report_)) << '\n';
        else if (config_.output == "yaml")
            terminal_.out << to_yaml(once::document_of(report_));
        else
            once::show_text(terminal_.out, report_, palette(terminal_.colour), config_.all);
        terminal_.out.flush();
    }

    const roles::process& around_;
    const console& terminal_;
    once::options& config_;
    once::cluster_link link_;
    offer::plan_settings settings_;
    once::report report_;
};

class once_action final : public action
{
public:
    void declare(config::loader& into) override { options_.declare(into); }
    result<void> resolve() override { return options_.resolve(); }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        look work(around, terminal, options_);
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
