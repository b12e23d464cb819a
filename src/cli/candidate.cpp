#include "cli/candidate.hpp"

#include <portitor/config/setters.hpp>

namespace portitor::cli {

namespace {

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

/// What roles and commands have alike.
void declare_common(config::loader& into, job& made)
{
    made.log.declare(into);
    const std::vector<std::string> modes{"auto", "always", "never"};
    config::option colour{
        "color", "whether commands write in colour", "auto", config::set_one_of(made.colour, modes)};
    colour.values = modes;
    into.add(std::move(colour));
    made.kube.declare(into);
}

}  // namespace

candidate candidate_of(const roles::role_entry& entry)
{
    const std::shared_ptr<roles::role_setup> setup = entry.set_up();
    return {
        entry.name,
        entry.summary,
        true,
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
        entry.acts,
        [what](config::loader& into) { what->declare(into); },
        [what] { return what->resolve(); },
        [what](const roles::process& around, const console& terminal) {
            return std::make_unique<action_role>(what, around, terminal);
        }};
}

std::vector<candidate> named_by_role(std::span<const command> commands, const command* except)
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

void declare_program(config::loader& into, job& made, std::string& role, std::span<const candidate> all)
{
    config::option which{"role", "what this process does", "", config::set_text(role)};
    for (const candidate& each : all)
        which.values.emplace_back(each.name);
    into.add(std::move(which));
    into.add_shared([&](config::loader& shared) {
        shared.add(
            {"health-listen",
             "address of /healthz, /readyz and /metrics",
             ":8081",
             config::set_text(made.health_listen)}
        );
        declare_common(shared, made);
        for (const candidate& each : all)
            each.declare(shared);
    });
}

void declare_command(config::loader& into, job& made, const candidate& own)
{
    own.declare(into);
    into.add_shared([&](config::loader& shared) { declare_common(shared, made); });
}

}  // namespace portitor::cli
