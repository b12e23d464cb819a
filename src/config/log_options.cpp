#include <portitor/config/log_options.hpp>
#include <portitor/config/setters.hpp>

namespace portitor::config {

void log_options::declare(loader& into)
{
    into.add({"log-level", "debug, info, warn or error", "info", set_level(level)});
    into.add({"log-format", "json or text", "text", set_format(format)});
}

}  // namespace portitor::config
