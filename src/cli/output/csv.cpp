#include "cli/output/csv.hpp"

#include "cli/output/text.hpp"

namespace portitor::cli {

namespace {

constexpr std::size_t longest_cell = 10'000;

std::string quoted(const std::string& cell)
{
    std::string text = printable(cell, longest_cell);
    if (!text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos)
        text.insert(0, 1, '\'');
    if (text.find_first_of(",\"") == std::string::npos)
        return text;
    std::string out = "\"";
    for (const char each : text)
        out.append(each == '"' ? 2 : 1, each);
    return out + '"';
}

}  // namespace

std::string csv_record(std::span<const std::string> cells)
{
    std::string out;
    for (const std::string& each : cells)
    {
        if (&each != &cells.front())
            out += ',';
        out += quoted(each);
    }
    return out + "\r\n";
}

}  // namespace portitor::cli
