#include "cli/sell/confirm.hpp"

#include <istream>
#include <ostream>

namespace portitor::cli::sell {

result<bool> confirm(const console& terminal, std::string_view question, bool yes)
{
    if (yes)
        return true;
    if (!terminal.in_is_terminal)
        return fail(errc::refused, "{} Nobody is there to be asked: say it with --yes", question);
    terminal.err << question << " [y/N] " << std::flush;
    std::string answer;
    std::getline(terminal.in, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace portitor::cli::sell
