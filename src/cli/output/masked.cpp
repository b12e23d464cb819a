#include "cli/output/masked.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace portitor::cli {

namespace json = boost::json;

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

}  // namespace

std::string masked_url(std::string_view text)
{
    const std::size_t scheme = text.find("://");
    if (scheme == text.npos || scheme == 0 || text.substr(0, scheme).find_first_of(" /?#@") != text.npos)
        return std::string(text);
    std::string out(text.substr(0, scheme + 3));
    text.remove_prefix(scheme + 3);
    const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
    std::string_view authority = text.substr(0, end);
    text.remove_prefix(end);
    if (const std::size_t at = authority.rfind('@'); at != authority.npos)
    {
        out.append(mask).append("@");
        authority.remove_prefix(at + 1);
    }
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

json::value masked(json::value value)
{
    if (json::object* object = value.if_object())
    {
        for (auto& [key, member] : *object)
            member = masked(std::move(member));
    }
    else if (json::array* list = value.if_array())
    {
        for (json::value& each : *list)
            each = masked(std::move(each));
    }
    else if (const json::string* text = value.if_string())
        return json::value(masked_url(*text));
    return value;
}

}  // namespace portitor::cli
