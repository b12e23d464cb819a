#pragma once

#include "../roles/role_world.hpp"
#include "cli/command_line.hpp"

#include <sstream>
#include <string>
#include <vector>

namespace portitor::cli::samples {

/// A command on the API server in memory, as its user would start it.
class command_world : public roles::samples::role_world
{
public:
    /// What became of a run.
    struct outcome
    {
        int code = -1;
        std::string out;
        std::string err;
    };

    /// Runs `portitor WORDS…` to its end. As main() does, it tells an error on the standard error.
    outcome run(const std::vector<std::string>& words, const std::string& input = {})
    {
        std::vector<const char*> argv{"portitor"};
        for (const std::string& each : words)
            argv.push_back(each.c_str());
        const int argc = static_cast<int>(argv.size());
        std::istringstream in(input);
        std::ostringstream out;
        std::ostringstream err;
        auto job = parse(all_commands(), argc, argv.data(), out);
        if (!job)
            return {job.error().exit_code, out.str(), job.error().why.message()};
        if (!*job)
            return {0, out.str(), err.str()};
        run_once([&](const roles::process& around) {
            return (*job)->make(around, {in, out, err, in_is_terminal, out_is_terminal});
        });
        const result<int> ended = take_end();
        if (!ended)
            err << ended.error().message() << '\n';
        return {ended ? *ended : 1, out.str(), err.str()};
    }

    bool in_is_terminal = false;
    bool out_is_terminal = false;
};

}  // namespace portitor::cli::samples
