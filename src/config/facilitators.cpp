#include "config/transport.hpp"
#include "config/yaml_list.hpp"

#include <portitor/config/common_options.hpp>
#include <portitor/config/facilitators.hpp>
#include <portitor/config/setters.hpp>
#include <portitor/http/masked_url.hpp>
#include <portitor/http/message.hpp>

#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace portitor::config {

namespace {

result<void> read_facilitators(const YAML::Node& list, std::vector<facilitator>& into)
{
    for (const auto& entry : list)
    {
        auto known = only_keys(entry, {"name", "url"});
        if (!known)
            return known;
        auto name = required_text(entry, "name");
        auto text = required_text(entry, "url");
        if (!name || !text)
            return name ? text.error() : name.error();
        std::string url;
        auto parsed = set_url(url)(*text);
        if (!parsed)
            return parsed.error().within("facilitator " + *name);
        if (std::any_of(into.begin(), into.end(), [&](const auto& each) { return each.name == *name; }))
            return fail(errc::conflict, "line {}: facilitator {} comes twice", entry.Mark().line + 1, *name);
        into.push_back({*name, url});
    }
    return {};
}

}  // namespace

void facilitator_list::declare(loader& into)
{
    into.under("Operator's lists")
        .add(
            {"default-facilitator",
             "the facilitator of offers that name none: a name of the list, or a URL",
             "https://www.x402.org/facilitator",
             set_text(default_name)}
        );
    into.add(insecure_option(allow_insecure));
    into.add(section{
        "facilitators",
        read_list([this](const YAML::Node& list) { return read_facilitators(list, entries); }),
        [this] { entries.clear(); }});
}

result<void> facilitator_list::resolve()
{
    // The default may be given as a URL for short: it then is the list's entry "default".
    if (default_name.find("://") != std::string::npos)
    {
        std::string url;
        auto parsed = set_url(url)(default_name);
        if (!parsed)
            return parsed.error().within("--default-facilitator");
        if (!find("default"))
            entries.push_back({"default", url});
        default_name = "default";
    }
    if (!find(default_name))
        return fail(
            errc::invalid,
            "--default-facilitator: {} is neither a URL nor a name of the list \"facilitators\"",
            // Half a URL may hold a key as a whole one does.
            default_name.find_first_of("@?#") == default_name.npos ? '"' + default_name + '"'
                                                                   : "what is given"
        );
    for (const facilitator& each : entries)
    {
        const auto parsed = http::parse_url(each.url);
        if (!may_be_asked(parsed->origin, allow_insecure))
            return fail(
                errc::invalid, "facilitator {}: {} {}", each.name, http::masked_url(each.url), wants_https
            );
    }
    return {};
}

const facilitator* facilitator_list::find(std::string_view name) const
{
    const auto at = std::find_if(entries.begin(), entries.end(), [&](const facilitator& each) {
        return each.name == name;
    });
    return at == entries.end() ? nullptr : &*at;
}

std::string_view facilitator_list::name_of(std::string_view url) const
{
    const auto at = std::find_if(entries.begin(), entries.end(), [&](const facilitator& each) {
        return each.url == url;
    });
    return at == entries.end() ? url : std::string_view(at->name);
}

}  // namespace portitor::config
