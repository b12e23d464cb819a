#include "route/request_path.hpp"

#include "fuzz.hpp"

#include <portitor/api/path_pattern.hpp>

using namespace portitor;

namespace {

std::string percent_decoded(std::string_view text)
{
    const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i)
    {
        if (text[i] != '%')
        {
            out += text[i];
            continue;
        }
        fuzz::require(i + 2 < text.size());
        out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
        i += 2;
    }
    return out;
}

}  // namespace

// A path that is accepted reads the same to a server that decodes it first and splits it then.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    route::request_path path;
    if (!route::read_request_path(fuzz::text_of(data, size), path))
        return 0;
    const std::string decoded = percent_decoded(path.text);
    const auto segments = api::segments_of(decoded);
    fuzz::require(decoded.starts_with('/') && decoded.find("//") == decoded.npos);
    fuzz::require(segments.size() == path.segments.size());
    for (std::size_t i = 0; i < segments.size(); ++i)
    {
        fuzz::require(segments[i] == percent_decoded(path.segments[i]));
        const std::string_view name = segments[i].substr(0, segments[i].find(';'));
        fuzz::require(
            name != "." && name != ".." && name.find('\\') == name.npos && name.find('\0') == name.npos
        );
    }
    return 0;
}
