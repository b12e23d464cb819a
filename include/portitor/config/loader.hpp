#pragma once

#include <portitor/core/error.hpp>

#include <yaml-cpp/node/node.h>

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::config {

/// One setting that can be given as `--name VALUE`, as the environment variable PORTITOR_NAME, or as the key
/// `name` of the configuration file; in that order of precedence, over `fallback`.
struct option
{
    std::string name;  ///< with dashes: "log-level"
    std::string help;
    std::string fallback;
    std::function<result<void>(const std::string& value)> apply;
    bool is_switch = false;  ///< `--name` alone means "true"
    char letter = 0;         ///< a short form, such as 'f' for -f
    std::string heading{};   ///< above it in the help
};

/// A part of the configuration file that is no scalar, such as the list of facilitators.
struct section
{
    std::string name;
    std::function<result<void>(const YAML::Node&)> apply;
};

/// What the command line asked for besides the options.
enum class outcome
{
    run,      ///< go on
    printed,  ///< --help or --version was printed: end with 0
};

class headed;

/// The one way in which roles and commands get their settings. Several of them may declare the same option or
/// section: each gets its value.
class loader
{
public:
    /// `summary` heads the help of `program`; `footer` ends it.
    loader(std::string program, std::string summary, std::string footer);

    /// Throws std::logic_error where two declare an option with different defaults.
    void add(option what);
    void add(section what);

    /// Adds options under a heading of the help.
    headed under(std::string heading);

    /// Where the words go that are no options; refused when not set.
    void positional(std::string name, std::string help, std::vector<std::string>& into);

    /// From now on: what is added can be given, but the help does not show it; words stay refused.
    void hide_rest() { hiding_ = true; }

    /// Applies all layers. The error is one line that names the flag, variable or file and line. Help and
    /// version are written to `out`.
    result<outcome> load(int argc, const char* const* argv, std::ostream& out);

    /// Gives every option its default, and reads nothing.
    void apply_fallbacks() const;

private:
    using setter = std::function<result<void>(const std::string&)>;
    using reader = std::function<result<void>(const YAML::Node&)>;

    struct known_option
    {
        option what;
        bool hidden = false;
        std::vector<setter> setters;  ///< one for each who declares it
    };

    struct known_section
    {
        std::string name;
        std::vector<reader> readers;
    };

    struct given
    {
        std::string text;
        std::string where;  ///< the flag, the variable, or the file, line and key
    };

    /// By option; nothing where it is not given.
    using values = std::vector<std::optional<given>>;

    known_option* find_option(std::string_view name);
    const known_section* find_section(std::string_view name) const;

    result<outcome> read_flags(int argc, const char* const* argv, std::ostream& out, values& into);
    void read_environment(values& into) const;
    result<void> read_file(const std::string& path, values& into);
    result<void>
    read_entry(const std::string& path, const YAML::Node& key, const YAML::Node& value, values& into);
    result<void> apply(const values& all) const;

    std::string program_;
    std::string summary_;
    std::string footer_;
    bool hiding_ = false;
    std::vector<known_option> options_;
    std::vector<known_section> sections_;
    std::string positional_name_;
    std::string positional_help_;
    std::vector<std::string>* positional_ = nullptr;
};

/// A heading of the help, and the loader whose options are to stand under it.
class headed
{
public:
    headed(loader& into, std::string heading) : into_(into), heading_(std::move(heading)) {}

    void add(option what) const;

private:
    loader& into_;
    std::string heading_;
};

/// The environment variable of an option: "log-level" is "PORTITOR_LOG_LEVEL".
std::string environment_name(std::string_view option);

}  // namespace portitor::config
