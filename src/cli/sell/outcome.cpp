#include "cli/sell/outcome.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/status_view.hpp"

#include <ostream>

namespace portitor::cli::sell {

boost::asio::awaitable<void> show_outcome(
    const common_options& how,
    const console& terminal,
    roles::process around,
    kube::api& server,
    std::string_view done,
    kube::object_ptr offer
)
{
    if (how.is_data())
    {
        boost::json::object out{{"result", done}};
        for (auto& [name, value] : status_data({offer, nullptr, nullptr}, how.settings_source()))
            out[name] = std::move(value);
        print_data(how, terminal, out);
    }
    else if (how.output == "name")
        terminal.out << resource_name(*offer) << '\n';
    else if (how.is_wide())
    {
        status_view seen{offer, nullptr, nullptr};
        auto read = co_await read_status(server, offer->meta.key());
        // Somebody may have deleted it meanwhile; what was done has been done.
        if (read)
            seen = std::move(*read);
        terminal.out << '\n';
        print_status(
            terminal.out,
            {terminal.colour, true, how.settings_source()},
            seen,
            how.settings.plan(),
            around.clock.now()
        );
    }
}

}  // namespace portitor::cli::sell
