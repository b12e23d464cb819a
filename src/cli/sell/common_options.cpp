#include "cli/sell/common_options.hpp"

#include "cli/output/text.hpp"
#include "cli/yaml.hpp"

#include <portitor/config/setters.hpp>

#include <boost/json/serialize.hpp>

#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;

void common_options::declare(config::loader& into, const std::vector<std::string>& more)
{
    into.add(offer_namespace_option(ns));
    std::vector<std::string> outputs{"text", "json", "yaml", "wide"};
    outputs.insert(outputs.end(), more.begin(), more.end());
    into.add(output_option(output, std::move(outputs)));
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
    const auto read = co_await read_settings(**server, terminal);
    if (!read)
        co_return read.error();
    co_return std::move(*server);
}

asio::awaitable<result<void>> common_options::read_settings(kube::api& server, console terminal)
{
    const auto read = co_await settings.complete(server, terminal);
    if (!read)
        co_return read.error();
    source_ = settings.source();
    // All options have been read anew.
    settle(terminal);
    co_return result<void>();
}

config::word offer_word(std::string& into, bool is_required)
{
    return {
        "NAME", "name of the offer", config::set_text(into), is_required, false, [&into] { into.clear(); }};
}

void wait_options::declare(
    const config::headed& into, const char* until, const char* longest, bool by_default
)
{
    config::option on = switch_option("wait", fmt::format("waits {}", until), wait);
    config::option off = switch_option("no-wait", "ends when it is written", no_wait);
    if (by_default)
        on.fallback = "true";
    else
        off.help += " (default)";
    into.add(std::move(on));
    into.add(std::move(off));
    into.add(timeout_option(timeout, longest));
}

config::option text_option(std::string name, std::string help, std::string& into, std::string placeholder)
{
    config::option out{std::move(name), std::move(help), "", config::set_text(into)};
    out.placeholder = std::move(placeholder);
    return out;
}

config::option
list_option(std::string name, std::string help, std::vector<std::string>& into, std::string placeholder)
{
    config::option out = config::list_option(std::move(name), std::move(help), into);
    out.placeholder = std::move(placeholder);
    return out;
}

std::string resource_name(const kube::object& offer)
{
    return "serviceoffer.obol.org/" + printable(offer.meta.name, 253);
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
