#include "config/document.hpp"
#include "config/flags.hpp"

#include <portitor/config/help.hpp>
#include <portitor/config/loader.hpp>
#include <portitor/config/setters.hpp>
#include <portitor/config/version_text.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <ostream>
#include <set>
#include <stdexcept>
#include <utility>

namespace portitor::config {

namespace {

/// Letters and other names are of who comes first.
void leave_to_others(option& what, std::span<const known_option> known)
{
    for (const known_option& each : known)
    {
        std::erase(what.aliases, each.what.name);
        if (what.letter == each.what.letter)
            what.letter = 0;
    }
}

}  // namespace

std::string environment_name(std::string_view option)
{
    std::string name = "PORTITOR_";
    for (const char c : option)
        name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name;
}

option list_option(std::string name, std::string help, std::vector<std::string>& into)
{
    option out{std::move(name), std::move(help), "", append_text(into)};
    out.is_list = true;
    out.reset = [&into] { into.clear(); };
    return out;
}

loader::loader(description about) : about_(std::move(about))
{
    // load() itself reads it.
    option file{"config", "YAML file with settings and the operator's lists", "", [](const std::string&) {
                    return result<void>();
                }};
    file.placeholder = "FILE";
    file.is_shared = true;
    add(std::move(file));
}

loader::loader(std::string program, std::string summary, std::string footer)
    : loader(description{std::move(program), std::move(summary), std::move(footer)})
{}

void loader::add(option what)
{
    if (what.is_list && !what.reset)
        throw std::logic_error("--" + what.name + " is a list that cannot be emptied");
    what.is_shared = what.is_shared || sharing_;
    const auto at = std::find_if(options_.begin(), options_.end(), [&](const known_option& each) {
        return each.what.name == what.name;
    });
    // A command means its own option, in its own words: nobody asks what it would be to a role.
    if (at != options_.end() && hiding_ && !at->hidden)
        return;
    if (at != options_.end() && (at->what.fallback != what.fallback || at->what.is_switch != what.is_switch ||
                                 at->what.is_list != what.is_list))
        throw std::logic_error("--" + what.name + " is declared in two ways");
    // What another option answers to on the command line is left to file and environment.
    const bool shadowed =
        at == options_.end() && std::any_of(options_.begin(), options_.end(), [&](const known_option& each) {
            const std::vector<std::string>& names = each.what.aliases;
            return std::find(names.begin(), names.end(), what.name) != names.end();
        });
    if (at == options_.end())
        leave_to_others(what, options_);
    known_option& known =
        at != options_.end() ? *at : options_.emplace_back(known_option{what, hiding_ || shadowed});
    known.what.is_shared |= what.is_shared;
    known.layered = known.layered || layering_;
    known.setters.push_back(std::move(what.apply));
    if (what.reset)
        known.resets.push_back(std::move(what.reset));
}

void loader::add(section what)
{
    known_section* known = find_section(what.name);
    if (!known)
        known = &sections_.emplace_back(known_section{what.name});
    known->layered = known->layered || layering_;
    known->readers.push_back(std::move(what));
}

void loader::add_shared(const std::function<void(loader&)>& declare)
{
    const bool before = std::exchange(sharing_, true);
    declare(*this);
    sharing_ = before;
}

void loader::layered(const std::function<void()>& declare)
{
    const bool before = std::exchange(layering_, true);
    declare();
    layering_ = before;
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

void loader::positional(word what)
{
    if (hiding_)
        return;
    if (!words_.empty() && words_.back().is_variable)
        throw std::logic_error(what.name + " stands after words of any number");
    words_.push_back(std::move(what));
}

void loader::positional(std::string name, std::string help, std::string& into, presence needed)
{
    positional(
        {std::move(name),
         std::move(help),
         set_text(into),
         needed == presence::required,
         false,
         [&into] { into.clear(); }}
    );
}

void loader::positional(std::string name, std::string help, std::vector<std::string>& into, presence needed)
{
    positional(
        {std::move(name),
         std::move(help),
         append_text(into),
         needed == presence::required,
         true,
         [&into] { into.clear(); }}
    );
}

loader::known_section* loader::find_section(std::string_view name)
{
    const auto at = std::find_if(sections_.begin(), sections_.end(), [&](const known_section& each) {
        return each.name == name;
    });
    return at == sections_.end() ? nullptr : &*at;
}

result<outcome> loader::load(int argc, const char* const* argv, std::ostream& out)
{
    const auto see_help = [this](const error& wrong) {
        return fail(wrong.code(), "{} (see {} --help)", wrong.message(), about_.program);
    };
    auto line = read_flags(options_, argc, argv);
    if (!line)
        return see_help(line.error());
    if (line->wants_help || line->wants_version)
    {
        out << (line->wants_help ? help_text(*this, line->shown) : version_text());
        return outcome::printed;
    }
    values_ = std::move(line->flags);
    for (known_section& each : sections_)
        each.node.reset();
    auto environment = read_environment();
    if (!environment)
        return environment.error();
    // The first option is --config.
    const std::string file = values_[0] ? values_[0]->texts.front() : std::string();
    has_config_file_ = !file.empty();
    if (has_config_file_)
    {
        auto read = read_file(file);
        if (!read)
            return read.error();
    }
    auto complete = demand_required();
    if (!complete)
        return see_help(complete.error());
    auto worded = apply_words(line->words);
    if (!worded)
        return see_help(worded.error());
    auto applied = apply();
    if (!applied)
        return applied.error();
    return outcome::run;
}

result<void> loader::load_layer(
    const std::string& yaml_text, const std::string& where, const std::function<result<void>()>& resolve
)
{
    const auto parsed = parse_text(yaml_text, where);
    if (!parsed)
        return parsed.error();
    values_.resize(options_.size());
    const given_values values = values_;
    std::vector<known_section> sections = sections_;
    auto read = read_document(parsed->root, where, keys::layered);
    if (read)
        read = apply();
    if (read)
    {
        const auto resolved = resolve();
        if (resolved)
            return {};
        read = resolved.error().within(where);
    }
    values_ = values;
    sections_ = std::move(sections);
    // As they were, they have been taken before.
    apply().value();
    resolve().value();
    return read;
}

result<void> loader::read_environment()
{
    for (std::size_t i = 0; i < options_.size(); ++i)
    {
        const std::string variable = environment_name(options_[i].what.name);
        const char* text = values_[i] ? nullptr : std::getenv(variable.c_str());
        if (!text || options_[i].what.is_typed_only)
            continue;
        values_[i] = given{{text}, variable};
        if (!options_[i].what.is_list)
            continue;
        auto several = list_values(std::string(text), variable);
        if (!several)
            return several.error();
        values_[i]->texts = std::move(*several);
    }
    return {};
}

result<void> loader::read_file(const std::string& path)
{
    const std::string where = "--config: " + path;
    const auto parsed = parse_file(path, where);
    return parsed ? read_document(parsed->root, where, keys::known) : parsed.error();
}

result<void> loader::read_document(const YAML::Node& root, const std::string& where, keys allowed)
{
    if (root.IsNull())
        return {};
    if (!root.IsMap())
        return fail(errc::invalid, "{} must be a YAML mapping", where);
    std::set<std::string> seen;
    for (const auto& entry : root)
    {
        const std::string key = entry.first.Scalar();
        if (!seen.insert(key).second)
            return fail(errc::invalid, "{}: {} comes twice", at_line(where, entry.first), key);
        auto read = read_entry(entry.first, entry.second, where, allowed);
        if (!read)
            return read;
    }
    return {};
}

result<void>
loader::read_entry(const YAML::Node& key, const YAML::Node& value, const std::string& document, keys allowed)
{
    const std::string& name = key.Scalar();
    const std::string where = fmt::format("{}: {}", at_line(document, key), name);
    const auto at = std::find_if(options_.begin(), options_.end(), [&](const known_option& each) {
        return each.what.name == name && !each.what.is_typed_only;
    });
    if (at == options_.end())
    {
        known_section* known = find_section(name);
        if (!known && allowed == keys::known)
            return fail(errc::invalid, "{}: unknown key \"{}\"", at_line(document, key), name);
        if (known && !known->node && (known->layered || allowed == keys::known))
        {
            known->node = value;
            known->document = document;
            known->where = where;
        }
        return {};
    }
    if (!at->layered && allowed == keys::layered)
        return {};
    if (!at->what.is_list && !value.IsScalar())
        return fail(errc::invalid, "{} takes one value", where);
    auto texts = at->what.is_list ? list_values(value, where)
                                  : result<std::vector<std::string>>(std::vector{value.Scalar()});
    if (!texts)
        return texts.error();
    auto& place = values_[static_cast<std::size_t>(at - options_.begin())];
    if (!place)
        place = given{std::move(*texts), where};
    return {};
}

}  // namespace portitor::config
