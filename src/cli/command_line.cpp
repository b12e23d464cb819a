#include "cli/command_line.hpp"

#include "roles/named.hpp"
#include "roles/registry.hpp"

#include <portitor/config/setters.hpp>

#include <ostream>

namespace portitor::cli {

namespace {

using roles::find_named;
using roles::list_named;

constexpr const char* footer = "Every option may also stand in the --config file or in the environment.";

/// A command whose words have all been read.
struct chosen
{
    const command* what;
    std::string program;  ///< "portitor" and its words
    int argc;             ///< of what follows; argv[0] is its last word
    const char* const* argv;
};

/// A role or a command that may be run, with options of its own.
struct candidate
{
    std::string_view name;
    std::string_view summary;
    bool serves_health;
    std::function<void(config::loader&)> declare;
    std::function<result<void>()> resolve;
    decltype(job::make) make;
};

/// A command in the place of a role.
class action_role final : public roles::role
{
public:
    action_role(std::shared_ptr<action> what, const roles::process& around, const console& terminal)
        : what_(std::move(what)), around_(around), terminal_(terminal)
    {}

    boost::asio::awaitable<result<int>> run() override { return what_->run(around_, terminal_); }

private:
    const std::shared_ptr<action> what_;
    const roles::process around_;
    const console terminal_;
};

candidate candidate_of(const roles::role_entry& entry)
{
    const std::shared_ptr<roles::role_setup> setup = entry.set_up();
    return {
        entry.name,
        entry.summary,
        true,
        [setup](config::loader& into) { setup->declare(into); },
        [setup] { return setup->resolve(); },
        [setup](const roles::process& around, const console&) { return setup->make(around); }};
}

candidate candidate_of(const command& entry)
{
    const std::shared_ptr<action> what = entry.make();
    return {
        entry.name,
        entry.summary,
        false,
        [what](config::loader& into) { what->declare(into); },
        [what] { return what->resolve(); },
        [what](const roles::process& around, const console& terminal) {
            return std::make_unique<action_role>(what, around, terminal);
        }};
}

/// All that --role may name, except a command that declares itself.
std::vector<candidate> named_by_role(std::span<const command> commands, const command* except = nullptr)
{
    std::vector<candidate> out;
    for (const roles::role_entry& each : roles::all_roles())
        out.push_back(candidate_of(each));
    for (const command& each : commands)
    {
        if (each.is_role && &each != except)
            out.push_back(candidate_of(each));
    }
    return out;
}

/// The job is to run that one.
result<std::optional<job>> assign(job made, const candidate& which)
{
    auto resolved = which.resolve();
    if (!resolved)
        return resolved.error();
    made.name = which.name;
    made.serves_health = which.serves_health;
    made.make = which.make;
    return std::optional(std::move(made));
}

void declare_role(config::loader& into, std::string& role, std::span<const candidate> all)
{
    std::string names;
    for (const candidate& each : all)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
    into.add({"role", "what this process does: one of " + names, "", config::set_text(role)});
}

void declare_health(config::loader& into, std::string& listen)
{
    into.add({"health-listen", "address of /healthz, /readyz and /metrics", ":8081", config::set_text(listen)}
    );
}

result<std::optional<job>>
parse_role(std::span<const command> commands, int argc, const char* const* argv, std::ostream& out)
{
    const std::vector<candidate> candidates = named_by_role(commands);
    const std::span<const candidate> all(candidates);
    config::loader loader(
        "portitor",
        "Sells HTTP services that run in Kubernetes for x402 payments.",
        "Roles:\n" + list_named(all) + "\nCommands, in place of a role:\n" + list_named(commands) + '\n' +
            footer
    );
    job made;
    std::string wanted;
    declare_role(loader, wanted, all);
    made.log.declare(loader);
    declare_health(loader, made.health_listen);
    made.kube.declare(loader);
    for (const candidate& each : all)
        each.declare(loader);
    const auto read = loader.load(argc, argv, out);
    if (!read)
        return read.error();
    if (*read == config::outcome::printed)
        return std::optional<job>();
    if (const candidate* found = find_named(all, wanted))
        return assign(std::move(made), *found);
    return fail(errc::invalid, "--role=\"{}\" is none of the roles; they are:\n{}", wanted, list_named(all));
}

/// The command that the first words name, down to its last subcommand; nothing where help was asked for.
result<std::optional<chosen>>
choose(const command& first, int argc, const char* const* argv, std::ostream& out)
{
    chosen at{&first, fmt::format("portitor {}", first.name), argc - 1, argv + 1};
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
            return fail(
                errc::invalid,
                "{}: \"{}\" is none of its subcommands; they are:\n{}",
                at.program,
                word,
                list_named(all)
            );
        at = {next, fmt::format("{} {}", at.program, next->name), at.argc - 1, at.argv + 1};
    }
    return std::optional(std::move(at));
}

result<std::optional<job>>
parse_command(std::span<const command> commands, const chosen& which, std::ostream& out)
{
    config::loader loader(which.program, fmt::format("{}: {}.", which.program, which.what->summary), footer);
    job made;
    const candidate own = candidate_of(*which.what);
    own.declare(loader);
    made.log.declare(loader);
    made.kube.declare(loader);
    // The configuration file and the environment are shared with the roles.
    loader.hide_rest();
    const std::vector<candidate> others = named_by_role(commands, which.what);
    std::string no_role;
    declare_role(loader, no_role, others);
    declare_health(loader, made.health_listen);
    for (const candidate& each : others)
        each.declare(loader);
    const auto read = loader.load(which.argc, which.argv, out);
    if (!read)
        return read.error();
    if (*read == config::outcome::printed)
        return std::optional<job>();
    return assign(std::move(made), own);
}

}  // namespace

result<std::optional<job>>
parse(std::span<const command> commands, int argc, const char* const* argv, std::ostream& out)
{
    const command* first = argc > 1 ? find_named(commands, argv[1]) : nullptr;
    if (!first)
        return parse_role(commands, argc, argv, out);
    const auto which = choose(*first, argc, argv, out);
    if (!which)
        return which.error();
    if (!*which)
        return std::optional<job>();
    return parse_command(commands, **which, out);
}

}  // namespace portitor::cli
