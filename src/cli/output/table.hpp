#pragma once

#include "cli/output/text.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace portitor::cli {

/// Columns side by side, as kubectl prints them. Texts of cells are made printable here.
class table
{
public:
    struct cell
    {
        std::string text;
        tone how = tone::plain;

        cell(std::string what, tone meaning = tone::plain) : text(std::move(what)), how(meaning) {}
        cell(const char* what) : text(what) {}
    };

    explicit table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

    /// @pre as many cells as headings
    void add(std::vector<cell> row);
    bool empty() const { return rows_.empty(); }

    /// Writes the headings and the rows, each line behind `indent` spaces; the last column is not filled up.
    void print(std::ostream& out, const palette& colours, std::size_t indent = 0) const;

private:
    std::vector<std::string> headings_;
    std::vector<std::vector<cell>> rows_;
};

}  // namespace portitor::cli
