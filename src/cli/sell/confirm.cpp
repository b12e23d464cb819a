#include "cli/sell/confirm.hpp"

#include "cli/options/shared.hpp"
#include "cli/output/text.hpp"

#include <istream>
#include <ostream>

namespace portitor::cli::sell {

config::option yes_option(bool& into)
{
    config::option out = switch_option("yes", "asks nothing", into, 'y');
    out.is_typed_only = true;
    return out;
}

result<void> check_consent(const console& terminal, bool yes)
{
    if (yes || terminal.in_is_terminal)
        return {};
    return fail(errc::refused, "nobody is there to be asked whether that is meant: say so with --yes");
}

bool confirm(const console& terminal, std::string_view question, bool yes)
{
    if (yes)
        return true;
    terminal.err << printable(question) << " [y/N] " << std::flush;
    std::string answer;
    std::getline(terminal.in, answer);
    if (answer == "y" || answer == "Y" || answer == "yes")
        return true;
    terminal.err << "Nothing was changed\n";
    return false;
}

}  // namespace portitor::cli::sell
