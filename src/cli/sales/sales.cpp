#include "cli/sales/sales.hpp"

#include "cli/sales/list.hpp"
#include "cli/sales/options.hpp"
#include "cli/sales/sum.hpp"

namespace portitor::cli {

namespace {

namespace asio = boost::asio;

/// Where the book is not: --ledger names none that can be read here.
result<void> check_place(const std::string& ledger)
{
    if (ledger.empty() || ledger == "memory")
        return fail(
            errc::not_found,
            "no book of sales is named: give its file with --ledger, PORTITOR_LEDGER or --config. In a "
            "cluster it is in the verifier's pod: kubectl -n portitor exec deploy/portitor-verifier -- "
            "portitor sales. A verifier with --ledger=memory has none: its log has a line \"a payment was "
            "settled\" for each sale"
        );
    if (ledger.find("://") != ledger.npos)
        return fail(errc::invalid, "--ledger: name a file, not a URL");
    return {};
}

class sales_action final : public action
{
public:
    void declare(config::loader& into) override { options_.declare(into); }
    result<void> resolve() override { return options_.resolve(); }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        const auto told = tell(around.clock.now(), terminal);
        if (!told)
            co_return told.error();
        co_return 0;
    }

private:
    result<void> tell(clock::time_point now, const console& terminal) const
    {
        if (auto checked = check_place(options_.ledger); !checked)
            return checked;
        const auto which = options_.filter(now);
        if (!which)
            return which.error();
        auto book = ledger::book::open(options_.ledger);
        if (!book)
            return book.error();
        return options_.is_sum() ? sales::print_sums(*book, *which, options_, terminal)
                                 : sales::print_list(*book, *which, options_, terminal);
    }

    sales::options options_;
};

std::unique_ptr<action> make_sales()
{
    return std::make_unique<sales_action>();
}

}  // namespace

command sales_command()
{
    return {
        .name = "sales",
        .summary = "reads the book of sales: who paid for what, and what it came to",
        .make = &make_sales,
        .examples = {
            {"The newest payments", "portitor sales --ledger /var/lib/portitor/ledger.db"},
            {"What was earned in a month, by offer",
             "portitor sales sum --by offer --since 2026-11-01 --until 2026-11-30"},
            {"This buyer says that he paid", "portitor sales --payer 0x… --since 7d"},
            {"Of one namespace, for a spreadsheet",
             "portitor sales --offer shop/ --limit 100000 -o csv > sales.csv"},
            {"What nobody can tell yet", "portitor sales --state doubt --state expired"}}};
}

}  // namespace portitor::cli
