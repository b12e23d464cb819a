#pragma once

#include <portitor/core/error.hpp>

#include <yaml-cpp/node/node.h>

#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
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
    /// Takes the value; of a list, one value with each call.
    std::function<result<void>(const std::string& value)> apply;
    bool is_switch = false;  ///< `--name` alone means "true"
    char letter = 0;         ///< a short form, such as 'f' for -f
    std::string heading{};   ///< above it in the help
    /// Other names on the command line; who gives two of them is refused.
    std::vector<std::string> aliases{};
    /// May be given several times: a list in the file, one value a line in the environment. list_option()
    /// makes one.
    bool is_list = false;
    /// Has to be given. Not for what a role declares: its options are known to all roles.
    bool is_required = false;
    /// Counts where it is typed, and neither in the environment nor in a file: a consent is for this time.
    bool is_typed_only = false;
    std::vector<std::string> values{};  ///< all that it may be, where that is a short list
    std::string placeholder{};          ///< of its value in the help: "FILE"
    /// Called before values are applied once more: a list is emptied.
    std::function<void()> reset{};
    /// One that many commands have: their help has it behind `--help=all` only. add_shared() sets it.
    bool is_shared = false;
};

/// A word of the command line that is no option, such as the NAME of `sell stop NAME`.
struct word
{
    std::string name;  ///< as the help shows it
    std::string help;
    std::function<result<void>(const std::string& value)> apply;  ///< called for each word
    bool is_required = true;
    bool is_variable = false;           ///< takes all the words that are left; the last one only
    std::function<void()> reset{};      ///< called before words are applied once more
    std::vector<std::string> values{};  ///< all that it may be, where that is a short list
};

/// A part of the configuration file that is no scalar, such as the list of facilitators.
struct section
{
    std::string name;
    std::function<result<void>(const YAML::Node&)> apply;
    /// Called before the settings are applied, each time: what was read is forgotten.
    std::function<void()> reset{};
};

/// Something to type, and what it is for: the end of a help text.
struct example
{
    std::string what;
    std::string command;
};

/// What heads and ends the help.
struct description
{
    std::string program;  ///< and its words: "portitor sell http"
    std::string summary;
    std::string footer{};
    std::vector<example> examples{};
    /// What stands behind "Usage: ", in place of what the words and options come to; words are not told then.
    std::string usage{};
};

/// What the command line asked for besides the options.
enum class outcome
{
    run,      ///< go on
    printed,  ///< --help or --version was printed: end with 0
};

enum class presence
{
    required,
    optional,
};

class headed;

/// An option as the loader knows it.
struct known_option
{
    option what;
    bool hidden = false;
    bool layered = false;                                                    ///< see loader::layered()
    std::vector<std::function<result<void>(const std::string&)>> setters{};  ///< one for each who declares it
    std::vector<std::function<void()>> resets{};
};

/// What was given for an option: one value, or those of a list.
struct given
{
    std::vector<std::string> texts;
    std::string where;  ///< the flag, the variable, or the file, line and key
};

/// By option; nothing where it is not given.
using given_values = std::vector<std::optional<given>>;

/// The one way in which roles and commands get their settings. Several of them may declare the same option or
/// section: each gets its value. What they declare refers to them: they live as long as this, if it reads
/// more.
class loader
{
public:
    explicit loader(description about);
    /// `summary` heads the help of `program`; `footer` ends it.
    loader(std::string program, std::string summary, std::string footer);

    /// Throws std::logic_error where two declare an option with different defaults. What is hidden gives way
    /// to what is not: a hidden owner of an option that is shown hears nothing of it.
    void add(option what);
    void add(section what);

    /// What `declare` adds, many have: a short help only says that there is such.
    void add_shared(const std::function<void(loader&)>& declare);

    /// What `declare` adds may also come from load_layer(): the settings of an installation, which hold for
    /// whoever works with it. Nothing else may.
    void layered(const std::function<void()>& declare);

    /// Adds options under a heading of the help.
    headed under(std::string heading);

    /// The words that are no options, in their order; refused when there is none for them.
    void positional(word what);
    void
    positional(std::string name, std::string help, std::string& into, presence needed = presence::required);
    /// All the words that are left.
    void positional(
        std::string name,
        std::string help,
        std::vector<std::string>& into,
        presence needed = presence::optional
    );

    /// From now on: what is added can be given, but the help does not show it; words stay refused.
    void hide_rest() { hiding_ = true; }

    /// Applies all layers. The error is one line that names the flag, variable or file and line. Help and
    /// version are written to `out`.
    result<outcome> load(int argc, const char* const* argv, std::ostream& out);

    /// One more layer, over the defaults and below all that load() found, from a text that is written like
    /// the configuration file; keys that are not layered() are passed over. All settings are applied again,
    /// and then `resolve` is called, which whoever resolves them gives. `where` is for errors, which name
    /// line and key: "the ConfigMap portitor/portitor-config". After an error all settings are as they were.
    result<void> load_layer(
        const std::string& yaml_text, const std::string& where, const std::function<result<void>()>& resolve
    );

    /// Whether load() read a configuration file.
    bool has_config_file() const { return has_config_file_; }

    /// Gives every option its default, and reads nothing.
    void apply_fallbacks();

    // What is declared, for help, completion and the manual page.
    const description& about() const { return about_; }
    std::span<const known_option> options() const { return options_; }
    std::span<const word> words() const { return words_; }

private:
    struct known_section
    {
        std::string name;
        bool layered = false;
        std::vector<section> readers{};
        std::optional<YAML::Node> node{};  ///< nothing where it was not given
        std::string document{};            ///< that it stands in
        std::string where{};               ///< the same, with line and name
    };

    /// Which keys a document may have.
    enum class keys
    {
        known,    ///< others are refused
        layered,  ///< others are passed over
    };

    known_section* find_section(std::string_view name);
    result<void> read_environment();
    result<void> read_file(const std::string& path);
    result<void> read_document(const YAML::Node& root, const std::string& where, keys allowed);
    result<void>
    read_entry(const YAML::Node& key, const YAML::Node& value, const std::string& document, keys allowed);
    result<void> demand_required() const;
    result<void> apply();
    result<void> apply_section(const known_section& what) const;
    result<void> apply_words(const std::vector<std::string>& all) const;

    description about_;
    bool hiding_ = false;
    bool sharing_ = false;
    bool layering_ = false;
    bool has_config_file_ = false;
    std::vector<known_option> options_;
    given_values values_;  ///< what load() and load_layer() found
    std::vector<known_section> sections_;
    std::vector<word> words_;
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

/// An option that may be given several times; `into` has all of its values, and outlives the loader.
option list_option(std::string name, std::string help, std::vector<std::string>& into);

/// The environment variable of an option: "log-level" is "PORTITOR_LOG_LEVEL".
std::string environment_name(std::string_view option);

}  // namespace portitor::config
