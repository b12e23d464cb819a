#include "cli/options/shared.hpp"

#include <portitor/config/setters.hpp>

#include <utility>

namespace portitor::cli {

config::option output_option(std::string& into, std::vector<std::string> values, std::string help)
{
    config::option out{"output", std::move(help), values.front(), config::set_one_of(into, values)};
    out.letter = 'o';
    out.values = std::move(values);
    return out;
}

config::option offer_namespace_option(std::string& into, std::string help)
{
    config::option out{"offer-namespace", std::move(help), "", config::set_text(into)};
    out.letter = 'n';
    // The --namespace of the roles is hidden behind this one.
    out.aliases = {"namespace"};
    out.placeholder = "NAMESPACE";
    return out;
}

config::option all_namespaces_option(bool& into, std::string help)
{
    return switch_option("all-namespaces", std::move(help), into, 'A');
}

config::option selector_option(std::string& into, std::string help)
{
    config::option out{"selector", std::move(help), "", config::set_text(into)};
    out.letter = 'l';
    out.placeholder = "SELECTOR";
    return out;
}

config::option timeout_option(std::chrono::seconds& into, const char* fallback, std::string help)
{
    config::option out{"timeout", std::move(help), fallback, config::set_seconds(into)};
    out.placeholder = "DURATION";
    return out;
}

config::option switch_option(std::string name, std::string help, bool& into, char letter)
{
    return {std::move(name), std::move(help), "false", config::set_bool(into), true, letter};
}

}  // namespace portitor::cli
