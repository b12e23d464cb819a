#include "api/pattern_list.hpp"

namespace portitor::api {

path_pattern pattern_list::read(const fields& in, std::string_view key)
{
    constexpr std::size_t longest = 512;
    const std::string text = in.required_text(key, longest);
    const auto pattern = path_pattern::parse(text);
    if (!pattern)
        in.refuse(key, pattern.error().message());
    else if (!seen_.insert(pattern->text()).second)
        in.refuse(key, fmt::format("in the list once: \"{}\" is there twice", text));
    return pattern ? *pattern : path_pattern();
}

}  // namespace portitor::api
