#include "cli/output/complaint.hpp"

#include "cli/output/text.hpp"

#include <algorithm>
#include <ostream>
#include <string_view>
#include <utility>

namespace portitor::cli {

void complain(std::ostream& err, const error& failure)
{
    constexpr std::size_t longest_line = 8000;
    constexpr int most_lines = 500;
    std::string_view rest = failure.message();
    std::string_view before = "portitor: ";
    int lines = 0;
    do
    {
        if (++lines > most_lines)
        {
            err << "… and " << 1 + std::count(rest.begin(), rest.end(), '\n') << " lines more\n";
            return;
        }
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        err << std::exchange(before, "") << printable(line, longest_line) << '\n';
    } while (!rest.empty());
}

int refuse_usage(std::ostream& err, const error& failure)
{
    complain(err, failure);
    return 2;
}

}  // namespace portitor::cli
