#include "cli/reference/declared.hpp"

#include "cli/candidate.hpp"

#include <portitor/config/help.hpp>

#include <set>

namespace portitor::cli {

namespace {

declared describe_program(std::span<const command> commands)
{
    const auto loader = std::make_shared<config::loader>("portitor", "", "");
    job made;
    std::string role;
    declare_program(*loader, made, role, named_by_role(commands));
    declared out{"", "sells HTTP services that run in Kubernetes for x402 payments", {}, {}, loader};
    for (const command& each : commands)
        out.subcommands.emplace_back(each.name, each.summary);
    return out;
}

void describe(const command& what, const std::string& before, std::vector<declared>& into)
{
    declared out{before + std::string(what.name), std::string(what.summary), what.examples, {}, nullptr};
    if (what.make)
    {
        const auto loader = std::make_shared<config::loader>("portitor " + out.words, "", "");
        job made;
        declare_command(*loader, made, candidate_of(what));
        out.settings = loader;
    }
    for (const command& each : what.subcommands)
        out.subcommands.emplace_back(each.name, each.summary);
    const std::string words = out.words + ' ';
    into.push_back(std::move(out));
    for (const command& each : what.subcommands)
        describe(each, words, into);
}

}  // namespace

std::vector<declared> all_declared(std::span<const command> commands)
{
    std::vector<declared> out{describe_program(commands)};
    for (const command& each : commands)
        describe(each, "", out);
    return out;
}

std::vector<flag> flags_of(const declared& where)
{
    std::vector<flag> out;
    if (!where.settings)
        return out;
    for (const config::known_option& each : where.settings->options())
    {
        if (!config::is_listed(each))
            continue;
        const config::option& what = each.what;
        if (what.letter != 0)
            out.push_back({std::string{'-', what.letter}, &what});
        out.push_back({"--" + what.name, &what});
        for (const std::string& alias : what.aliases)
            out.push_back({"--" + alias, &what});
    }
    return out;
}

std::vector<std::string> flags_with_value(std::span<const declared> all)
{
    std::set<std::string> out;
    for (const declared& place : all)
    {
        for (const flag& each : flags_of(place))
        {
            if (!each.what->is_switch)
                out.insert(each.text);
        }
    }
    return {out.begin(), out.end()};
}

}  // namespace portitor::cli
