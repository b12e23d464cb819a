#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace portitor::kube {

/// Cuts JSON text into pieces that open at most so many levels, and passes over what lies deeper: for a
/// parser that calls itself for each level. Knows nothing of the text but where the parser stands.
class shallow_feed
{
public:
    explicit shallow_feed(std::size_t deepest) : deepest_(deepest) {}

    /// The next part of `text` for a parser that stands at `depth`; empty where its beginning was passed
    /// over. What was taken is gone from `text`. Where depth is one more than `deepest`, the parser has just
    /// read what opens a level, and is next given what closes it.
    std::string_view next(std::string_view& text, std::size_t depth)
    {
        if (depth > deepest_ && !at_end_)
        {
            pass_over(text);
            return {};
        }
        // What closes the level that was passed over comes by itself.
        const std::string_view out = text.substr(0, at_end_ ? 1 : shallow_size(text, depth));
        at_end_ = false;
        text.remove_prefix(out.size());
        return out;
    }

private:
    static constexpr std::size_t smallest = 64;
    static constexpr std::size_t largest = 64 * 1024;

    static bool opens(char c) { return (c | 0x20) == '{'; }   // '[' too
    static bool closes(char c) { return (c | 0x20) == '}'; }  // ']' too

    /// In blocks whose count fits into a byte: so many at once are compared and added.
    static std::size_t count_opening(std::string_view text)
    {
        constexpr std::size_t block = 128;
        std::size_t out = 0;
        for (; !text.empty(); text.remove_prefix(std::min(block, text.size())))
        {
            std::uint8_t some = 0;
            for (const char c : text.substr(0, block))
                some = static_cast<std::uint8_t>(some + (opens(c) ? 1 : 0));
            out += some;
        }
        return out;
    }

    /// How much cannot lead below the limit: as many levels at most as there are characters that may open
    /// one. Where that is too careful, up to the next of those.
    std::size_t shallow_size(std::string_view text, std::size_t depth)
    {
        for (;;)
        {
            const std::string_view part = text.substr(0, size_);
            if (depth + count_opening(part) <= deepest_)
            {
                size_ = std::min(2 * size_, largest);
                return part.size();
            }
            if (size_ <= smallest)
            {
                const auto at = std::find_if(part.begin(), part.end(), opens);
                return static_cast<std::size_t>(at - part.begin()) + 1;
            }
            size_ /= 2;
        }
    }

    void pass_over(std::string_view& text)
    {
        std::size_t at = 0;
        for (; at < text.size() && !at_end_; ++at)
        {
            const char c = text[at];
            if (in_text_)
            {
                in_text_ = escaped_ || c != '"';
                escaped_ = !escaped_ && c == '\\';
            }
            else if (c == '"')
                in_text_ = true;
            else if (opens(c))
                ++open_;
            else if (closes(c) && open_ > 0)
                --open_;
            else if (closes(c))
            {
                at_end_ = true;
                break;
            }
        }
        text.remove_prefix(at);
    }

    std::size_t deepest_;
    std::size_t size_ = largest;  ///< of the next part; less where levels are many
    std::size_t open_ = 0;        ///< levels within what is passed over
    bool in_text_ = false;
    bool escaped_ = false;
    bool at_end_ = false;  ///< what comes next closes the level that was passed over
};

}  // namespace portitor::kube
