#include <portitor/config/suggestion.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace portitor::config {

namespace {

// Longer words are no slips.
constexpr std::size_t longest_word = 64;

/// How many letters are added, left out, changed or swapped with their neighbour.
std::size_t distance(std::string_view left, std::string_view right)
{
    std::vector<std::size_t> before(right.size() + 1);
    std::vector<std::size_t> above(right.size() + 1);
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(above.begin(), above.end(), std::size_t{0});
    for (std::size_t i = 1; i <= left.size(); ++i)
    {
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j)
        {
            const std::size_t changed = above[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, changed});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, above);
        std::swap(above, row);
    }
    return above[right.size()];
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> known)
{
    if (word.empty() || word.size() > longest_word)
        return {};
    std::string best;
    std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string& each : known)
    {
        // A beginning is as good as a slip of one letter.
        const std::size_t off =
            word.size() > 1 && each.starts_with(word) ? std::size_t{1} : distance(word, each);
        if (off < least)
        {
            best = each;
            least = off;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known)
{
    const std::string meant = nearest(word, known);
    return meant.empty() ? "" : fmt::format("; did you mean {}?", meant);
}

}  // namespace portitor::config
