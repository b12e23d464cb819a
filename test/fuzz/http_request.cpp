#include "fuzz.hpp"
#include "http/request_parser.hpp"

#include <boost/asio/buffer.hpp>

#include <string>

using namespace portitor;
using http::request_parser;
using http::server_request;

namespace {

// What the parser makes of bytes that come in pieces of one size, as text; how they are cut must not matter.
std::string reading(std::string_view bytes, std::size_t piece)
{
    server_request request;
    request_parser parser(request);
    parser.header_limit(4096);
    parser.body_limit(4096);
    std::string held;
    boost::system::error_code ec;
    while (!parser.is_done())
    {
        const std::size_t next = std::min(piece, bytes.size());
        if (next == 0)
            return "incomplete";
        held += bytes.substr(0, next);
        bytes.remove_prefix(next);
        held.erase(0, parser.put(boost::asio::buffer(held), ec));
        if (ec && ec != boost::beast::http::error::need_more)
            return "refused";
    }
    std::string out(request.method_string());
    out += ' ';
    out += request.target();
    for (const auto& each : request.headers())
        out.append(each.name).append(":").append(each.value).append("\n");
    out += request.body();
    return out + (request.keep_alive() ? "+" : "-");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto bytes = fuzz::text_of(data, size);
    const std::string whole = reading(bytes, bytes.size());
    // Where a limit is passed depends on what has been read when it is noticed.
    if (size < 4096)
        fuzz::require(whole == reading(bytes, 1) || whole == "refused" || reading(bytes, 1) == "refused");
    return 0;
}
