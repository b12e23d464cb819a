#include <portitor/config/log_options.hpp>
#include <portitor/config/setters.hpp>

namespace portitor::config {

void log_options::declare(loader& into)
{
    option how_much{"log-level", "how much is logged", "info", set_level(level)};
    how_much.values = {"debug", "info", "warn", "error"};
    into.add(std::move(how_much));
    option how{"log-format", "how it is logged", "text", set_format(format)};
    how.values = {"json", "text"};
    into.add(std::move(how));
}

}  // namespace portitor::config
