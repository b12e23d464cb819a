#pragma once

#include <portitor/core/error.hpp>

#include <yaml-cpp/node/node.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace portitor {

/// One setting that can be given as `--name VALUE`, as the environment variable PORTITOR_NAME, or as the key
/// `name` of the configuration file; in that order of precedence, over `fallback`.
struct config_option
{
    std::string name;  ///< with dashes: "log-level"
    std::string help;
    std::string fallback;
    std::function<result<void>(const std::string& value)> apply;
    bool is_switch = false;  ///< `--name` alone means "true"
    char letter = 0;         ///< a short form, such as 'f' for -f
};

/// A part of the configuration file that is no scalar, such as the list of facilitators.
struct config_section
{
    std::string name;
    std::function<result<void>(const YAML::Node&)> apply;
};

/// What the command line asked for besides the options.
enum class config_outcome
{
    run,      ///< go on
    printed,  ///< --help or --version was printed: end with 0
};

/// The one way in which every role gets its settings.
class config_loader
{
public:
    /// `summary` heads the help of `program`; `footer` ends it.
    config_loader(std::string program, std::string summary, std::string footer);

    void add(config_option option) { options_.push_back(std::move(option)); }
    void add(config_section section) { sections_.push_back(std::move(section)); }

    /// Leaves all other options out of the help; they can be given all the same.
    void show_only(std::span<const std::string_view> options);

    /// Where the words go that are no options; refused when not set.
    void positional(std::string name, std::string help, std::vector<std::string>& into);

    /// Applies all layers. The error is one line that names the flag, variable or file and line.
    result<config_outcome> load(int argc, const char* const* argv);

private:
    struct given
    {
        std::string text;
        std::string where;  ///< the flag, the variable, or the file, line and key
    };

    result<void> apply_file(const std::string& path, std::vector<std::optional<given>>& values) const;

    std::string program_;
    std::string summary_;
    std::string footer_;
    std::vector<std::string_view> shown_;  ///< empty: all
    std::vector<config_option> options_;
    std::vector<config_section> sections_;
    std::string positional_name_;
    std::string positional_help_;
    std::vector<std::string>* positional_ = nullptr;
};

/// The environment variable of an option: "log-level" is "PORTITOR_LOG_LEVEL".
std::string environment_name(std::string_view option);

/// Helpers for `apply`: each returns a setter that checks the text.
std::function<result<void>(const std::string&)> set_text(std::string& into);
std::function<result<void>(const std::string&)> set_bool(bool& into);

}  // namespace portitor
