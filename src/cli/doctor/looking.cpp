#include "cli/doctor/looking.hpp"

#include <portitor/core/saturating_time.hpp>
#include <portitor/kube/list_all.hpp>

#include <boost/json/parse.hpp>

#include <algorithm>
#include <charconv>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

asio::awaitable<kube::api_result<std::vector<kube::object_ptr>>>
list(kube::api& server, kube::resource kind, kube::selection which)
{
    kube::list_bounds bounds;
    bounds.objects = most_objects;
    bounds.cut = true;
    co_return co_await kube::list_objects(server, kind, {std::move(which)}, bounds);
}

std::string left_out(const std::vector<kube::object_ptr>& listed)
{
    if (listed.size() >= most_objects)
        return fmt::format("there are many: only the first {} are looked at", most_objects);
    std::vector<std::string> names;
    for (const kube::object_ptr& each : listed)
    {
        if (!each->unreadable.empty())
            names.push_back(each->meta.key().to_string());
    }
    return names.empty() ? std::string()
                         : fmt::format("too large or too deep to be looked at: {}", some_of(names));
}

std::optional<std::set<std::string>> selling_namespaces(const patient& of)
{
    if (!of.market)
        return std::nullopt;
    std::set<std::string> out;
    for (const auto& [key, offer] : of.market->offers())
        out.insert(key.ns);
    return out;
}

std::optional<json::object> read_object(std::string_view text)
{
    boost::system::error_code ec;
    json::value read = json::parse(text, ec);
    if (ec || !read.is_object())
        return std::nullopt;
    return std::move(read.get_object());
}

asio::awaitable<result<json::object>>
ask(kube::api& server, http::verb method, std::string target, std::string body)
{
    const std::string what = target;
    auto said = co_await server.ask(method, std::move(target), std::move(body));
    if (!said)
        co_return said.error();
    if (said->result_int() < 200 || said->result_int() > 299)
        co_return fail(
            said->result_int() == 404 ? errc::not_found : errc::refused,
            "{}: HTTP {}",
            what,
            said->result_int()
        );
    auto read = read_object(said->body());
    if (!read)
        co_return fail(errc::protocol, "{}: the answer is no JSON object", what);
    co_return std::move(*read);
}

kube::object_key service_of(std::string_view host)
{
    const auto dot = host.find('.');
    if (dot == host.npos)
        return {};
    const std::string_view rest = host.substr(dot + 1);
    const auto end = rest.find('.');
    if (end == rest.npos || !(rest.substr(end) == ".svc" || rest.substr(end).starts_with(".svc.")))
        return {};
    return {std::string(rest.substr(0, end)), std::string(host.substr(0, dot))};
}

std::optional<version_number> read_version(std::string_view text)
{
    const std::string digits(text.starts_with('v') ? text.substr(1) : text);
    const char* const end = digits.c_str() + digits.size();
    version_number out;
    const auto major = std::from_chars(digits.c_str(), end, out.major);
    if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.')
        return std::nullopt;
    const auto minor = std::from_chars(major.ptr + 1, end, out.minor);
    if (minor.ec != std::errc())
        return std::nullopt;
    return out;
}

namespace {

bool is_satisfied(const json::object& requirement, const json::object& labels)
{
    const std::string key = kube::string_at(requirement, "key");
    const std::string how = kube::string_at(requirement, "operator");
    const json::value* label = labels.if_contains(key);
    const json::array& values = kube::array_at(requirement, "values");
    const bool listed = label && std::find(values.begin(), values.end(), *label) != values.end();
    return how == "In"             ? listed
           : how == "NotIn"        ? !listed
           : how == "Exists"       ? label != nullptr
           : how == "DoesNotExist" ? label == nullptr
                                   : false;
}

}  // namespace

bool selects(const json::object& selector, const json::object& labels)
{
    for (const auto& wanted : kube::object_at(selector, "matchLabels"))
    {
        const json::value* label = labels.if_contains(wanted.key());
        if (!label || *label != wanted.value())
            return false;
    }
    const json::array& expressions = kube::array_at(selector, "matchExpressions");
    return std::all_of(expressions.begin(), expressions.end(), [&](const json::value& each) {
        return is_satisfied(kube::as_object(each), labels);
    });
}

clock::time_point::duration age_of(const patient& of, clock::time_point then)
{
    return saturating_between(then, of.around.clock.now());
}

long long since(const timekeeper& time, timekeeper::time_point then)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.now() - then).count();
}

std::string took(long long milliseconds)
{
    return fmt::format("took {} ms", milliseconds);
}

}  // namespace portitor::cli::doctor
