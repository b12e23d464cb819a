#pragma once

#include "roles/process.hpp"

#include <portitor/config/loader.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::cli {

/// Where a command reads and writes, and what it may ask of whoever started it.
struct console
{
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool in_is_terminal = false;
    bool out_is_terminal = false;
    bool colour = false;           ///< whether `out` takes colours, as --color, NO_COLOR and TERM say
    bool has_config_file = false;  ///< whether the settings come from a file that the user named
    std::string default_namespace = "default";  ///< where somebody works who names none: the context's
    /// Reads settings of the installation that lie below the command line, the environment and the file, such
    /// as those of a ConfigMap, and resolves the action again: see config::loader::load_layer(). Call it
    /// once, before anything that depends on settings.
    std::function<result<void>(const std::string& yaml, const std::string& where)> read_settings =
        [](const std::string&, const std::string&) { return result<void>(); };
};

/// One use of a command: it declares what it reads, resolves it, and runs.
class action
{
public:
    virtual ~action() = default;

    virtual void declare(config::loader& into) = 0;

    /// Checks what only fits together; may be called again after more settings were read, which all are then
    /// as they were given. An error is one of usage.
    virtual result<void> resolve() = 0;

    /// A value is the exit code; an error is one line for the user, and exit code 1.
    virtual boost::asio::awaitable<result<int>>
    run(const roles::process& around, const console& terminal) = 0;
};

/// The action of a command whose options are a struct of their own, and each run of it an object:
/// `Run(around, terminal, options)`, and its coroutine run().
template <typename Run, typename Options>
class run_action final : public action
{
public:
    explicit run_action(Options options = {}) : options_(std::move(options)) {}

    void declare(config::loader& into) override { options_.declare(into); }
    result<void> resolve() override { return options_.resolve(); }

    boost::asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        Run work(around, terminal, options_);
        co_return co_await work.run();
    }

private:
    Options options_;
};

/// A word that is no subcommand, and that people type all the same because it was one elsewhere.
struct replaced_word
{
    std::string name;
    std::string_view instead;  ///< what to type in its place, or why there is nothing
};

/// Something that a person does once: words that come first on the command line, in place of --role.
struct command
{
    std::string_view name;
    std::string_view summary;
    std::unique_ptr<action> (*make)() = nullptr;  ///< nullptr: one of the subcommands has to be named
    std::vector<command> subcommands{};
    /// `--role=NAME` starts it too; its options are known to every role, and to the configuration file.
    bool is_role = false;
    std::vector<config::example> examples{};  ///< at the end of its help
    /// Where the command line or the settings are refused; another one where 2 has a meaning of its own.
    int usage_exit_code = 2;
    /// It changes something, or pays: it goes on to its end when nobody reads its output any more.
    bool acts = false;
    std::vector<replaced_word> replaced{};
};

/// Every command of this binary. A new one is one entry in command.cpp.
const std::vector<command>& all_commands();

}  // namespace portitor::cli
