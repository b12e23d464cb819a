#include "cli/sell/common_options.hpp"

#include "cli/output/text.hpp"
#include "cli/yaml.hpp"

#include <portitor/config/setters.hpp>

#include <boost/json/serialize.hpp>

#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;

void common_options::declare(config::loader& into, std::vector<std::string> outputs)
{
    into.add(offer_namespace_option(ns));
    into.add(output_option(output, std::move(outputs)));
    into.add(switch_option("verbose", "says where the operator's settings come from", verbose, 'v'));
    settings.declare(into);
}

result<void> common_options::resolve()
{
    return settings.resolve();
}

void common_options::settle(const console& terminal)
{
    if (ns.empty())
        ns = terminal.default_namespace;
}

asio::awaitable<result<std::unique_ptr<kube::api>>>
common_options::connect(roles::process around, console terminal)
{
    settle(terminal);
    co_return around.connect();
}

asio::awaitable<result<std::unique_ptr<kube::api>>>
common_options::connect_with_settings(roles::process around, console terminal)
{
    auto server = around.connect();
    if (!server)
        co_return server.error();
    co_await settings.complete(**server, terminal);
    if (verbose || !settings.known())
        terminal.err << "The operator's settings: " << printable(settings.source()) << '\n';
    // All options have been read anew.
    settle(terminal);
    co_return std::move(*server);
}

config::word offer_word(std::string& into, bool is_required)
{
    return {
        "NAME", "name of the offer", config::set_text(into), is_required, false, [&into] { into.clear(); }};
}

void print_data(const common_options& how, const console& terminal, const boost::json::value& what)
{
    if (how.is_yaml())
        terminal.out << to_yaml(what);
    else
        terminal.out << printable_json(boost::json::serialize(what)) << '\n';
    terminal.out.flush();
}

}  // namespace portitor::cli::sell
