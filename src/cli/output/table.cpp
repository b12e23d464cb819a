#include "cli/output/table.hpp"

#include <portitor/core/characters.hpp>

#include <algorithm>
#include <ostream>

namespace portitor::cli {

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
        widths.push_back(count_characters(headings_[i]));
        for (const std::vector<cell>& row : rows_)
            widths[i] = std::max(widths[i], count_characters(row.at(i).text));
    }
    const auto print_cell = [&](std::size_t i, std::string_view text, tone how) {
        out << colours.paint(how, text);
        if (i + 1 < widths.size())
            out << std::string(widths[i] - count_characters(text) + 3, ' ');
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
