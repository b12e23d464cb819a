#include "cli/explain/explain.hpp"

#include "cli/explain/explainer.hpp"
#include "cli/explain/render.hpp"
#include "cli/yaml.hpp"
#include "route/credentials.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/config/setters.hpp>
#include <portitor/kube/list_all.hpp>

#include <boost/json/serialize.hpp>

#include <istream>
#include <ostream>

namespace portitor::cli {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;

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
             .letter = 'X'}
        );
        own.add(
            {.name = "host",
             .help = "the host of requests that are written as a path; without it that of the public URL",
             .fallback = "",
             .apply = config::set_text(host_)}
        );
        own.add(
            {.name = "file",
             .help = "- : reads requests from standard input as well, one a line",
             .fallback = "",
             .apply = config::set_text(file_),
             .letter = 'f'}
        );
        own.add(
            {.name = "show-402",
             .help = "shows what an unpaid request is answered, header and body",
             .fallback = "false",
             .apply = config::set_bool(with_402_),
             .is_switch = true}
        );
        own.add(
            {.name = "output",
             .help = "text, yaml or json",
             .fallback = "text",
             .apply = config::set_one_of(output_, {"text", "yaml", "json"}),
             .letter = 'o',
             .values = {"text", "yaml", "json"}}
        );
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
        return settings_.resolve();
    }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        auto server = around.connect();
        if (!server)
            co_return server.error();
        kube::api& api = **server;
        const auto known = co_await settings_.complete(api, terminal);
        if (!known)
            co_return known.error();
        auto market = co_await market_view::read(around, api, settings_.plan(), {});
        if (!market)
            co_return market.error();
        auto routes = co_await list(api, api::http_route_resource);
        if (!routes)
            co_return routes.error();
        auto payment_routes = co_await list(api, api::payment_route_resource);
        if (!payment_routes)
            co_return payment_routes.error();
        const explain::explainer work(
            **market, settings_, std::move(*routes), std::move(*payment_routes), around.clock.now()
        );
        read_more(terminal.in);
        co_return explain_all(work, **market, terminal);
    }

private:
    static asio::awaitable<result<std::vector<kube::object_ptr>>> list(kube::api& server, kube::resource kind)
    {
        auto listed = co_await kube::list_objects(server, kind, {kube::selection()});
        if (!listed)
            co_return listed.error().to_error().within(fmt::format("listing {}s", kind.kind));
        co_return std::move(*listed);
    }

    void read_more(std::istream& in)
    {
        std::string line;
        while (!file_.empty() && std::getline(in, line))
        {
            if (!line.empty())
                requests_.push_back(line);
        }
    }

    int explain_all(const explain::explainer& work, const market_view& market, const console& terminal)
    {
        bool all_apply = true;
        json::array everything;
        const palette colours(terminal.colour);
        if (output_ == "text")
            terminal.out << colours.paint(tone::dim, "settings: " + printable(settings_.source())) << '\n';
        for (const std::string& each : market.unseen())
            terminal.err << "portitor: not seen: " << printable(each) << '\n';
        for (const std::string& each : requests_)
        {
            const auto made = work.explain(each, host_, method_);
            all_apply = all_apply && made && made->applies();
            if (!made)
                terminal.err << "portitor: " << printable(made.error().message()) << '\n';
            else if (output_ == "text")
                explain::print(terminal.out, *made, colours, with_402_);
            else
                everything.push_back(explain::to_json(*made));
        }
        if (output_ == "json")
            terminal.out << printable_json(json::serialize(everything)) << '\n';
        if (output_ == "yaml")
            terminal.out << to_yaml(everything);
        return all_apply ? 0 : 1;
    }

    operator_settings settings_;
    std::vector<std::string> requests_;
    std::string method_;
    std::string host_;
    std::string file_;
    std::string output_;
    bool with_402_ = false;
};

}  // namespace

std::unique_ptr<action> make_explain()
{
    return std::make_unique<explain_action>();
}

}  // namespace portitor::cli
