#include <portitor/config/loader.hpp>

#include <CLI/CLI.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <set>

namespace portitor {

namespace {

std::string at_line(const std::string& path, const YAML::Node& node)
{
    return fmt::format("{}:{}", path, node.Mark().line + 1);
}

}  // namespace

std::string environment_name(std::string_view option)
{
    std::string name = "PORTITOR_";
    for (const char c : option)
        name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name;
}

std::function<result<void>(const std::string&)> set_text(std::string& into)
{
    return [&into](const std::string& value) -> result<void> {
        into = value;
        return {};
    };
}

std::function<result<void>(const std::string&)> set_bool(bool& into)
{
    return [&into](const std::string& value) -> result<void> {
        if (value != "true" && value != "false")
            return fail(errc::invalid, "\"{}\" is neither true nor false", value);
        into = value == "true";
        return {};
    };
}

config_loader::config_loader(std::string program, std::string summary, std::string footer)
    : program_(std::move(program)), summary_(std::move(summary)), footer_(std::move(footer))
{
    options_
        .push_back({"config", "YAML file with settings and the operator's lists", "", [](const std::string&) {
                        return result<void>();
                    }});
}

void config_loader::show_only(std::span<const std::string_view> options)
{
    shown_.assign(options.begin(), options.end());
}

void config_loader::positional(std::string name, std::string help, std::vector<std::string>& into)
{
    positional_name_ = std::move(name);
    positional_help_ = std::move(help);
    positional_ = &into;
}

result<config_outcome> config_loader::load(int argc, const char* const* argv)
{
    CLI::App app(summary_, program_);
    app.footer(footer_);
    app.set_version_flag("--version", "portitor " PORTITOR_VERSION);
    std::vector<std::string> texts(options_.size());
    std::vector<CLI::Option*> flags;
    for (std::size_t i = 0; i < options_.size(); ++i)
    {
        const config_option& each = options_[i];
        const std::string flag = (each.letter ? fmt::format("-{},", each.letter) : "") + "--" + each.name;
        const std::string help = fmt::format(
            "{} [{}]{}",
            each.help,
            environment_name(each.name),
            each.fallback.empty() ? "" : fmt::format(" (default {})", each.fallback)
        );
        CLI::Option* option = app.add_option(flag, texts[i], help);
        option->take_last();
        if (each.is_switch)
            option->expected(0, 1)->default_str("true");
        // CLI11 shows no option of a group without a name.
        if (!shown_.empty() && std::find(shown_.begin(), shown_.end(), each.name) == shown_.end())
            option->group("");
        flags.push_back(option);
    }
    if (positional_)
        app.add_option(positional_name_, *positional_, positional_help_);
    try
    {
        app.parse(argc, argv);
    }
    catch (const CLI::Success& wanted)
    {
        app.exit(wanted);
        return config_outcome::printed;
    }
    catch (const CLI::ParseError& wrong)
    {
        return fail(errc::invalid, "{} (see {} --help)", wrong.what(), program_);
    }

    std::vector<std::optional<given>> values(options_.size());
    for (std::size_t i = 0; i < options_.size(); ++i)
    {
        const std::string variable = environment_name(options_[i].name);
        if (flags[i]->count() > 0)
            values[i] =
                given{texts[i].empty() && options_[i].is_switch ? "true" : texts[i], "--" + options_[i].name};
        else if (const char* text = std::getenv(variable.c_str()))
            values[i] = given{text, variable};
    }
    const std::string file = values[0] ? values[0]->text : std::string();
    if (!file.empty())
    {
        auto applied = apply_file(file, values);
        if (!applied)
            return applied.error();
    }
    for (std::size_t i = 0; i < options_.size(); ++i)
    {
        const given value = values[i].value_or(given{options_[i].fallback, "--" + options_[i].name});
        auto applied = options_[i].apply(value.text);
        if (!applied)
            return applied.error().within(value.where);
    }
    return config_outcome::run;
}

result<void>
config_loader::apply_file(const std::string& path, std::vector<std::optional<given>>& values) const
{
    YAML::Node document;
    try
    {
        document = YAML::LoadFile(path);
    }
    catch (const YAML::BadFile&)
    {
        return fail(errc::not_found, "--config: {} cannot be read", path);
    }
    catch (const std::ios_base::failure&)
    {
        return fail(errc::not_found, "--config: {} cannot be read", path);
    }
    catch (const YAML::ParserException& wrong)
    {
        return fail(errc::invalid, "--config: {}:{}: {}", path, wrong.mark.line + 1, wrong.msg);
    }
    if (document.IsNull())
        return {};
    if (!document.IsMap())
        return fail(errc::invalid, "--config: {} must be a YAML mapping", path);
    std::set<std::string> seen;
    for (const auto& entry : document)
    {
        const std::string key = entry.first.Scalar();
        if (!seen.insert(key).second)
            return fail(errc::invalid, "--config: {}: {} comes twice", at_line(path, entry.first), key);
        const auto option =
            std::find_if(options_.begin(), options_.end(), [&](const auto& o) { return o.name == key; });
        const auto section =
            std::find_if(sections_.begin(), sections_.end(), [&](const auto& s) { return s.name == key; });
        if (option != options_.end())
        {
            if (!entry.second.IsScalar())
                return fail(
                    errc::invalid, "--config: {}: {} takes one value", at_line(path, entry.first), key
                );
            auto& value = values[static_cast<std::size_t>(option - options_.begin())];
            if (!value)
                value = given{
                    entry.second.Scalar(), fmt::format("--config: {}: {}", at_line(path, entry.first), key)};
            continue;
        }
        if (section == sections_.end())
            return fail(errc::invalid, "--config: {}: unknown key \"{}\"", at_line(path, entry.first), key);
        try
        {
            auto applied = section->apply(entry.second);
            if (!applied)
                return applied.error().within(fmt::format("--config: {}: {}", at_line(path, entry.first), key)
                );
        }
        catch (const YAML::Exception& wrong)
        {
            return fail(errc::invalid, "--config: {}:{}: {}: {}", path, wrong.mark.line + 1, key, wrong.msg);
        }
    }
    return {};
}

}  // namespace portitor
