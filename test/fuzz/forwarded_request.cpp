#include "roles/verifier/fronts/forwarded_request.hpp"

#include "fuzz.hpp"

using namespace portitor;

// Lines of "name: value" are the headers of the gateway's question.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text = fuzz::text_of(data, size);
    http::server_request message;
    message.set_start(http::verb::get, "GET", "/verify/a/b", 11);
    while (!text.empty())
    {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto colon = line.find(": ");
        if (colon != line.npos)
            message.add_header(line.substr(0, colon), line.substr(colon + 2));
    }
    verifier::forwarded_request asked;
    if (!verifier::read_forwarded_request(message, asked))
        return 0;
    fuzz::require(asked.scheme == "http" || asked.scheme == "https");
    fuzz::require(!asked.host.empty() && !asked.method.empty() && asked.method != "HEAD");
    fuzz::require(asked.host.find_first_of("/\\@?#<>\"' ") == asked.host.npos);
    return 0;
}
