#include <portitor/http/masked_url.hpp>

#include <algorithm>

namespace portitor::http {

namespace {

constexpr std::string_view mask = "***";

// "a=1&b" as "a=***&***": what has no name may be a key as a whole.
std::string masked_query(std::string_view query)
{
    std::string out;
    for (;;)
    {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view part = query.substr(0, end);
        if (const std::size_t equals = part.find('='); equals != part.npos)
            out += part.substr(0, equals + 1);
        if (!part.empty())
            out += mask;
        if (end == query.size())
            return out;
        out += '&';
        query.remove_prefix(end + 1);
    }
}

bool is_of_scheme(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
}

std::size_t begin_of_url(std::string_view text, std::size_t colon, std::size_t from)
{
    while (colon > from && is_of_scheme(text[colon - 1]))
        --colon;
    return colon;
}

// At its closing quote, where it stands in quotes; else before a blank, or before the next URL.
std::size_t end_of_url(std::string_view text, std::size_t begin, std::size_t authority)
{
    const char quote =
        begin > 0 && (text[begin - 1] == '"' || text[begin - 1] == '\'') ? text[begin - 1] : '\0';
    std::size_t end = authority;
    while (end < text.size() && (quote != '\0' ? text[end] != quote || text[end - 1] == '\\'
                                               : static_cast<unsigned char>(text[end]) > ' '))
        ++end;
    const std::size_t next = text.substr(0, end).find("://", authority);
    return next == text.npos ? end : begin_of_url(text, next, authority);
}

// How long the user information is that a URL without its scheme begins with, with its @. A password may have
// been written with a / or a ? that should be escaped: what comes before it then is no host with a port.
std::size_t user_in(std::string_view text)
{
    const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
    const std::size_t at = text.substr(0, end).rfind('@');
    if (at != text.npos)
        return at + 1;
    const std::size_t port = text.substr(0, end).rfind(':');
    const bool is_host = port == text.npos ||
                         text.substr(0, end).find_first_not_of("0123456789", port + 1) == text.npos ||
                         text.substr(0, end).ends_with(']');
    return is_host ? 0 : text.rfind('@') + 1;
}

}  // namespace

std::string masked_url(std::string_view text)
{
    const std::size_t scheme = text.find("://");
    if (scheme == text.npos || scheme == 0 || text.substr(0, scheme).find_first_of(" /?#@") != text.npos)
        return std::string(text);
    std::string out(text.substr(0, scheme + 3));
    text.remove_prefix(scheme + 3);
    if (const std::size_t user = user_in(text); user > 0)
    {
        out.append(mask).append("@");
        text.remove_prefix(user);
    }
    const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
    const std::string_view authority = text.substr(0, end);
    text.remove_prefix(end);
    out += authority;
    std::string_view fragment;
    if (const std::size_t hash = text.find('#'); hash != text.npos)
    {
        fragment = text.substr(hash);
        text = text.substr(0, hash);
    }
    const std::size_t question = std::min(text.find('?'), text.size());
    out += text.substr(0, question);
    if (question < text.size())
        out.append("?").append(masked_query(text.substr(question + 1)));
    if (!fragment.empty())
        out.append("#").append(mask);
    return out;
}

std::string masked_urls(std::string_view text)
{
    std::string out;
    std::size_t told = 0;
    for (std::size_t colon = text.find("://"); colon != text.npos; colon = text.find("://", told))
    {
        const std::size_t begin = begin_of_url(text, colon, told);
        const std::size_t authority = colon + 3;
        std::size_t end = end_of_url(text, begin, authority);
        // What ends a sentence is no part of it.
        while (end > authority && std::string_view(",.;:)\"'").find(text[end - 1]) != text.npos)
            --end;
        out += text.substr(told, begin - told);
        out += masked_url(text.substr(begin, end - begin));
        told = end;
    }
    out += text.substr(told);
    return out;
}

}  // namespace portitor::http
