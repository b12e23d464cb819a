#include "offer/place.hpp"

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>
#include <array>
#include <locale>

namespace portitor::offer {

namespace {

bool is_covered_by_wildcard(std::string_view host, std::string_view pattern)
{
    return pattern.starts_with("*.") && host.size() >= pattern.size() &&
           boost::iends_with(host, pattern.substr(1));
}

}  // namespace

std::string normal_path(std::string_view path)
{
    std::string out;
    for (const char c : path)
    {
        if (c != '/' || !out.ends_with('/'))
            out += c;
    }
    if (!out.starts_with('/'))
        out.insert(out.begin(), '/');
    if (out.size() > 1 && out.ends_with('/'))
        out.pop_back();
    boost::to_lower(out, std::locale::classic());
    return out;
}

place place_of(const kube::object& offer)
{
    std::string path = kube::string_at(offer.spec(), "path");
    if (path.empty())
        path = "/services/" + offer.meta.name;
    place out{kube::string_at(offer.spec(), "hostname"), normal_path(path)};
    boost::to_lower(out.host, std::locale::classic());
    return out;
}

bool is_at_or_below(std::string_view path, std::string_view above)
{
    return above == "/" || path == above || (path.starts_with(above) && path[above.size()] == '/');
}

bool hosts_overlap(std::string_view left, std::string_view right)
{
    return left.empty() || right.empty() || boost::iequals(left, right) ||
           is_covered_by_wildcard(left, right) || is_covered_by_wildcard(right, left);
}

bool is_reserved(const place& where)
{
    if (where.path == "/")
        return where.host.empty();
    if (where.path == "/services")
        return true;
    constexpr std::array<std::string_view, 5> subtrees{
        "/api", "/openapi.json", "/skill.md", "/rpc", "/.well-known"};
    return std::any_of(subtrees.begin(), subtrees.end(), [&](std::string_view each) {
        return is_at_or_below(where.path, each);
    });
}

}  // namespace portitor::offer
