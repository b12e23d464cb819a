#include "cli/explain/explain.hpp"

#include "cli/explain/explainer.hpp"
#include "cli/explain/render.hpp"
#include "cli/options/shared.hpp"
#include "cli/output/complaint.hpp"
#include "cli/yaml.hpp"

#include <portitor/config/setters.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cctype>
#include <istream>
#include <ostream>

namespace portitor::cli {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;

// So many objects that could not be taken into account are named.
constexpr std::size_t most_left_out = 5;

class explain_action final : public action
{
public:
    void declare(config::loader& into) override
    {
        settings_.declare(into);
        const config::headed own = into.under("Explain");
        own.add(
            {.name = "method",
             .help = "the request's method",
             .fallback = "GET",
             .apply = config::set_text(method_),
             .letter = 'X',
             .placeholder = "METHOD"}
        );
        own.add(
            {.name = "host",
             .help = "the host of requests that are written as a path; without it that of the public URL",
             .fallback = "",
             .apply = config::set_text(host_),
             .placeholder = "HOST"}
        );
        own.add(
            {.name = "file",
             .help = "reads requests from standard input as well, one a line",
             .fallback = "",
             .apply = config::set_text(file_),
             .letter = 'f',
             .values = {"-"},
             .placeholder = "-"}
        );
        own.add(
            {.name = "show-402",
             .help = "shows what an unpaid request is answered, header and body",
             .fallback = "false",
             .apply = config::set_bool(with_402_),
             .is_switch = true}
        );
        own.add(output_option(output_, {"text", "yaml", "json"}));
        own.add(offer_namespace_option(
            ns_, "namespace to look at where not all may be listed; without it the context's"
        ));
        into.positional("URL", "URLs, or paths, of requests", requests_);
    }

    result<void> resolve() override
    {
        if (requests_.empty() && file_.empty())
            return fail(
                errc::invalid, "name a URL or a path: portitor explain https://api.example.com/services/hello"
            );
        if (!file_.empty() && file_ != "-")
            return fail(errc::invalid, "-f \"{}\": only - is read, for standard input", file_);
        if (auto checked = check_method(); !checked)
            return checked.error();
        if (!host_.empty())
        {
            if (auto checked = explain::check_host(host_); !checked)
                return checked.error().within("--host");
        }
        for (const std::string& each : requests_)
        {
            if (auto read = explain::read_target(each); !read)
                return read.error();
        }
        return settings_.resolve();
    }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        auto server = around.connect();
        if (!server)
            co_return server.error();
        const auto known = co_await settings_.complete(**server, terminal);
        if (!known)
            co_return known.error();
        auto seen = co_await explain::look_around(
            **server, settings_.plan().gateway.gateway, ns_.empty() ? terminal.default_namespace : ns_
        );
        if (!seen)
            co_return seen.error();
        explain::explainer work(*seen, settings_, **server);
        tell_surroundings(*seen, work, terminal);
        co_return co_await explain_all(work, terminal);
    }

private:
    // The verifier takes no other methods.
    result<void> check_method() const
    {
        const bool is_one = std::all_of(method_.begin(), method_.end(), [](unsigned char c) {
            return std::isalpha(c) != 0 || c == '-';
        });
        if (method_.empty() || method_.size() > 32 || !is_one)
            return fail(errc::invalid, "--method \"{}\" is none: write one such as GET", method_);
        return {};
    }

    void tell_surroundings(const explain::seen& seen, const explain::explainer& work, const console& terminal)
    {
        if (output_ == "text")
            terminal.out
                << palette(terminal.colour).paint(tone::dim, "settings: " + printable(settings_.source()))
                << '\n';
        for (const std::string& each : seen.unseen)
            terminal.err << "portitor: not seen: " << printable(each) << '\n';
        const std::vector<std::string> left_out = work.left_out();
        const std::size_t shown = std::min(left_out.size(), most_left_out);
        for (std::size_t i = 0; i < shown; ++i)
            terminal.err << "portitor: left out: " << printable(left_out[i], 300) << '\n';
        if (shown < left_out.size())
            terminal.err << fmt::format("portitor: left out: {} more\n", left_out.size() - shown);
    }

    asio::awaitable<int> explain_all(explain::explainer& work, console terminal)
    {
        for (const std::string& each : requests_)
            co_await explain_one(work, each, terminal);
        std::string line;
        while (!file_.empty() && std::getline(terminal.in, line))
        {
            if (line.ends_with('\r'))
                line.pop_back();
            if (!line.empty())
                co_await explain_one(work, line, terminal);
        }
        if (output_ == "json")
            terminal.out << printable_json(json::serialize(everything_)) << '\n';
        if (output_ == "yaml")
            terminal.out << to_yaml(everything_);
        co_return exit_code_;
    }

    asio::awaitable<void> explain_one(explain::explainer& work, std::string written, console terminal)
    {
        auto request = explain::read_target(written);
        if (!request)
        {
            exit_code_ = refuse_usage(terminal.err, request.error());
            co_return;
        }
        request->method = method_;
        if (request->host.empty())
            request->host = host_;
        const explain::explanation made = co_await work.explain(std::move(*request));
        if (!made.applies() && exit_code_ == 0)
            exit_code_ = 1;
        if (output_ == "text")
            explain::print(terminal.out, made, palette(terminal.colour), with_402_);
        else
            everything_.push_back(explain::to_json(made));
    }

    operator_settings settings_;
    std::vector<std::string> requests_;
    std::string method_;
    std::string host_;
    std::string ns_;
    std::string file_;
    std::string output_;
    bool with_402_ = false;

    json::array everything_;  ///< that is printed at the end
    int exit_code_ = 0;
};

}  // namespace

std::unique_ptr<action> make_explain()
{
    return std::make_unique<explain_action>();
}

}  // namespace portitor::cli
