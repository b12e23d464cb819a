#include "route/request_path.hpp"

#include <portitor/api/path_pattern.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace portitor::route {

namespace {

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool is_unreserved(unsigned char c)
{
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
}

constexpr std::array<bool, 256> make_plain()
{
    std::array<bool, 256> plain{};
    for (int c = 0; c < 256; ++c)
        plain[static_cast<std::size_t>(c)] =
            c > 0x20 && c < 0x7f && c != '\\' && c != '#' && c != '%' && c != ';';
    return plain;
}

constexpr auto is_plain = make_plain();

// How many characters stand for themselves, from the beginning.
std::size_t count_plain(std::string_view text)
{
    std::size_t count = 0;
    while (count < text.size() && is_plain[static_cast<unsigned char>(text[count])])
        ++count;
    return count;
}

// Takes bytes one by one and says whether they are UTF-8 (RFC 3629: neither overlong nor beyond its range).
class utf8_check
{
public:
    // False for a byte that cannot come here.
    bool take(unsigned char byte)
    {
        if (left_ == 0)
            return begin(byte);
        const bool fits = byte >= least_ && byte <= most_;
        least_ = 0x80;
        most_ = 0xbf;
        --left_;
        return fits;
    }
    bool is_complete() const { return left_ == 0; }

private:
    bool begin(unsigned char byte)
    {
        if (byte < 0x80)
            return true;
        if (byte < 0xc2 || byte > 0xf4)
            return false;
        left_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
        // Overlong forms, surrogates, and what lies beyond U+10FFFF begin with these.
        least_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
        most_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
        return true;
    }

    unsigned left_ = 0;
    unsigned char least_ = 0x80;
    unsigned char most_ = 0xbf;
};

// Whether the bytes that a path with whole escapes stands for are UTF-8.
bool is_utf8(std::string_view path)
{
    utf8_check check;
    for (std::size_t i = 0; i < path.size(); ++i)
    {
        auto byte = static_cast<unsigned char>(path[i]);
        if (byte == '%')
        {
            byte = static_cast<unsigned char>(hex_digit(path[i + 1]) * 16 + hex_digit(path[i + 2]));
            i += 2;
        }
        if (!check.take(byte))
            return false;
    }
    return check.is_complete();
}

// Where ";" or its escape begins; npos where neither is.
std::size_t find_parameters(std::string_view segment)
{
    return std::min({segment.find(';'), segment.find("%3B"), segment.find("%3b")});
}

}  // namespace

result<void> read_request_path(std::string_view forwarded_uri, request_path& out)
{
    const std::string_view raw = forwarded_uri.substr(0, forwarded_uri.find('?'));
    if (!raw.starts_with('/'))
        return fail(errc::invalid, "the path must begin with /");
    out.text.clear();
    out.segments.clear();
    out.has_parameters = false;
    bool is_ascii = true;
    for (std::size_t i = 0; i < raw.size(); ++i)
    {
        // Mostly there is nothing to look at.
        const std::size_t plain = count_plain(raw.substr(i));
        out.text += raw.substr(i, plain);
        i += plain;
        if (i == raw.size())
            break;
        const auto c = static_cast<unsigned char>(raw[i]);
        if (c <= 0x20 || c == 0x7f || c == '\\' || c == '#')
            return fail(errc::invalid, "the path holds a character that does not belong there");
        if (c != '%')
        {
            out.has_parameters = out.has_parameters || c == ';';
            is_ascii = is_ascii && c < 0x80;
            out.text += raw[i];
            continue;
        }
        const int high = i + 2 < raw.size() ? hex_digit(raw[i + 1]) : -1;
        const int low = i + 2 < raw.size() ? hex_digit(raw[i + 2]) : -1;
        if (high < 0 || low < 0)
            return fail(errc::invalid, "the path holds a broken escape");
        const auto decoded = static_cast<unsigned char>(high * 16 + low);
        if (decoded == '/' || decoded == '\\' || decoded == 0)
            return fail(errc::invalid, "the path holds an escaped slash, backslash or NUL: write it plainly");
        out.has_parameters = out.has_parameters || decoded == ';';
        is_ascii = is_ascii && decoded < 0x80;
        if (is_unreserved(decoded))
            out.text += static_cast<char>(decoded);
        else
            out.text += raw.substr(i, 3);
        i += 2;
    }
    // A lenient decoder takes "%C0%AE" for a dot, and "%C0%AF" for a slash.
    if (!is_ascii && !is_utf8(out.text))
        return fail(errc::invalid, "the path holds bytes that are not UTF-8");
    if (out.text.find("//") != out.text.npos)
        return fail(errc::invalid, "the path holds an empty segment");
    api::append_segments(out.segments, out.text);
    for (const std::string_view each : out.segments)
    {
        // "..;x" is ".." to servers that cut parameters off, and Traefik hands "..%3Bx" on as "..;x".
        const std::string_view name = out.has_parameters ? each.substr(0, find_parameters(each)) : each;
        if (name == "." || name == "..")
            return fail(errc::invalid, "the path holds a \".\" or \"..\" segment");
    }
    return {};
}

}  // namespace portitor::route
