#include "cli/doctor/doctor.hpp"

#include "cli/doctor/examination.hpp"
#include "cli/doctor/needed_rights.hpp"
#include "cli/doctor/options.hpp"
#include "cli/doctor/report.hpp"

#include <portitor/core/deadline.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>
#include <variant>

namespace portitor::cli {

namespace {

namespace asio = boost::asio;

// Somebody who does not answer leaves the area some time for the others.
constexpr int questions_in_time = 3;
constexpr std::string_view server_area = "api-server";

/// One run of the command.
class visit
{
public:
    visit(const roles::process& around, const console& terminal, doctor::options& config)
        : around_(around), terminal_(terminal), config_(config)
    {}

    asio::awaitable<result<int>> run()
    {
        auto server = around_.connect();
        if (!server)
            co_return server.error();
        server_ = std::move(*server);
        auto web = http::make_client(around_.executor, {});
        if (!web)
            co_return web.error();
        web_ = std::move(*web);
        const bool settings_read = co_await within_limit(read_settings());
        co_await read_market();
        const doctor::patient patient = describe();
        doctor::report out;
        out.settings = settings_read ? printable(config_.settings.source())
                                     : fmt::format(
                                           "defaults: the API server has not shown the ConfigMap within {} s",
                                           config_.timeout.count()
                                       );
        std::vector<doctor::area> areas = config_.areas();
        doctor::notebook passed_over(server_area);
        bool reached = market_ != nullptr;
        if (!reached)
            reached = co_await is_reached(settings_read);
        if (reached)
            out.findings = judge_settings();
        else
            areas = without_server(std::move(areas), passed_over);
        auto found = co_await doctor::examine(patient, std::move(areas), config_.timeout);
        const auto others = std::find_if(found.begin(), found.end(), [](const doctor::finding& each) {
            return each.area != server_area;
        });
        found.insert(others, passed_over.findings().begin(), passed_over.findings().end());
        out.findings.insert(out.findings.end(), found.begin(), found.end());
        print(out);
        const bool is_bad = out.has(doctor::verdict::failure) ||
                            (config_.strict && out.has(doctor::verdict::warning)) || !out.has_seen_any();
        co_return is_bad ? 1 : 0;
    }

private:
    static asio::awaitable<std::monostate> to_its_end(asio::awaitable<void> work)
    {
        co_await std::move(work);
        co_return std::monostate();
    }

    /// Whether it has ended.
    asio::awaitable<bool> within_limit(asio::awaitable<void> work)
    {
        const auto ended =
            co_await unless(around_.timers.sleep_for(config_.timeout), to_its_end(std::move(work)));
        co_return ended.has_value();
    }

    asio::awaitable<void> read_settings()
    {
        const auto read = co_await config_.settings.complete(*server_, terminal_);
        if (!read)
            refused_settings_ = read.error().message();
    }

    asio::awaitable<void> read_market()
    {
        auto read = co_await unless(
            around_.timers.sleep_for(config_.timeout),
            market_view::read(
                around_,
                *server_,
                config_.settings.plan(),
                {.offer_selector = config_.settings.offer_selector(),
                 .namespaces = config_.ns.empty() ? std::vector<std::string>() : std::vector{config_.ns},
                 .offers = {}}
            )
        );
        market_timed_out_ = !read;
        if (!read)
            no_market_ = fmt::format("the offers cannot be read within {} s", config_.timeout.count());
        else if (!*read)
            no_market_ = read->error().code() == errc::refused ? "the right to list serviceoffers is missing"
                                                               : read->error().message();
        else
            market_ = std::move(**read);
    }

    /// Whether the API server answers, and takes the credentials, where the offers could not be read.
    asio::awaitable<bool> is_reached(bool settings_read)
    {
        // Silent twice: a third time would only take longer.
        if (!settings_read && market_timed_out_)
            co_return false;
        const auto said = co_await unless(
            around_.timers.sleep_for(config_.timeout), server_->ask(http::verb::get, "/version")
        );
        co_return said&&* said && (*said)->result_int() != 401;
    }

    /// The areas that have something to look at without it; the others are told in one line, instead of many
    /// that say the same.
    std::vector<doctor::area> without_server(std::vector<doctor::area> all, doctor::notebook& into) const
    {
        std::vector<std::string_view> left_out;
        bool is_told = false;
        std::erase_if(all, [&](const doctor::area& each) {
            const bool is_server = each.name == server_area;
            const bool stays = is_server || (each.asks_outside && config_.settings.known());
            is_told = is_told || is_server;
            if (!stays)
                left_out.push_back(each.name);
            return !stays;
        });
        if (!left_out.empty())
            into.not_checked(
                "other areas",
                fmt::format(
                    "without the API server there is nothing to see of {}{}",
                    fmt::join(left_out, ", "),
                    is_told ? "" : " (" + no_market_ + ")"
                ),
                "see --kubeconfig and --context"
            );
        return all;
    }

    std::vector<doctor::finding> judge_settings() const
    {
        doctor::notebook into("settings");
        if (!refused_settings_.empty())
            into.failure(
                "settings",
                refused_settings_ + "; what follows is judged by defaults",
                "mend it: roles that are started anew refuse it, too"
            );
        else if (!config_.settings.known())
            into.not_checked(
                "settings",
                "those of the installation are not known: what follows is judged by defaults",
                "name the release's namespace with --release-namespace, or give --config"
            );
        return into.findings();
    }

    doctor::patient describe() const
    {
        return {
            around_,
            *server_,
            *web_,
            config_.settings.plan(),
            config_.settings.known(),
            config_.settings.release_namespace(),
            config_.discovery_service,
            config_.registrar_account,
            std::chrono::milliseconds(config_.timeout) / questions_in_time,
            market_.get(),
            no_market_,
            config_.ns,
            config_.low_balance};
    }

    void print(const doctor::report& what) const
    {
        if (config_.output == "json")
            doctor::print_json(what, terminal_.out);
        else if (config_.output == "yaml")
            doctor::print_yaml(what, terminal_.out);
        else
            doctor::print_text(what, terminal_.out, palette(terminal_.colour));
    }

    const roles::process& around_;
    const console& terminal_;
    doctor::options& config_;
    std::unique_ptr<kube::api> server_;
    std::unique_ptr<http::client> web_;
    std::unique_ptr<market_view> market_;
    std::string no_market_;
    bool market_timed_out_ = false;
    std::string refused_settings_;  ///< why; empty: they are not
};

class doctor_action final : public action
{
public:
    void declare(config::loader& into) override { options_.declare(into); }
    result<void> resolve() override { return options_.resolve(); }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        if (options_.rights)
        {
            terminal.out << (options_.output == "json" ? doctor::rights_in_json() : doctor::rights_in_text());
            co_return 0;
        }
        visit work(around, terminal, options_);
        co_return co_await work.run();
    }

private:
    doctor::options options_;
};

}  // namespace

std::unique_ptr<action> make_doctor()
{
    return std::make_unique<doctor_action>();
}

}  // namespace portitor::cli
