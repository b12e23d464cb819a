#include "cli/reference/reference.hpp"

#include "cli/reference/manual.hpp"
#include "cli/reference/shells.hpp"

#include <portitor/config/setters.hpp>

#include <ostream>

namespace portitor::cli {

namespace {

namespace asio = boost::asio;

class completion final : public action
{
public:
    void declare(config::loader& into) override
    {
        const std::vector<std::string> shells{"bash", "zsh", "fish"};
        into.positional(
            {.name = "SHELL",
             .help = "bash, zsh or fish",
             .apply = config::set_one_of(shell_, shells),
             .values = shells}
        );
    }

    result<void> resolve() override { return {}; }

    asio::awaitable<result<int>> run(const roles::process&, const console& terminal) override
    {
        const std::vector<declared> all = all_declared(all_commands());
        terminal.out
            << (shell_ == "bash"  ? bash_completion(all)
                : shell_ == "zsh" ? zsh_completion(all)
                                  : fish_completion(all));
        co_return 0;
    }

private:
    std::string shell_;
};

class manual final : public action
{
public:
    void declare(config::loader&) override {}
    result<void> resolve() override { return {}; }

    asio::awaitable<result<int>> run(const roles::process&, const console& terminal) override
    {
        terminal.out << manual_page(all_declared(all_commands()));
        co_return 0;
    }
};

}  // namespace

std::unique_ptr<action> make_completion()
{
    return std::make_unique<completion>();
}

std::unique_ptr<action> make_man()
{
    return std::make_unique<manual>();
}

}  // namespace portitor::cli
