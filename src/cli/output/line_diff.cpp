#include "cli/output/line_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace portitor::cli {

namespace {

using lines = std::vector<std::string_view>;

constexpr std::size_t around = 3;
constexpr std::size_t longest = 500;
// Cells of the table of common lines: memory and time that a hostile object may cost.
constexpr std::size_t most_cells = 4'000'000;

struct edit
{
    char mark;  ///< ' ', '-' or '+'
    std::string_view text;
};

lines split(std::string_view text)
{
    lines out;
    while (!text.empty())
    {
        const std::size_t end = std::min(text.find('\n'), text.size());
        out.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

// The longest common subsequence, by the lengths of those of all tails.
void compare(const lines& before, const lines& after, std::vector<edit>& out)
{
    const std::size_t width = after.size() + 1;
    std::vector<std::uint32_t> common;
    const bool fits = (before.size() + 1) <= most_cells / width;
    common.resize(fits ? (before.size() + 1) * width : 0);
    for (std::size_t i = fits ? before.size() : 0; i-- > 0;)
    {
        for (std::size_t j = after.size(); j-- > 0;)
            common[i * width + j] = before[i] == after[j]
                                        ? common[(i + 1) * width + j + 1] + 1
                                        : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
    std::size_t i = 0;
    std::size_t j = 0;
    const auto loses = [&] {
        return j == after.size() || !fits || common[(i + 1) * width + j] >= common[i * width + j + 1];
    };
    while (i < before.size() || j < after.size())
    {
        if (fits && i < before.size() && j < after.size() && before[i] == after[j])
        {
            out.push_back({' ', before[i++]});
            ++j;
        }
        else if (i < before.size() && loses())
            out.push_back({'-', before[i++]});
        else
            out.push_back({'+', after[j++]});
    }
}

std::vector<edit> edits_between(const lines& before, const lines& after)
{
    const auto [left, right] = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
    const auto [left_end, right_end] = std::mismatch(
        before.rbegin(), std::make_reverse_iterator(left), after.rbegin(), std::make_reverse_iterator(right)
    );
    std::vector<edit> out;
    for (auto at = before.begin(); at != left; ++at)
        out.push_back({' ', *at});
    compare(lines(left, left_end.base()), lines(right, right_end.base()), out);
    for (auto at = left_end.base(); at != before.end(); ++at)
        out.push_back({' ', *at});
    return out;
}

// By edit: whether it is shown.
std::vector<bool> shown(const std::vector<edit>& all)
{
    std::vector<bool> out(all.size());
    for (std::size_t i = 0; i < all.size(); ++i)
    {
        if (all[i].mark == ' ')
            continue;
        const std::size_t end = std::min(all.size(), i + around + 1);
        for (std::size_t near = i - std::min(i, around); near < end; ++near)
            out[near] = true;
    }
    return out;
}

}  // namespace

std::vector<std::string> line_diff(std::string_view before, std::string_view after)
{
    const std::vector<edit> all = edits_between(split(before), split(after));
    const std::vector<bool> show = shown(all);
    std::vector<std::string> out;
    std::size_t left = 1;
    std::size_t right = 1;
    for (std::size_t i = 0; i < all.size();)
    {
        if (!show[i])
        {
            ++left, ++right, ++i;
            continue;
        }
        const std::size_t header = out.size();
        const std::size_t first_left = left;
        const std::size_t first_right = right;
        out.emplace_back();
        for (; i < all.size() && show[i]; ++i)
        {
            out.push_back(fmt::format("{}{}", all[i].mark, all[i].text));
            left += all[i].mark != '+' ? 1 : 0;
            right += all[i].mark != '-' ? 1 : 0;
        }
        out[header] = fmt::format(
            "@@ -{},{} +{},{} @@", first_left, left - first_left, first_right, right - first_right
        );
    }
    if (out.size() > longest)
    {
        const std::size_t more = out.size() - longest + 1;
        out.resize(longest - 1);
        out.push_back(fmt::format("… and {} lines more", more));
    }
    return out;
}

}  // namespace portitor::cli
