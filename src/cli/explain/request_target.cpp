#include "cli/explain/request_target.hpp"

#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>
#include <cctype>
#include <vector>

namespace portitor::cli::explain {

namespace {

bool is_unreserved(char c)
{
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-._~").find(c) != std::string_view::npos;
}

int digit_of(char c)
{
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// What no client sends as it is, clients escape.
void append_escaped(std::string& out, char c)
{
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos)
        out += c;
    else
        out += fmt::format("%{:02X}", byte);
}

result<std::string> normalise_escapes(std::string_view path)
{
    std::string out;
    for (std::size_t i = 0; i < path.size(); ++i)
    {
        if (path[i] != '%')
        {
            append_escaped(out, path[i]);
            continue;
        }
        const int high = i + 2 < path.size() ? digit_of(path[i + 1]) : -1;
        const int low = i + 2 < path.size() ? digit_of(path[i + 2]) : -1;
        if (high < 0 || low < 0)
            return fail(
                errc::invalid, "the path holds an escape that is none: \"%\" needs two hexadecimal digits"
            );
        const char decoded = static_cast<char>(high * 16 + low);
        if (is_unreserved(decoded))
            out += decoded;
        else
            out += fmt::format("%{:02X}", high * 16 + low);
        i += 2;
    }
    return out;
}

std::string resolve_segments(std::string_view path)
{
    std::vector<std::string_view> kept;
    const bool is_folder = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    while (!path.empty())
    {
        path.remove_prefix(1);
        const std::string_view segment = path.substr(0, path.find('/'));
        path.remove_prefix(segment.size());
        if (segment == ".." && !kept.empty())
            kept.pop_back();
        else if (!segment.empty() && segment != "." && segment != "..")
            kept.push_back(segment);
    }
    std::string out;
    for (const std::string_view each : kept)
        out += fmt::format("/{}", each);
    return out.empty() || is_folder ? out + "/" : out;
}

}  // namespace

result<std::string> as_gateway_forwards(std::string_view path)
{
    auto plain = normalise_escapes(path);
    if (!plain)
        return plain;
    return resolve_segments(*plain);
}

result<request_target> read_target(std::string_view written)
{
    request_target out;
    std::string_view rest = written;
    if (const std::size_t scheme = rest.find("://"); scheme != rest.npos && scheme < rest.find('/'))
    {
        out.scheme = rest.substr(0, scheme);
        if (out.scheme != "http" && out.scheme != "https")
            return fail(errc::invalid, "\"{}\" is neither an http nor an https URL, nor a path", written);
        rest.remove_prefix(scheme + 3);
    }
    if (!out.scheme.empty() || !rest.starts_with('/'))
    {
        out.host = rest.substr(0, rest.find_first_of("/?#"));
        rest.remove_prefix(out.host.size());
        const std::size_t user = out.host.rfind('@');
        out.host.erase(0, user == std::string::npos ? 0 : user + 1);
        if (out.host.empty() || (out.scheme.empty() && out.host.find_first_of(".:") == std::string::npos))
            return fail(
                errc::invalid,
                "\"{}\": write a URL such as https://api.example.com/services/hello, or a path that starts "
                "with \"/\"",
                written
            );
    }
    rest = rest.substr(0, rest.find('#'));
    if (const std::size_t query = rest.find('?'); query != rest.npos)
    {
        out.query = rest.substr(query + 1);
        rest = rest.substr(0, query);
    }
    out.path = rest.empty() ? "/" : rest;
    return out;
}

}  // namespace portitor::cli::explain
