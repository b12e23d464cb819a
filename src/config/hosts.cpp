#include "config/yaml_list.hpp"

#include <portitor/config/hosts.hpp>
#include <portitor/http/message.hpp>

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/asio/ip/address.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <locale>

namespace portitor::config {

namespace {

// So many hostnames an HTTPRoute may have.
constexpr std::size_t most_public = 16;
constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;
constexpr std::string_view every = "*";
constexpr std::string_view below = "*.";

bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_dns_label(std::string_view text)
{
    return !text.empty() && text.size() <= longest_label && is_word(text.front()) && is_word(text.back()) &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_word(c) || c == '-'; });
}

error wrong_at(const YAML::Node& node, const std::string& what)
{
    return fail(errc::invalid, "line {}: {}", node.Mark().line + 1, what);
}

// As somebody wrote it: what is behind a colon has to be a port, so that no URL is taken for its scheme.
std::string written_host(const std::string& text)
{
    const auto colon = text.find(':');
    const bool has_port = colon != text.npos && colon + 1 < text.size() &&
                          text.find_first_not_of("0123456789", colon + 1) == text.npos;
    return colon == text.npos || has_port ? host_name(text) : text;
}

result<void> read_public(const YAML::Node& list, std::vector<std::string>& into)
{
    for (const auto& each : list)
    {
        if (!each.IsScalar())
            return wrong_at(each, "each entry is a host, such as api.example.com, or '*' for every host");
        std::string host = written_host(each.Scalar());
        if (host != every && !is_dns_name(host))
            return wrong_at(
                each,
                fmt::format(
                    "\"{}\" is neither a host, such as api.example.com, nor '*' for every host", each.Scalar()
                )
            );
        if (std::find(into.begin(), into.end(), host) != into.end())
            return fail(errc::conflict, "line {}: host {} comes twice", each.Mark().line + 1, host);
        into.push_back(std::move(host));
    }
    return {};
}

result<std::string> read_pattern(const YAML::Node& entry)
{
    auto text = required_text(entry, "host");
    if (!text)
        return text;
    std::string host = written_host(*text);
    const std::string_view name =
        host.starts_with(below) ? std::string_view(host).substr(below.size()) : host;
    if (host != every && !is_dns_name(name))
        return wrong_at(
            entry["host"],
            fmt::format(
                "\"{}\" is no host: write api.example.com, '*.example.com' for all below it, or '*' for all",
                *text
            )
        );
    return host;
}

bool may_be_in_selector(const std::string& text)
{
    return text.find_first_of(" ,()=!") == text.npos;
}

// A requirement as the text of a label selector has it.
result<std::string> read_expression(const YAML::Node& entry)
{
    auto known = only_keys(entry, {"key", "operator", "values"});
    if (!known)
        return known.error();
    auto key = required_text(entry, "key");
    auto word = required_text(entry, "operator");
    auto values = texts(entry, "values");
    if (!key || !word || !values)
        return !key ? key.error() : !word ? word.error() : values.error();
    const bool is_plain =
        may_be_in_selector(*key) && std::all_of(values->begin(), values->end(), may_be_in_selector);
    if (!is_plain)
        return wrong_at(entry, "label names and values are words, without spaces and signs such as = and ,");
    const bool has_values = *word == "In" || *word == "NotIn";
    if (!has_values && *word != "Exists" && *word != "DoesNotExist")
        return wrong_at(
            entry["operator"], fmt::format("\"{}\" is none of In, NotIn, Exists, DoesNotExist", *word)
        );
    if (has_values == values->empty())
        return wrong_at(entry, fmt::format("{} takes {}", *word, has_values ? "values" : "no values"));
    if (!has_values)
        return (*word == "Exists" ? "" : "!") + *key;
    return fmt::format("{} {} ({})", *key, *word == "In" ? "in" : "notin", fmt::join(*values, ","));
}

// As Kubernetes writes label selectors in objects.
result<kube::object_predicate> read_selector(const YAML::Node& node)
{
    auto known = only_keys(node, {"matchLabels", "matchExpressions"});
    if (!known)
        return known.error();
    std::vector<std::string> all;
    const YAML::Node labels = node["matchLabels"];
    if (labels && !labels.IsMap())
        return wrong_at(labels, "\"matchLabels\" is a mapping of labels and values");
    for (const auto& each : labels)
    {
        if (!each.second.IsScalar() || !may_be_in_selector(each.first.Scalar()) ||
            !may_be_in_selector(each.second.Scalar()))
            return wrong_at(each.first, "\"matchLabels\" is a mapping of labels and values");
        all.push_back(fmt::format("{}={}", each.first.Scalar(), each.second.Scalar()));
    }
    const YAML::Node expressions = node["matchExpressions"];
    if (expressions && !expressions.IsSequence())
        return wrong_at(expressions, "\"matchExpressions\" is a list");
    for (const auto& each : expressions)
    {
        auto text = read_expression(each);
        if (!text)
            return text.error();
        all.push_back(std::move(*text));
    }
    if (all.empty())
        return wrong_at(node, "\"namespaceSelector\" says nothing; namespaces: ['*'] stands for all");
    auto made = kube::make_predicate("", fmt::format("{}", fmt::join(all, ",")), "");
    return made ? std::move(made) : wrong_at(node, made.error().message());
}

result<host_entry> read_entry(const YAML::Node& entry)
{
    auto known = only_keys(entry, {"host", "namespaces", "namespaceSelector"});
    if (!known)
        return known.error();
    auto host = read_pattern(entry);
    auto namespaces = texts(entry, "namespaces");
    if (!host || !namespaces)
        return host ? namespaces.error() : host.error();
    host_entry out{std::move(*host), std::move(*namespaces), std::nullopt};
    const YAML::Node selector = entry["namespaceSelector"];
    if (out.namespaces.empty() == !selector)
        return wrong_at(entry, "each entry needs either \"namespaces\" or \"namespaceSelector\"");
    if (!selector)
        return out;
    auto read = read_selector(selector);
    if (!read)
        return read.error();
    out.selector = std::move(*read);
    return out;
}

result<void> read_hosts(const YAML::Node& list, std::vector<host_entry>& into)
{
    for (const auto& entry : list)
    {
        auto made = read_entry(entry);
        if (!made)
            return made.error();
        into.push_back(std::move(*made));
    }
    return {};
}

}  // namespace

std::string host_name(std::string_view authority)
{
    // The colons of an IPv6 address stand in brackets.
    const auto colon = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
    std::string out = boost::to_lower_copy(std::string(authority.substr(0, colon)), std::locale::classic());
    if (out.size() > 1 && out.ends_with('.'))
        out.pop_back();
    return out;
}

bool is_dns_name(std::string_view host)
{
    boost::system::error_code no_address;
    boost::asio::ip::make_address(std::string(host), no_address);
    if (!no_address || host.size() > longest_name)
        return false;
    for (;;)
    {
        const auto point = host.find('.');
        if (!is_dns_label(host.substr(0, point)))
            return false;
        if (point == host.npos)
            return true;
        host.remove_prefix(point + 1);
    }
}

bool host_entry::covers(std::string_view name) const
{
    if (host == every)
        return true;
    if (!host.starts_with(below))
        return host == name;
    const std::string_view end = std::string_view(host).substr(1);
    return name.size() > end.size() && name.ends_with(end);
}

bool host_entry::names(std::string_view ns) const
{
    return std::any_of(namespaces.begin(), namespaces.end(), [&](const std::string& each) {
        return each == every || each == ns;
    });
}

bool public_hosts::has(std::string_view host) const
{
    return std::find(names.begin(), names.end(), host) != names.end();
}

void host_lists::declare(loader& into)
{
    into.add(section{
        "publicHosts",
        read_list([this](const YAML::Node& list) { return read_public(list, written_public); }),
        [this] { written_public.clear(); }});
    into.add(section{
        "hosts", read_list([this](const YAML::Node& list) { return read_hosts(list, entries); }), [this] {
            entries.clear();
        }});
}

result<void> host_lists::check(const std::string& public_url) const
{
    const public_hosts all = public_with(public_url);
    if (all.names.size() > most_public)
        return fail(
            errc::invalid,
            "publicHosts: {} hosts, with that of --public-url, and a route can have {}; write '*' for every "
            "host",
            all.names.size(),
            most_public
        );
    const auto url = http::parse_url(public_url);
    if (url && !all.every_host && !all.has(host_name(url->origin.host)))
        return fail(
            errc::invalid,
            "publicHosts: the host of --public-url, {}, is no name that a route can be published for, so "
            "nothing could be reached there; add '*', or give --public-url a name",
            url->origin.host
        );
    return {};
}

public_hosts host_lists::public_with(const std::string& public_url) const
{
    public_hosts out;
    if (const auto url = http::parse_url(public_url))
    {
        std::string first = host_name(url->origin.host);
        if (is_dns_name(first))
            out.names.push_back(std::move(first));
    }
    for (const std::string& each : written_public)
    {
        if (each == every)
            out.every_host = true;
        else if (!out.has(each))
            out.names.push_back(each);
    }
    out.every_host = out.every_host || out.names.empty();
    return out;
}

bool host_lists::needs_labels() const
{
    return std::any_of(entries.begin(), entries.end(), [](const host_entry& each) {
        return each.selector.has_value();
    });
}

}  // namespace portitor::config
