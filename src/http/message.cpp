#include <portitor/http/masked_url.hpp>
#include <portitor/http/message.hpp>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>
#include <tuple>

namespace portitor::http {

bool origin::operator<(const origin& other) const
{
    return std::tie(scheme, host, port) < std::tie(other.scheme, other.host, other.port);
}

std::string origin::authority() const
{
    const bool ipv6 = host.find(':') != host.npos;
    const std::string name = ipv6 ? "[" + host + "]" : host;
    const std::uint16_t usual = scheme == "https" ? 443 : 80;
    return port == usual ? name : fmt::format("{}:{}", name, port);
}

namespace {

// The URL as it may be told to people, whatever is wrong with it.
std::string shown_url(std::string_view text)
{
    if (text.find("://") != text.npos)
        return masked_url(text);
    std::string out(text.substr(0, text.find_first_of("?#")));
    if (const auto at = out.rfind('@'); at != out.npos)
        out.replace(0, at, "***");
    return out;
}

}  // namespace

result<url> parse_url(std::string_view text)
{
    const std::string shown = shown_url(text);
    const auto parsed = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
    if (!parsed)
        return fail(errc::invalid, "\"{}\" is not an absolute URL such as https://host:port/path", shown);
    const boost::urls::url_view& view = *parsed;
    url out;
    out.origin.scheme = std::string(view.scheme());
    if (out.origin.scheme != "http" && out.origin.scheme != "https")
        return fail(errc::invalid, "\"{}\" is not an http or https URL", shown);
    if (view.has_userinfo() || view.has_fragment())
        return fail(errc::invalid, "\"{}\" must have neither user information nor a fragment", shown);
    out.origin.host = view.host_address();
    if (out.origin.host.empty())
        return fail(errc::invalid, "\"{}\" has no host", shown);
    out.origin.port = out.origin.scheme == "https" ? 443 : 80;
    if (view.has_port())
    {
        // Not port_number(): it wraps what is too large.
        const auto digits = view.port();
        out.origin.port = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), out.origin.port);
    }
    if (out.origin.port == 0)
        return fail(errc::invalid, "\"{}\" has no usable port", shown);
    const auto target = view.encoded_target();
    // Boost.URL 1.81 takes "127.0.0.1.example.com" for the address 127.0.0.1 with the rest as its path.
    if (!target.empty() && target.front() != '/' && target.front() != '?')
        return fail(
            errc::invalid, "\"{}\" is not an absolute http or https URL: its host cannot be read", shown
        );
    out.target = target.empty() ? "/" : std::string(target.data(), target.size());
    if (out.target.front() != '/')
        out.target.insert(0, "/");
    return out;
}

response make_response(status code, std::string body, std::string_view content_type)
{
    response out(code, 11);
    out.set(field::content_type, boost::beast::string_view(content_type.data(), content_type.size()));
    out.body() = std::move(body);
    out.prepare_payload();
    return out;
}

}  // namespace portitor::http
