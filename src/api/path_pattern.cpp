#include <portitor/api/path_pattern.hpp>

#include <algorithm>

namespace portitor::api {

namespace {

constexpr std::string_view any_segment = "*";

bool may_stand_in_pattern(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '.' || c == '~' || c == '-' || c == '*';
}

template <typename... Args>
error refuse(std::string_view pattern, fmt::format_string<Args...> why, Args&&... args)
{
    return fail(
        errc::invalid,
        "a path below the offer's such as /report or /files/*; \"{}\" {}",
        pattern,
        fmt::format(why, std::forward<Args>(args)...)
    );
}

// "/a//b///" as "/a/b/".
std::string with_single_slashes(std::string_view text)
{
    std::string out;
    for (const char c : text)
    {
        if (c != '/' || !out.ends_with('/'))
            out += c;
    }
    return out;
}

// "*" is a wildcard as a whole segment only: elsewhere people mean many things by it.
error refuse_asterisk(std::string_view text, std::string_view segment)
{
    const std::string_view before = text.substr(0, static_cast<std::size_t>(segment.data() - text.data()));
    const std::string_view name = segment.substr(0, segment.find('*'));
    if (segment.find_first_not_of('*') == segment.npos)
        return refuse(
            text,
            "has more than one * in a segment: write {0}* at the end for all below {0}, and one * for any "
            "one segment",
            before
        );
    if (!name.empty() && segment.find_first_not_of('*', name.size()) == segment.npos)
        return refuse(
            text,
            "has a * beside other letters, where it stands for nothing: write {0}{1}/* for all below "
            "{0}{1}, or each path by itself",
            before,
            name
        );
    return refuse(
        text,
        "has a * beside other letters, where it stands for nothing: write {}* for any one segment, or "
        "each path by itself",
        before
    );
}

}  // namespace

void append_segments(std::vector<std::string_view>& to, std::string_view path)
{
    std::size_t at = path.starts_with('/') ? 1 : 0;
    while (at < path.size())
    {
        const auto end = std::min(path.find('/', at), path.size());
        to.push_back(path.substr(at, end - at));
        at = end + 1;
    }
}

std::vector<std::string_view> segments_of(std::string_view path)
{
    std::vector<std::string_view> out;
    append_segments(out, path);
    return out;
}

result<path_pattern> path_pattern::parse(std::string_view text)
{
    if (!text.starts_with('/'))
        return refuse(text, "does not begin with a slash: write /{}", text);
    const auto odd = std::find_if_not(text.begin(), text.end(), may_stand_in_pattern);
    if (odd != text.end())
        return refuse(
            text,
            "holds {}: a pattern has letters, digits and / _ . ~ - * only, no escapes and no query",
            *odd > ' ' && *odd < 0x7f ? fmt::format("\"{}\"", *odd)
                                      : std::string("a space or another character")
        );
    if (text.find("//") != text.npos)
        return refuse(
            text, "holds an empty segment, and no path of a request does: write {}", with_single_slashes(text)
        );
    path_pattern out;
    out.text_ = text;
    for (const std::string_view each : segments_of(text))
    {
        if (each == "." || each == "..")
            return refuse(
                text,
                "holds a \"{}\" segment, and no path of a request does: write the path that is meant",
                each
            );
        if (each != any_segment && each.find('*') != each.npos)
            return refuse_asterisk(text, each);
        out.ends_.push_back(static_cast<std::uint32_t>(each.data() + each.size() - text.data()));
    }
    if (text.size() > 1 && text.ends_with('/'))
    {
        const std::string_view without = text.substr(0, text.size() - 1);
        return refuse(
            text,
            "ends with a slash, which makes no difference: write {} for the path with and without it{}",
            without,
            without.ends_with('*') ? std::string() : fmt::format(", or {}/* for all below", without)
        );
    }
    out.all_below_ = out.size() > 0 && out.segment(out.size() - 1) == any_segment;
    if (out.all_below_)
        out.ends_.pop_back();
    // Kept for as long as the offer is: there may be many.
    out.ends_.shrink_to_fit();
    return out;
}

std::string_view path_pattern::segment(std::size_t number) const
{
    const std::size_t begin = number == 0 ? 1 : ends_[number - 1] + 1;
    return std::string_view(text_).substr(begin, ends_[number] - begin);
}

bool path_pattern::covers(std::span<const std::string_view> path, gate access) const
{
    const std::size_t least = size() + (all_below_ && access == gate::free ? 1 : 0);
    if (path.size() < least || (path.size() > size() && !all_below_))
        return false;
    for (std::size_t i = 0; i < size(); ++i)
    {
        const std::string_view each = segment(i);
        if (each != any_segment && each != path[i])
            return false;
    }
    return true;
}

bool path_pattern::is_more_specific_than(const path_pattern& other) const
{
    const std::size_t shared = std::min(size(), other.size());
    for (std::size_t i = 0; i < shared; ++i)
    {
        const bool any = segment(i) == any_segment;
        const bool other_any = other.segment(i) == any_segment;
        if (any != other_any)
            return other_any;
    }
    if (size() != other.size())
        return size() > other.size();
    if (all_below_ != other.all_below_)
        return other.all_below_;
    // Those that are left cover no path in common: any order will do that is the same everywhere.
    return text_ < other.text_;
}

}  // namespace portitor::api
