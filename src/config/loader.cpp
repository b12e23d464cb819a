#include <portitor/config/loader.hpp>

#include <CLI/CLI.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>
#include <stdexcept>

namespace portitor::config {

namespace {

std::string at_line(const std::string& path, const YAML::Node& node)
{
    return fmt::format("{}:{}", path, node.Mark().line + 1);
}

// A YAML::Node can be made of nearly everything: alone it would make a result ambiguous.
struct document
{
    YAML::Node root;
};

result<document> parse_file(const std::string& path)
{
    try
    {
        return document{YAML::LoadFile(path)};
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
}

std::string describe(const option& each)
{
    return fmt::format(
        "{} [{}]{}",
        each.help,
        environment_name(each.name),
        each.fallback.empty() ? "" : fmt::format(" (default {})", each.fallback)
    );
}

}  // namespace

std::string environment_name(std::string_view option)
{
    std::string name = "PORTITOR_";
    for (const char c : option)
        name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name;
}

loader::loader(std::string program, std::string summary, std::string footer)
    : program_(std::move(program)), summary_(std::move(summary)), footer_(std::move(footer))
{
    // load() itself reads it.
    add(option{"config", "YAML file with settings and the operator's lists", "", [](const std::string&) {
                   return result<void>();
               }});
}

void loader::add(option what)
{
    known_option* known = find_option(what.name);
    if (!known)
    {
        options_.push_back({std::move(what), hiding_, {}});
        known = &options_.back();
        known->setters.push_back(std::move(known->what.apply));
        return;
    }
    if (known->what.fallback != what.fallback || known->what.is_switch != what.is_switch)
        throw std::logic_error("--" + what.name + " is declared in two ways");
    known->setters.push_back(std::move(what.apply));
}

void loader::add(section what)
{
    const auto at = std::find_if(sections_.begin(), sections_.end(), [&](const known_section& each) {
        return each.name == what.name;
    });
    if (at == sections_.end())
        sections_.push_back({std::move(what.name), {std::move(what.apply)}});
    else
        at->readers.push_back(std::move(what.apply));
}

headed loader::under(std::string heading)
{
    return {*this, std::move(heading)};
}

void headed::add(option what) const
{
    what.heading = heading_;
    into_.add(std::move(what));
}

void loader::positional(std::string name, std::string help, std::vector<std::string>& into)
{
    if (hiding_)
        return;
    positional_name_ = std::move(name);
    positional_help_ = std::move(help);
    positional_ = &into;
}

loader::known_option* loader::find_option(std::string_view name)
{
    const auto at = std::find_if(options_.begin(), options_.end(), [&](const known_option& each) {
        return each.what.name == name;
    });
    return at == options_.end() ? nullptr : &*at;
}

const loader::known_section* loader::find_section(std::string_view name) const
{
    const auto at = std::find_if(sections_.begin(), sections_.end(), [&](const known_section& each) {
        return each.name == name;
    });
    return at == sections_.end() ? nullptr : &*at;
}

result<outcome> loader::load(int argc, const char* const* argv, std::ostream& out)
{
    values given_values(options_.size());
    const auto asked = read_flags(argc, argv, out, given_values);
    if (!asked || *asked == outcome::printed)
        return asked;
    read_environment(given_values);
    // The first option is --config.
    const std::string file = given_values[0] ? given_values[0]->text : std::string();
    if (!file.empty())
    {
        auto read = read_file(file, given_values);
        if (!read)
            return read.error();
    }
    auto applied = apply(given_values);
    if (!applied)
        return applied.error();
    return outcome::run;
}

result<outcome> loader::read_flags(int argc, const char* const* argv, std::ostream& out, values& into)
{
    CLI::App app(summary_, program_);
    app.footer(footer_);
    app.set_version_flag("--version", "portitor " PORTITOR_VERSION);
    std::vector<std::string> texts(options_.size());
    std::vector<CLI::Option*> flags;
    for (std::size_t i = 0; i < options_.size(); ++i)
    {
        const option& each = options_[i].what;
        const std::string flag = (each.letter ? fmt::format("-{},", each.letter) : "") + "--" + each.name;
        CLI::Option* made = app.add_option(flag, texts[i], describe(each));
        made->take_last();
        if (each.is_switch)
            made->expected(0, 1)->default_str("true");
        // CLI11 shows no option of a group without a name.
        if (options_[i].hidden)
            made->group("");
        else if (!each.heading.empty())
            made->group(each.heading);
        flags.push_back(made);
    }
    if (positional_)
        app.add_option(positional_name_, *positional_, positional_help_);
    try
    {
        app.parse(argc, argv);
    }
    catch (const CLI::Success& wanted)
    {
        app.exit(wanted, out, out);
        return outcome::printed;
    }
    catch (const CLI::ParseError& wrong)
    {
        return fail(errc::invalid, "{} (see {} --help)", wrong.what(), program_);
    }
    for (std::size_t i = 0; i < options_.size(); ++i)
    {
        const option& each = options_[i].what;
        if (flags[i]->count() > 0)
            into[i] = given{texts[i].empty() && each.is_switch ? "true" : texts[i], "--" + each.name};
    }
    return outcome::run;
}

void loader::read_environment(values& into) const
{
    for (std::size_t i = 0; i < options_.size(); ++i)
    {
        const std::string variable = environment_name(options_[i].what.name);
        if (const char* text = into[i] ? nullptr : std::getenv(variable.c_str()))
            into[i] = given{text, variable};
    }
}

result<void> loader::read_file(const std::string& path, values& into)
{
    const auto parsed = parse_file(path);
    if (!parsed)
        return parsed.error();
    const YAML::Node& root = parsed->root;
    if (root.IsNull())
        return {};
    if (!root.IsMap())
        return fail(errc::invalid, "--config: {} must be a YAML mapping", path);
    std::set<std::string> seen;
    for (const auto& entry : root)
    {
        const std::string key = entry.first.Scalar();
        if (!seen.insert(key).second)
            return fail(errc::invalid, "--config: {}: {} comes twice", at_line(path, entry.first), key);
        auto read = read_entry(path, entry.first, entry.second, into);
        if (!read)
            return read;
    }
    return {};
}

result<void>
loader::read_entry(const std::string& path, const YAML::Node& key, const YAML::Node& value, values& into)
{
    const std::string& name = key.Scalar();
    const std::string where = fmt::format("--config: {}: {}", at_line(path, key), name);
    if (const known_option* known = find_option(name))
    {
        if (!value.IsScalar())
            return fail(errc::invalid, "{} takes one value", where);
        auto& place = into[static_cast<std::size_t>(known - options_.data())];
        if (!place)
            place = given{value.Scalar(), where};
        return {};
    }
    const known_section* known = find_section(name);
    if (!known)
        return fail(errc::invalid, "--config: {}: unknown key \"{}\"", at_line(path, key), name);
    try
    {
        for (const reader& each : known->readers)
        {
            auto read = each(value);
            if (!read)
                return read.error().within(where);
        }
    }
    catch (const YAML::Exception& wrong)
    {
        return fail(errc::invalid, "--config: {}:{}: {}: {}", path, wrong.mark.line + 1, name, wrong.msg);
    }
    return {};
}

result<void> loader::apply(const values& all) const
{
    for (std::size_t i = 0; i < options_.size(); ++i)
    {
        const known_option& each = options_[i];
        const given value = all[i].value_or(given{each.what.fallback, "--" + each.what.name});
        for (const setter& set : each.setters)
        {
            auto taken = set(value.text);
            if (!taken)
                return taken.error().within(value.where);
        }
    }
    return {};
}

void loader::apply_fallbacks() const
{
    apply(values(options_.size())).value();
}

}  // namespace portitor::config
