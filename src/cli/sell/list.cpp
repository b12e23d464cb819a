#include "cli/sell/list.hpp"

#include "cli/sell/common_options.hpp"
#include "cli/sell/offer_list.hpp"

#include <portitor/config/setters.hpp>

#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;

namespace {

class list_action final : public action
{
public:
    void declare(config::loader& into) override
    {
        into.add(all_namespaces_option(all_));
        into.add(selector_option(selector_));
        common_.declare(into, {"wide", "name"});
    }

    result<void> resolve() override { return common_.resolve(); }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        auto server = co_await common_.connect(around, terminal);
        if (!server)
            co_return server.error();
        const auto offers = co_await list_offers(**server, all_ ? "" : common_.ns, selector_);
        if (!offers)
            co_return offers.error();
        if (common_.is_data())
            print_data(common_, terminal, as_list(*offers));
        else if (common_.output == "name")
            for (const kube::object_ptr& each : *offers)
                terminal.out << resource_name(*each) << '\n';
        else if (offers->empty())
            terminal.err << no_offers(all_, common_.ns) << '\n';
        else
            print_offers(terminal.out, terminal.colour, *offers, around.clock.now(), all_, common_.is_wide());
        co_return 0;
    }

private:
    bool all_ = false;
    std::string selector_;
    common_options common_;
};

}  // namespace

std::unique_ptr<action> make_list()
{
    return std::make_unique<list_action>();
}

}  // namespace portitor::cli::sell
