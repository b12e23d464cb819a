#include "offer/shown_text.hpp"

#include <portitor/core/characters.hpp>

#include <algorithm>
#include <array>

namespace portitor::offer {

namespace {

// What addresses of agents' services and images begin with. Anything else may be code ("javascript:").
constexpr std::array<std::string_view, 12> schemes{
    "http", "https", "ws", "wss", "grpc", "grpcs", "ipfs", "ipns", "ar", "did", "mailto", "eip155"};
constexpr std::array<std::string_view, 5> pictures{"png", "jpeg", "gif", "webp", "svg+xml"};

std::string lower(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

template <std::size_t Count>
bool is_among(const std::array<std::string_view, Count>& known, std::string_view text)
{
    return std::find(known.begin(), known.end(), text) != known.end();
}

// As it is, or not at all: an address with a part left out is another one.
bool is_plain(std::string_view text)
{
    for (; !text.empty();)
    {
        const character next = first_character(text);
        const bool odd = next.point <= ' ' || next.point == '"' || next.point == '<' || next.point == '>' ||
                         next.point == '\\';
        if (!next.is_good || odd || is_hidden(next.point))
            return false;
        text.remove_prefix(next.bytes.size());
    }
    return true;
}

}  // namespace

std::string shown_text(std::string_view text)
{
    return shown_text(text, std::string::npos);
}

std::string shown_text(std::string_view text, std::size_t most)
{
    std::string out;
    while (!text.empty())
    {
        const character next = first_character(text);
        text.remove_prefix(next.bytes.size());
        // They separate words.
        const bool is_space = next.point == '\n' || next.point == '\r' || next.point == '\t';
        if (!is_space && (!next.is_good || is_hidden(next.point)))
            continue;
        const std::string_view shown = is_space ? std::string_view(" ") : next.bytes;
        if (shown.size() > most - out.size())
            break;
        out += shown;
    }
    return out;
}

std::string shown_address(std::string_view address)
{
    const auto colon = address.find(':');
    const bool known = colon == address.npos || is_among(schemes, lower(address.substr(0, colon)));
    return known && is_plain(address) ? std::string(address) : std::string();
}

std::string shown_image(std::string_view address)
{
    constexpr std::string_view start = "data:image/";
    if (!lower(address.substr(0, start.size())).starts_with(start))
        return shown_address(address);
    const std::string_view rest = address.substr(start.size());
    const bool known = is_among(pictures, lower(rest.substr(0, rest.find_first_of(";,"))));
    return known && is_plain(address) ? std::string(address) : std::string();
}

}  // namespace portitor::offer
