#include "cli/explain/request_target.hpp"

#include <boost/algorithm/string/case_conv.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
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

std::string escape(char c)
{
    return fmt::format("%{:02X}", static_cast<unsigned char>(c));
}

bool is_one_of(char c, std::string_view of)
{
    return of.find(c) != of.npos;
}

// A request line cannot hold them: every client escapes them.
bool ends_request_line(char c)
{
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
}

// What a URL may not hold, and some clients send all the same.
bool is_out_of_place(char c)
{
    return !is_unreserved(c) && !is_one_of(c, "!$&'()*+,;=:@/[]%");
}

/// Decodes the escapes that stand for what `which` accepts, and writes the others in capitals.
template <typename Which>
result<std::string> decode(std::string_view path, Which which)
{
    std::string out;
    for (std::size_t i = 0; i < path.size(); ++i)
    {
        if (path[i] != '%')
        {
            out += path[i];
            continue;
        }
        const int high = i + 2 < path.size() ? digit_of(path[i + 1]) : -1;
        const int low = i + 2 < path.size() ? digit_of(path[i + 2]) : -1;
        if (high < 0 || low < 0)
            return fail(
                errc::invalid, "the path holds an escape that is none: \"%\" needs two hexadecimal digits"
            );
        const auto decoded = static_cast<char>(high * 16 + low);
        out += which(decoded) ? std::string(1, decoded) : escape(decoded);
        i += 2;
    }
    return out;
}

template <typename Which>
std::string escape_all(std::string_view path, Which which)
{
    std::string out;
    for (const char c : path)
        out += which(c) ? escape(c) : std::string(1, c);
    return out;
}

// A path with characters that do not belong there is written anew from its decoded form, so that an escaped
// slash becomes a slash.
result<std::string> normalise_escapes(std::string_view path)
{
    if (std::none_of(path.begin(), path.end(), is_out_of_place))
        return decode(path, is_unreserved);
    auto plain = decode(path, [](char) { return true; });
    if (!plain)
        return plain;
    return escape_all(*plain, [](char c) { return !is_unreserved(c) && !is_one_of(c, "$&+,/:;=@"); });
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
    auto plain = normalise_escapes(escape_all(path, ends_request_line));
    if (!plain)
        return plain;
    return resolve_segments(*plain);
}

std::string as_careful_clients_send(std::string_view path)
{
    return escape_all(path, is_out_of_place);
}

std::string host_without_port(std::string_view host)
{
    const std::size_t colon = host.rfind(':');
    const bool has_port = colon != host.npos && host.find(']', colon) == host.npos;
    return boost::algorithm::to_lower_copy(std::string(host.substr(0, has_port ? colon : host.npos)));
}

// The verifier takes no other characters of a host.
result<void> check_host(std::string_view host)
{
    const std::string name = host_without_port(host);
    const std::string_view port = host.substr(std::min(name.size() + 1, host.size()));
    unsigned number = 1;
    const auto read = std::from_chars(port.data(), port.data() + port.size(), number);
    const bool is_port =
        host.size() == name.size() ||
        (read.ec == std::errc() && read.ptr == port.data() + port.size() && number > 0 && number <= 65535);
    const bool is_name = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || is_one_of(static_cast<char>(c), ".-_:[]");
    });
    if (name.empty() || host.size() > 300 || !is_name || !is_port)
        return fail(
            errc::invalid,
            "\"{}\" is no host: write letters, digits, \".\" and \"-\", and perhaps a port of 1 to 65535",
            host
        );
    return {};
}

result<request_target> read_target(std::string_view written)
{
    request_target out;
    out.written = written;
    std::string_view rest = written;
    if (const std::size_t scheme = rest.find("://"); scheme != rest.npos && scheme < rest.find('/'))
    {
        out.scheme = boost::algorithm::to_lower_copy(std::string(rest.substr(0, scheme)));
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
        if (auto checked = check_host(out.host); !checked)
            return checked.error();
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

namespace {

// As Go's url.QueryUnescape; nothing where an escape is none.
std::optional<std::string> unescape_query(std::string_view text)
{
    std::string spaced(text);
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    auto out = decode(spaced, [](char) { return true; });
    if (!out)
        return std::nullopt;
    return std::move(*out);
}

}  // namespace

bool has_query(std::string_view query, std::string_view name, std::string_view value)
{
    while (!query.empty())
    {
        // Traefik takes ";" for "&", unless its entry point is told to encode it.
        const std::string_view pair = query.substr(0, query.find_first_of("&;"));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const auto key = unescape_query(pair.substr(0, equals));
        const auto said = unescape_query(pair.substr(std::min(equals + 1, pair.size())));
        if (key && said && *key == name && *said == value)
            return true;
    }
    return false;
}

}  // namespace portitor::cli::explain
