#include "cli/output/table.hpp"

#include <algorithm>
#include <ostream>

namespace portitor::cli {

namespace {

// Characters, not bytes: good enough for what stands in a table.
std::size_t width_of(std::string_view text)
{
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

}  // namespace

void table::add(std::vector<cell> row)
{
    for (cell& each : row)
        each.text = printable(each.text);
    rows_.push_back(std::move(row));
}

void table::print(std::ostream& out, const palette& colours, std::size_t indent) const
{
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < headings_.size(); ++i)
    {
        widths.push_back(width_of(headings_[i]));
        for (const std::vector<cell>& row : rows_)
            widths[i] = std::max(widths[i], width_of(row.at(i).text));
    }
    const auto print_cell = [&](std::size_t i, std::string_view text, tone how) {
        out << colours.paint(how, text);
        if (i + 1 < widths.size())
            out << std::string(widths[i] - width_of(text) + 3, ' ');
    };
    out << std::string(indent, ' ');
    for (std::size_t i = 0; i < headings_.size(); ++i)
        print_cell(i, headings_[i], tone::dim);
    out << '\n';
    for (const std::vector<cell>& row : rows_)
    {
        out << std::string(indent, ' ');
        for (std::size_t i = 0; i < row.size(); ++i)
            print_cell(i, row[i].text, row[i].how);
        out << '\n';
    }
}

}  // namespace portitor::cli
