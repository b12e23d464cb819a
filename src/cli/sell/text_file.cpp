#include "cli/sell/text_file.hpp"

#include <fstream>
#include <istream>

namespace portitor::cli::sell {

namespace {

constexpr std::size_t longest = 1024 * 1024;

}  // namespace

result<std::string> read_text(const std::string& file, std::istream& standard_input)
{
    std::ifstream opened;
    if (file != "-")
        opened.open(file, std::ios::binary);
    std::istream& in = file == "-" ? standard_input : opened;
    // A directory opens, and fails when read; an empty file does neither.
    in.peek();
    if (in.bad() || (file != "-" && !opened.is_open()))
        return fail(errc::not_found, "{} cannot be read", file);
    std::string out(longest + 1, '\0');
    in.read(out.data(), static_cast<std::streamsize>(out.size()));
    out.resize(static_cast<std::size_t>(in.gcount()));
    if (out.size() > longest)
        return fail(errc::invalid, "{} is larger than 1 MiB", file);
    return out;
}

}  // namespace portitor::cli::sell
