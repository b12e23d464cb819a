#include "roles/controller/discovery/front.hpp"

#include <algorithm>

namespace portitor::controller {

namespace {

constexpr std::string_view suffix = ".json";
constexpr std::size_t longest_uid = 64;
// Short: what is not sold any more should not be listed for long, and an unchanged list is a 304.
constexpr const char* fresh_for = "public, max-age=5";

bool is_document(std::string_view path)
{
    return path == registrations_path || path == services_path || path.starts_with(registration_folder);
}

http::reply problem(http::status code, const char* text)
{
    http::response out = http::make_response(code, text, "application/json");
    out.set("Access-Control-Allow-Origin", "*");
    out.set(http::field::cache_control, "no-store");
    return http::reply(std::move(out));
}

http::reply busy(const char* text)
{
    http::reply out = problem(http::status::service_unavailable, text);
    out.message.set(http::field::retry_after, "1");
    return out;
}

http::reply wrong_method()
{
    http::reply out = problem(http::status::method_not_allowed, "{\"error\":\"method_not_allowed\"}");
    out.message.set(http::field::allow, "GET, HEAD");
    return out;
}

http::response with_tag(http::response out, const document& of)
{
    out.set(http::field::etag, of.etag);
    out.set(http::field::cache_control, fresh_for);
    out.set("Access-Control-Allow-Origin", "*");
    out.set("X-Content-Type-Options", "nosniff");
    return out;
}

bool is_known_to_client(const http::server_request& message, const document& of)
{
    const auto headers = message.headers();
    return std::any_of(headers.begin(), headers.end(), [&](const auto& each) {
        return http::equal_names(each.name, "If-None-Match") && names_tag(each.value, of.etag);
    });
}

void skip_blanks(std::string_view& text)
{
    const auto begin = text.find_first_not_of(" \t");
    text.remove_prefix(begin == text.npos ? text.size() : begin);
}

}  // namespace

bool names_tag(std::string_view list, std::string_view etag)
{
    skip_blanks(list);
    if (list.starts_with('*'))
    {
        list.remove_prefix(1);
        skip_blanks(list);
        return list.empty();
    }
    while (!list.empty())
    {
        if (list.front() == ',')
        {
            // Empty elements count for nothing.
            list.remove_prefix(1);
            skip_blanks(list);
            continue;
        }
        if (list.starts_with("W/"))
            list.remove_prefix(2);
        const auto end = list.starts_with('"') ? list.find('"', 1) : list.npos;
        if (end == list.npos)
            return false;
        if (list.substr(0, end + 1) == etag)
            return true;
        list.remove_prefix(end + 1);
        skip_blanks(list);
        if (!list.empty() && list.front() != ',')
            return false;
    }
    return false;
}

http::reply discovery_front::answer(const http::server_request& message)
{
    const std::string_view target = message.target();
    const std::string_view path = target.substr(0, target.find('?'));
    if (!is_document(path))
        return problem(http::status::not_found, "{\"error\":\"not_found\"}");
    if (message.method() != http::verb::get && message.method() != http::verb::head)
        return wrong_method();
    if (!around_.synced())
        return busy("{\"error\":\"starting\"}");
    const auto host = host_of(message);
    if (!host)
        return problem(http::status::not_found, "{\"error\":\"unknown_host\"}");
    document_ptr found = find(path, *host);
    if (!found)
        return problem(http::status::not_found, "{\"error\":\"not_found\"}");
    if (is_known_to_client(message, *found))
        return http::reply(with_tag(http::response(http::status::not_modified, 11), *found));
    return deliver(std::move(found));
}

std::optional<std::string> discovery_front::host_of(const http::server_request& message) const
{
    if (!around_.find_host)
        return std::string();
    for (const auto& each : message.headers())
    {
        if (http::equal_names(each.name, "Host"))
            return around_.find_host(each.value);
    }
    return around_.find_host("");
}

document_ptr discovery_front::find(std::string_view path, const std::string& host)
{
    if (path == services_path)
        return documents_.services(host);
    if (path == registrations_path)
        return documents_.registrations(host);
    path.remove_prefix(registration_folder.size());
    if (!path.ends_with(suffix) || path.size() > longest_uid + suffix.size())
        return nullptr;
    path.remove_suffix(suffix.size());
    const kube::object_key offer = around_.find_offer(std::string(path));
    return offer.name.empty() ? nullptr : documents_.registration(offer, host);
}

http::reply discovery_front::deliver(document_ptr found)
{
    const std::size_t size = found->text.size();
    if (*under_way_ > 0 && *under_way_ + size > around_.most_under_way)
        return busy("{\"error\":\"busy\"}");
    *under_way_ += size;
    return http::reply(
        with_tag(http::make_response(http::status::ok, found->text, "application/json"), *found),
        [under_way = under_way_, size](bool) { *under_way -= size; }
    );
}

}  // namespace portitor::controller
