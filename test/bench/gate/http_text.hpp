#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

/// As much of HTTP/1.1 as the benchmark's programs need of each other: no chunked bodies, no folded lines.
namespace bench {

/// Where the body begins; npos while the head is not whole.
inline std::size_t end_of_head(std::string_view message)
{
    const auto at = message.find("\r\n\r\n");
    return at == message.npos ? at : at + 4;
}

/// True when `text` is `lower`, in any case.
inline bool is_name(std::string_view text, std::string_view lower)
{
    if (text.size() != lower.size())
        return false;
    for (std::size_t i = 0; i < text.size(); ++i)
    {
        const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
        if (c != lower[i])
            return false;
    }
    return true;
}

/// Calls `take` with the name and the value of each header field of a whole head.
template <typename Taker>
void for_each_field(std::string_view head, Taker take)
{
    std::size_t at = head.find("\r\n") + 2;
    for (std::size_t end = 0; (end = head.find("\r\n", at)) != at && end != head.npos; at = end + 2)
    {
        const std::string_view line = head.substr(at, end - at);
        const auto colon = line.find(':');
        if (colon == line.npos)
            continue;
        std::string_view value = line.substr(colon + 1);
        while (value.starts_with(' '))
            value.remove_prefix(1);
        take(line.substr(0, colon), value);
    }
}

inline std::optional<std::size_t> to_number(std::string_view text)
{
    std::size_t out = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failure == std::errc() && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

/// Of a whole head; nothing where it has none.
inline std::optional<std::size_t> content_length(std::string_view head)
{
    std::optional<std::size_t> out;
    for_each_field(head, [&](std::string_view name, std::string_view value) {
        if (is_name(name, "content-length"))
            out = to_number(value);
    });
    return out;
}

}  // namespace bench
