#include "roles/verifier/open_ledger.hpp"

#include <portitor/ledger/late_ledger.hpp>
#include <portitor/ledger/memory_ledger.hpp>

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
        return store(ledger::memory_ledger(around.clock, around.timers, bounds).open());
    ledger::file_settings settings;
    settings.file = wanted.ledger;
    settings.retention = wanted.ledger_retention;
    settings.max_bytes = wanted.ledger_max_size;
    settings.wrote = std::move(wrote);
    auto opened = ledger::late_ledger::open_file(
        std::move(settings), std::move(strand), around.clock, around.timers, around.log, bounds
    );
    if (!opened)
        return opened.error().within("--ledger");
    around.log.info("payments are remembered in a file", {{"ledger", wanted.ledger}});
    return opened;
}

}  // namespace portitor::verifier
