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
    // --namespace of the roles is where Portitor runs, and hidden behind this one.
    config::option where{"offer-namespace", "namespace of the offer", "", config::set_text(ns)};
    where.letter = 'n';
    where.aliases = {"namespace"};
    where.placeholder = "NAMESPACE";
    into.add(std::move(where));
    config::option how{"output", "how it is printed", outputs.front(), config::set_one_of(output, outputs)};
    how.letter = 'o';
    how.values = std::move(outputs);
    into.add(std::move(how));
    config::option more = switch_option("verbose", "says where the operator's settings come from", verbose);
    more.letter = 'v';
    into.add(std::move(more));
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
    const auto read = co_await settings.complete(**server, terminal);
    if (!read)
        co_return read.error();
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

config::option timeout_option(std::chrono::seconds& into, const char* fallback)
{
    config::option out{"timeout", "how long is waited at most", fallback, config::set_seconds(into)};
    out.placeholder = "DURATION";
    return out;
}

config::option switch_option(std::string name, std::string help, bool& into)
{
    return {std::move(name), std::move(help), "false", config::set_bool(into), true};
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
