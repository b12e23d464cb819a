#include "roles/verifier/open_ledger.hpp"

#include <portitor/ledger/late_ledger.hpp>
#include <portitor/ledger/memory_ledger.hpp>
#include <portitor/ledger/sqlite_ledger.hpp>

namespace portitor::verifier {

result<std::unique_ptr<x402::payment_store>> open_ledger(
    const roles::process& around,
    const options& wanted,
    boost::asio::any_io_executor strand,
    std::function<void(std::chrono::nanoseconds)> wrote
)
{
    using store = std::unique_ptr<x402::payment_store>;
    ledger::limits bounds;
    bounds.max_open = wanted.max_claims;
    if (wanted.ledger == in_memory)
    {
        around.log.warn(
            "payments are remembered in memory only: a restart forgets those in doubt, answers that are paid "
            "for and not delivered, and the book of sales; name a file with --ledger",
            {{"ledger", wanted.ledger}}
        );
        return store(ledger::memory_ledger(around.clock, around.timers, bounds).open());
    }
    ledger::file_settings settings;
    settings.file = wanted.ledger;
    settings.retention = wanted.ledger_retention;
    settings.max_bytes = wanted.ledger_max_size;
    settings.wrote = std::move(wrote);
    ledger::late_ledger::opener open =
        [settings = std::move(settings), strand = std::move(strand), around, bounds]() -> result<store> {
        auto opened =
            ledger::sqlite_ledger::open(settings, strand, around.clock, around.timers, around.log, bounds);
        if (!opened)
            return opened.error();
        return store(std::move(*opened));
    };
    result<store> opened = open();
    // What is wrong with the disk may pass, and is no reason to refuse what needs no record.
    if (!opened && opened.error().code() == errc::unavailable)
        return store(
            std::make_unique<ledger::late_ledger>(std::move(open), opened.error(), around.timers, around.log)
        );
    if (!opened)
        return opened.error().within("--ledger");
    around.log.info("payments are remembered in a file", {{"ledger", wanted.ledger}});
    return opened;
}

}  // namespace portitor::verifier
