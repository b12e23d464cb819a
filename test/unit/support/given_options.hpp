#pragma once

#include "files.hpp"

#include <portitor/config/loader.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace portitor::test {

/// Reads options from flags and resolves them; what the program says of them, or "no error".
template <typename Options>
std::string complaint(Options& into, const std::vector<std::string>& flags)
{
    config::loader loader("portitor", "Tests settings.", "The end.");
    into.declare(loader);
    std::vector<const char*> argv{"portitor"};
    for (const std::string& each : flags)
        argv.push_back(each.c_str());
    std::ostringstream printed;
    const auto read = loader.load(static_cast<int>(argv.size()), argv.data(), printed);
    if (!read)
        return read.error().message();
    const auto resolved = into.resolve();
    return resolved ? "no error" : resolved.error().message();
}

/// The same, of a configuration file with this text.
template <typename Options>
std::string complaint_about(Options& into, const std::string& text)
{
    const temp_folder folder;
    return complaint(into, {"--config", folder.write("settings.yaml", text)});
}

template <typename Options>
std::string complaint_about(const std::string& text)
{
    Options read;
    return complaint_about(read, text);
}

inline bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

}  // namespace portitor::test
