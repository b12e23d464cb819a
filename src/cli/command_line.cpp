#include "cli/command_line.hpp"

#include "cli/candidate.hpp"
#include "cli/named_line.hpp"
#include "roles/named.hpp"

#include <portitor/config/suggestion.hpp>

#include <cstdlib>
#include <ostream>

namespace portitor::cli {

namespace {

using roles::find_named;
using roles::list_named;

constexpr const char* footer =
    "Every option may also stand in the --config file, as its name, or in the environment: --log-level is\n"
    "PORTITOR_LOG_LEVEL. The command line goes before the environment, and that before the file.";

/// As the user calls it: kubectl finds its plug-ins by their file names.
std::string program_of(const named_line& line)
{
    const std::string_view path = line.rest.front() ? line.rest.front() : "";
    return path.substr(path.rfind('/') + 1) == "kubectl-portitor" ? "kubectl portitor" : "portitor";
}

/// The same and the words of the command.
std::string program_with_words(const named_line& line)
{
    std::string out = program_of(line);
    for (const command* each : line.path)
        out.append(" ").append(each->name);
    return out;
}

result<config::outcome> load(config::loader& loader, const named_line& line, std::ostream& out)
{
    return loader.load(static_cast<int>(line.rest.size()), line.rest.data(), out);
}

using job_pointer = std::unique_ptr<job>;

/// What the settings of a job are read with, and what they are read into. It lives as long as the job.
struct settings
{
    config::loader loader;
    std::vector<candidate> all{};
    std::string role{};
};

/// The job is to run that one.
result<job_pointer> assign(job_pointer made, const std::shared_ptr<settings>& read, const candidate& which)
{
    auto resolved = which.resolve();
    if (!resolved)
        return resolved.error();
    made->name = which.name;
    made->serves_health = which.serves_health;
    made->acts = which.acts;
    made->kube.is_of_a_person = !which.serves_health;
    made->make = [read, which, &kube = made->kube, colour = made->colour](
                     const roles::process& around, console terminal
                 ) {
        terminal.colour = wants_colour(colour, terminal.out_is_terminal);
        terminal.default_namespace = kube.is_of_a_person ? kube.default_namespace() : "default";
        terminal.has_config_file = read->loader.has_config_file();
        terminal.read_settings = [read, which](const std::string& yaml, const std::string& where) {
            return read->loader.load_layer(yaml, where, which.resolve);
        };
        return which.make(around, terminal);
    };
    return made;
}

/// What heads the help of the program: how it is called, what with, and what as.
std::string usage_of_program(
    const std::string& program, std::span<const command> commands, std::span<const candidate> all
)
{
    std::vector<candidate> roles(all.begin(), all.end());
    for (candidate& each : roles)
    {
        if (find_named(commands, each.name))
            each.summary = "the same as the command";
    }
    return fmt::format(
        "{0} COMMAND [options]\n       {0} --role=ROLE [options]\n\n"
        "Commands:\n{1}\nRoles:\n{2}\n{0} COMMAND --help says more of one.",
        program,
        list_named(commands),
        list_named(std::span<const candidate>(roles))
    );
}

/// `read` is where the settings go, and says which role was meant.
result<job_pointer> parse_role(
    std::span<const command> commands,
    const named_line& line,
    const std::shared_ptr<settings>& read,
    std::ostream& out
)
{
    const std::vector<candidate> candidates = named_by_role(commands);
    const std::span<const candidate> all(candidates);
    const std::string program = program_of(line);
    read->loader = config::loader(config::description{
        .program = program,
        .summary = "Sells HTTP services that run in Kubernetes for x402 payments.",
        .footer = footer,
        .usage = usage_of_program(program, commands, all)});
    read->all = candidates;
    config::loader& loader = read->loader;
    auto made = std::make_unique<job>();
    declare_program(loader, *made, read->role, all);
    const auto loaded = load(loader, line, out);
    if (!loaded)
        return loaded.error();
    if (*loaded == config::outcome::printed)
        return job_pointer();
    if (const candidate* found = find_named(all, read->role))
        return assign(std::move(made), read, *found);
    if (read->role.empty())
        return fail(
            errc::invalid,
            "nothing to do: name a command, or a role with --role (see {} --help). Commands:\n{}\n"
            "Roles:\n{}",
            program,
            list_named(commands),
            list_named(all)
        );
    return fail(
        errc::invalid, "--role=\"{}\" is none of the roles; they are:\n{}", read->role, list_named(all)
    );
}

/// The error for a word that is none of these.
error no_such(
    const std::string& program, const char* kind, std::string_view word, std::span<const command> all
)
{
    if (word.empty())
        return fail(errc::invalid, "{} needs one of these {}:\n{}", program, kind, list_named(all));
    std::vector<std::string> names;
    for (const command& each : all)
        names.emplace_back(each.name);
    return fail(
        errc::invalid,
        "\"{}\" is none of the {} of {}{}; they are:\n{}",
        word,
        kind,
        program,
        config::did_you_mean(word, names),
        list_named(all)
    );
}

/// The examples of a command, as this user types them.
std::vector<config::example> as_typed(const command& what, const std::string& program)
{
    constexpr std::string_view own = "portitor ";
    std::vector<config::example> out = what.examples;
    for (config::example& each : out)
    {
        if (program.starts_with("kubectl ") && each.command.starts_with(own))
            each.command.insert(0, "kubectl ");
    }
    return out;
}

result<job_pointer>
parse_command(std::span<const command> commands, const named_line& line, std::ostream& out)
{
    const command& what = *line.path.back();
    const std::string program = program_with_words(line);
    const auto read = std::make_shared<settings>(settings{config::loader(config::description{
        program, fmt::format("{}: {}.", program, what.summary), footer, as_typed(what, program)})});
    config::loader& loader = read->loader;
    auto made = std::make_unique<job>();
    const candidate own = candidate_of(what);
    declare_command(loader, *made, own);
    // The configuration file and the environment are shared with the roles.
    loader.hide_rest();
    read->all = named_by_role(commands, &what);
    declare_program(loader, *made, read->role, read->all);
    const auto loaded = load(loader, line, out);
    if (!loaded)
        return loaded.error();
    if (*loaded == config::outcome::printed)
        return job_pointer();
    return assign(std::move(made), read, own);
}

/// A command of which only the first words are there: help, or an error.
result<job_pointer> parse_first_words(const named_line& line, std::ostream& out)
{
    const command& at = *line.path.back();
    const std::string program = program_with_words(line);
    // What follows a flag that nobody knows may be its value.
    if (!line.unknown_flag.empty())
        return fail(errc::invalid, "{}: there is no such flag (see {} --help)", line.unknown_flag, program);
    if (const auto* replaced = find_named(std::span<const replaced_word>(at.replaced), line.stranger))
        return fail(errc::invalid, "there is no {} {}: {}", program, line.stranger, replaced->instead);
    if (!line.wants_help || !line.stranger.empty())
        return no_such(program, "subcommands", line.stranger, at.subcommands);
    out << fmt::format(
        "{0}: {1}.\n\nUsage: {0} SUBCOMMAND [options]\n\nSubcommands:\n{2}\n"
        "{0} SUBCOMMAND --help says more of one.\n",
        program,
        at.summary,
        list_named(std::span<const command>(at.subcommands))
    );
    return job_pointer();
}

/// The exit code where a role's options are refused; a command may be started as a role, too.
int refusal_code(std::span<const command> commands, const std::string& role)
{
    const char* variable = std::getenv("PORTITOR_ROLE");
    const command* found = find_named(commands, role.empty() && variable ? variable : role);
    return found && found->is_role ? found->usage_exit_code : refusal{}.exit_code;
}

}  // namespace

bool wants_colour(std::string_view mode, bool is_terminal)
{
    if (mode != "auto")
        return mode == "always";
    const char* refused = std::getenv("NO_COLOR");
    const char* kind = std::getenv("TERM");
    return is_terminal && !(refused && *refused) && !(kind && std::string_view(kind) == "dumb");
}

parsed parse(std::span<const command> commands, int argc, const char* const* argv, std::ostream& out)
{
    const named_line line = read_words(commands, argc, argv);
    const auto given = [](result<job_pointer> made, int refused) -> parsed {
        if (!made)
            return refusal{made.error(), refused};
        return std::move(*made);
    };
    if (line.role.empty() && !line.path.empty())
        return given(
            line.is_complete() ? parse_command(commands, line, out) : parse_first_words(line, out),
            line.path.back()->usage_exit_code
        );
    // A flag that nobody knows may have had a value: it is what is wrong.
    if (line.role.empty() && !line.stranger.empty() && line.unknown_flag.empty())
        return refusal{no_such(program_of(line), "commands", line.stranger, commands)};
    const auto read = std::make_shared<settings>(settings{config::loader(config::description{})});
    read->role = line.role;
    auto made = parse_role(commands, line, read, out);
    return given(std::move(made), refusal_code(commands, read->role));
}

}  // namespace portitor::cli
