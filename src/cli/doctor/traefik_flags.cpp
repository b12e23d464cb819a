#include "cli/doctor/traefik_flags.hpp"

#include "cli/doctor/looking.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <sstream>
#include <utility>

namespace portitor::cli::doctor {

namespace json = boost::json;

namespace {

constexpr version_number oldest{3, 0};
// The fields of ForwardAuth that Portitor writes are known from there on.
constexpr version_number supported{3, 6};
constexpr double slow_throttle = 2.0;  // seconds, Traefik's own default

std::string lower(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return text;
}

void read_argument(std::string_view text, traefik_flags& into)
{
    if (!text.starts_with('-'))
        return;
    text.remove_prefix(std::min(text.find_first_not_of('-'), text.size()));
    const auto equals = text.find('=');
    const std::string name = lower(std::string(text.substr(0, equals)));
    into.values[name] = equals == text.npos ? "true" : std::string(text.substr(equals + 1));
}

void read_variable(const json::object& variable, traefik_flags& into)
{
    std::string name = lower(kube::string_at(variable, "name"));
    constexpr std::string_view prefix = "traefik_";
    if (!name.starts_with(prefix))
        return;
    name.erase(0, prefix.size());
    std::replace(name.begin(), name.end(), '_', '.');
    into.values.emplace(name, kube::string_or(variable, "value", "true"));
}

// Go's durations, as far as people write them: "2s", "300ms", "1m30s", "2".
std::optional<double> read_duration(const std::string& text)
{
    double total = 0;
    const char* at = text.data();
    const char* const end = text.data() + text.size();
    while (at != end)
    {
        double number = 0;
        const auto read = std::from_chars(at, end, number);
        if (read.ec != std::errc())
            return std::nullopt;
        const char* unit_end = std::find_if(read.ptr, end, [](unsigned char c) { return std::isdigit(c); });
        const std::string_view unit(read.ptr, static_cast<std::size_t>(unit_end - read.ptr));
        const double scale = unit == "ms"                  ? 0.001
                             : unit == "s" || unit.empty() ? 1
                             : unit == "m"                 ? 60
                             : unit == "h"                 ? 3600
                                                           : -1;
        if (scale < 0)
            return std::nullopt;
        total += number * scale;
        at = unit_end;
    }
    return text.empty() ? std::nullopt : std::optional(total);
}

void judge_version(const traefik_flags& of, notebook& into)
{
    std::string tag = of.image.substr(0, of.image.find('@'));
    const auto colon = tag.rfind(':');
    tag = colon == tag.npos || tag.find('/', colon) != tag.npos ? "" : tag.substr(colon + 1);
    const auto version = read_version(tag);
    if (!version)
        return into.not_checked("version", fmt::format("the image {} does not tell it", of.image));
    const std::string words = fmt::format("{} (image {})", tag, of.image);
    if (*version < oldest)
        return into.failure(
            "version", words, "it knows no HTTPRoutes of v1 with Middlewares: upgrade to 3.6"
        );
    if (*version < supported)
        return into.warn("version", words, "Portitor is tested with 3.6 and later: upgrade");
    into.ok("version", words);
}

void judge_providers(const traefik_flags& of, notebook& into)
{
    constexpr std::array providers{
        std::pair{"kubernetescrd", "providers.kubernetesCRD"},
        std::pair{"kubernetesgateway", "providers.kubernetesGateway"}};
    for (const auto& [each, of_chart] : providers)
    {
        const std::string check = fmt::format("providers.{}", each);
        if (of.has(check))
            into.ok(check, "on");
        else if (of.has_file)
            into.not_checked(check, "a file of Traefik's may turn it on; its arguments do not");
        else
            into.failure(
                check,
                "it is off: routes of offers are not served, or answer with an error",
                fmt::format(
                    "start Traefik with --{}, by its Helm chart with {}.enabled=true", check, of_chart
                )
            );
    }
}

void judge_namespaces(
    const traefik_flags& of, const std::optional<std::set<std::string>>& selling, notebook& into
)
{
    for (const char* each : {"providers.kubernetescrd.namespaces", "providers.kubernetesgateway.namespaces"})
    {
        const std::string listed = "," + of.value(each) + ",";
        if (listed == ",,")
            continue;
        if (!selling)
        {
            into.not_checked(each, "the offers cannot be read: which namespaces sell is not known");
            continue;
        }
        std::vector<std::string> left_out;
        for (const std::string& ns : *selling)
        {
            if (listed.find("," + ns + ",") == listed.npos)
                left_out.push_back(ns);
        }
        if (!left_out.empty())
            into.failure(
                each,
                fmt::format("namespaces that sell are not in it: {}", some_of(left_out)),
                "add them, or leave the option out"
            );
    }
    for (const char* each :
         {"providers.kubernetescrd.labelselector",
          "providers.kubernetesgateway.labelselector",
          "providers.kubernetescrd.ingressclass"})
    {
        if (!of.value(each).empty())
            into.warn(
                each,
                fmt::format("{}: objects that Portitor makes may be passed over", of.value(each)),
                "leave the option out, or see that every offer's gate is proved"
            );
    }
}

void judge_safety(const traefik_flags& of, notebook& into)
{
    for (const auto& [name, value] : of.values)
    {
        if (name.starts_with("entrypoints.") && name.ends_with(".forwardedheaders.insecure") &&
            value != "false")
            into.warn(
                name,
                "X-Forwarded-For and the like reach services as buyers wrote them",
                "name the proxies that you trust in forwardedHeaders.trustedIPs instead"
            );
    }
    if (of.has("providers.kubernetescrd.allowcrossnamespace"))
        into.info(
            "providers.kubernetescrd.allowcrossnamespace",
            "on; Portitor does not need it: its Middlewares are in the namespace of the offer"
        );
    const std::string throttle = of.value("providers.providersthrottleduration");
    const auto seconds = read_duration(throttle);
    if (seconds && *seconds > slow_throttle)
        into.warn(
            "providersThrottleDuration",
            fmt::format("{}: so long a new offer waits before it is served", throttle),
            "leave it at 2s or less"
        );
}

}  // namespace

bool traefik_flags::has(const std::string& name) const
{
    for (auto at = values.lower_bound(name); at != values.end() && at->first.starts_with(name); ++at)
    {
        const bool is_it = at->first == name;
        if ((is_it && at->second != "false") || (!is_it && at->first[name.size()] == '.'))
            return true;
    }
    return false;
}

std::string traefik_flags::value(const std::string& name) const
{
    const auto at = values.find(name);
    return at == values.end() ? std::string() : at->second;
}

traefik_flags read_traefik(const json::object& container)
{
    traefik_flags out;
    out.image = kube::string_at(container, "image");
    for (const char* list : {"command", "args"})
    {
        for (const json::value& each : kube::array_at(container, list))
        {
            if (each.is_string())
                read_argument(std::string_view(each.get_string()), out);
        }
    }
    for (const json::value& each : kube::array_at(container, "env"))
        read_variable(kube::as_object(each), out);
    out.has_file = out.values.contains("configfile");
    return out;
}

bool is_traefik(const json::object& container)
{
    // "registry:5000/library/traefik:v3.6@sha256:…": its last part, without tag and digest.
    std::string image = kube::string_at(container, "image");
    image.erase(std::min(image.find('@'), image.size()));
    image.erase(0, image.rfind('/') + 1);
    if (image.substr(0, image.find(':')).find("traefik") != std::string::npos)
        return true;
    const traefik_flags flags = read_traefik(container);
    return flags.has("providers.kubernetescrd") || flags.has("providers.kubernetesgateway");
}

void judge_traefik(
    const traefik_flags& of, const std::optional<std::set<std::string>>& selling, notebook& into
)
{
    judge_version(of, into);
    judge_providers(of, into);
    judge_namespaces(of, selling, into);
    judge_safety(of, into);
}

}  // namespace portitor::cli::doctor
