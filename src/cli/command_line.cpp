#include "cli/command_line.hpp"

#include "cli/candidate.hpp"
#include "roles/named.hpp"

#include <portitor/config/suggestion.hpp>

#include <cstdlib>
#include <optional>
#include <ostream>

namespace portitor::cli {

namespace {

using roles::find_named;
using roles::list_named;

constexpr const char* footer =
    "Every option may also stand in the --config file, as its name, or in the environment: --log-level is\n"
    "PORTITOR_LOG_LEVEL. The command line goes before the environment, and that before the file.";

/// As the user calls it: kubectl finds its plug-ins by their file names.
std::string program_of(const char* const* argv)
{
    const std::string_view path = argv[0] ? argv[0] : "";
    return path.substr(path.rfind('/') + 1) == "kubectl-portitor" ? "kubectl portitor" : "portitor";
}

using job_pointer = std::unique_ptr<job>;

/// A command whose words have all been read.
struct chosen
{
    const command* what;
    std::string program;  ///< "portitor" and its words
    int argc;             ///< of what follows; argv[0] is its last word
    const char* const* argv;
};

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

result<job_pointer>
parse_role(std::span<const command> commands, int argc, const char* const* argv, std::ostream& out)
{
    const std::vector<candidate> candidates = named_by_role(commands);
    const std::span<const candidate> all(candidates);
    const auto read = std::make_shared<settings>(settings{config::loader(
        program_of(argv),
        "Sells HTTP services that run in Kubernetes for x402 payments.",
        "Roles:\n" + list_named(all) + "\nCommands, in place of a role:\n" + list_named(commands) + '\n' +
            footer
    )});
    read->all = candidates;
    config::loader& loader = read->loader;
    auto made = std::make_unique<job>();
    declare_program(loader, *made, read->role, all);
    const auto loaded = loader.load(argc, argv, out);
    if (!loaded)
        return loaded.error();
    if (*loaded == config::outcome::printed)
        return job_pointer();
    if (const candidate* found = find_named(all, read->role))
        return assign(std::move(made), read, *found);
    if (read->role.empty())
        return fail(
            errc::invalid,
            "nothing to do: name a role with --role, or a command (see portitor --help). Roles:\n{}\n"
            "Commands:\n{}",
            list_named(all),
            list_named(commands)
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

/// The command that the first words name, down to its last subcommand; nothing where help was asked for.
result<std::optional<chosen>>
choose(const command& first, int argc, const char* const* argv, std::ostream& out)
{
    chosen at{&first, fmt::format("{} {}", program_of(argv), first.name), argc - 1, argv + 1};
    while (!at.what->make)
    {
        const std::span<const command> all(at.what->subcommands);
        const std::string_view word = at.argc > 1 ? at.argv[1] : "";
        if (word == "--help" || word == "-h")
        {
            out << fmt::format("{}: {}.\n\nSubcommands:\n{}", at.program, at.what->summary, list_named(all));
            return std::optional<chosen>();
        }
        const command* next = find_named(all, word);
        if (!next)
            return no_such(at.program, "subcommands", word, all);
        at = {next, fmt::format("{} {}", at.program, next->name), at.argc - 1, at.argv + 1};
    }
    return std::optional(std::move(at));
}

/// The examples of a command, as this user types them.
std::vector<config::example> as_typed(const chosen& which)
{
    constexpr std::string_view own = "portitor ";
    std::vector<config::example> out = which.what->examples;
    for (config::example& each : out)
    {
        if (which.program.starts_with("kubectl ") && each.command.starts_with(own))
            each.command.insert(0, "kubectl ");
    }
    return out;
}

result<job_pointer> parse_command(std::span<const command> commands, const chosen& which, std::ostream& out)
{
    const auto read = std::make_shared<settings>(settings{config::loader(config::description{
        which.program, fmt::format("{}: {}.", which.program, which.what->summary), footer, as_typed(which)})}
    );
    config::loader& loader = read->loader;
    auto made = std::make_unique<job>();
    const candidate own = candidate_of(*which.what);
    declare_command(loader, *made, own);
    // The configuration file and the environment are shared with the roles.
    loader.hide_rest();
    read->all = named_by_role(commands, which.what);
    declare_program(loader, *made, read->role, read->all);
    const auto loaded = loader.load(which.argc, which.argv, out);
    if (!loaded)
        return loaded.error();
    if (*loaded == config::outcome::printed)
        return job_pointer();
    return assign(std::move(made), read, own);
}

/// The same line as `portitor help WORDS` means: `portitor WORDS --help`.
std::vector<const char*> as_help(int argc, const char* const* argv)
{
    std::vector<const char*> out{argv[0]};
    out.insert(out.end(), argv + 2, argv + argc);
    out.push_back("--help");
    return out;
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

result<job_pointer>
parse(std::span<const command> commands, int argc, const char* const* argv, std::ostream& out)
{
    const std::string_view word = argc > 1 ? argv[1] : "";
    if (word == "help")
    {
        const std::vector<const char*> meant = as_help(argc, argv);
        return parse(commands, static_cast<int>(meant.size()), meant.data(), out);
    }
    if (word.empty() || word.starts_with('-'))
        return parse_role(commands, argc, argv, out);
    const command* first = find_named(commands, word);
    if (!first)
        return no_such(program_of(argv), "commands", word, commands);
    const auto which = choose(*first, argc, argv, out);
    if (!which)
        return which.error();
    if (!*which)
        return job_pointer();
    return parse_command(commands, **which, out);
}

int refusal_exit_code(std::span<const command> commands, int argc, const char* const* argv)
{
    int code = 2;
    std::span<const command> known = commands;
    for (int i = 1; i < argc && !known.empty(); ++i)
    {
        std::string_view name = argv[i];
        if (name == "--role" && i + 1 < argc)
            name = argv[i + 1];
        else if (name.starts_with("--role="))
            name.remove_prefix(std::string_view("--role=").size());
        const command* found = find_named(known, name);
        if (!found)
            continue;
        code = found->usage_exit_code;
        known = found->subcommands;
    }
    return code;
}

}  // namespace portitor::cli
