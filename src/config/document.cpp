#include "config/document.hpp"

#include <algorithm>
#include <string_view>

namespace portitor::config {

namespace {

template <typename Load>
result<document> parse(const std::string& where, Load load)
{
    try
    {
        return document{load()};
    }
    catch (const YAML::BadFile&)
    {
        return fail(errc::not_found, "{} cannot be read", where);
    }
    catch (const std::ios_base::failure&)
    {
        return fail(errc::not_found, "{} cannot be read", where);
    }
    catch (const YAML::Exception& wrong)
    {
        // A host such as *.example.com is what people write.
        const bool is_alias = wrong.msg.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR);
        return fail(
            errc::invalid,
            "{}:{}: {}{}",
            where,
            wrong.mark.line + 1,
            wrong.msg,
            is_alias ? "; a text that begins with * stands in quotes: '*.example.com'" : ""
        );
    }
}

std::vector<std::string> lines_of(std::string_view text)
{
    constexpr std::string_view blank = " \t\r";
    std::vector<std::string> out;
    while (!text.empty())
    {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const auto first = line.find_first_not_of(blank);
        if (first != line.npos)
            out.emplace_back(line.substr(first, line.find_last_not_of(blank) - first + 1));
    }
    return out;
}

}  // namespace

result<document> parse_file(const std::string& path, const std::string& where)
{
    return parse(where, [&] { return YAML::LoadFile(path); });
}

result<document> parse_text(const std::string& text, const std::string& where)
{
    return parse(where, [&] { return YAML::Load(text); });
}

std::string at_line(const std::string& where, const YAML::Node& node)
{
    return fmt::format("{}:{}", where, node.Mark().line + 1);
}

result<std::vector<std::string>> list_values(const YAML::Node& value, const std::string& where)
{
    if (value.IsNull())
        return std::vector<std::string>();
    if (value.IsScalar())
        return lines_of(value.Scalar());
    if (!value.IsSequence())
        return fail(errc::invalid, "{} takes a list", where);
    std::vector<std::string> out;
    for (const auto& each : value)
    {
        if (!each.IsScalar())
            return fail(errc::invalid, "{} takes a list of texts", where);
        out.push_back(each.Scalar());
    }
    return out;
}

result<std::vector<std::string>> list_values(const std::string& text, const std::string& where)
{
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == text.npos || (text[first] != '[' && text.compare(first, 2, "- ") != 0))
        return lines_of(text);
    const auto parsed = parse_text(text, where);
    if (!parsed)
        return parsed.error();
    return list_values(parsed->root, where);
}

}  // namespace portitor::config
