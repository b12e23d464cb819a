#include "roles/verifier/options.hpp"

#include <portitor/config/common_options.hpp>
#include <portitor/config/setters.hpp>

namespace portitor::verifier {

void options::declare(config::loader& into)
{
    lists.declare(into);
    into.add(config::listen_option(listen));
    into.add(config::gate_key_file_option(gate_key_file));
    const config::headed own = into.under("Verifier");
    own.add(
        {"threads", "threads that serve connections; 0: one for each core", "0", config::set_number(threads)}
    );
    own.add(
        {"tls-cert-file",
         "certificate chain for --listen, PEM; without it plain HTTP. Read again as it changes",
         "",
         config::set_text(tls_cert_file)}
    );
    own.add({"tls-key-file", "its private key, PEM", "", config::set_text(tls_key_file)});
    own.add(
        {"cors-origins",
         "* or origins, separated by spaces, whose pages may pay and read answers; the gateway answers their "
         "preflight requests itself",
         "",
         config::set_text(cors_origins)}
    );
    own.add(
        {"ledger",
         "where payments are on record, and the book of sales: a file on a disk of this machine, or memory, "
         "which a restart forgets",
         "memory",
         config::set_text(ledger)}
    );
    own.add(
        {"ledger-retention",
         "how long the book of sales keeps a payment that is over",
         "2160h",
         config::set_seconds(ledger_retention)}
    );
    own.add(
        {"ledger-max-size",
         "of the file: beyond, the book's oldest payments that are over make room; its log takes up to 64Mi "
         "more",
         "1Gi",
         config::set_bytes(ledger_max_size)}
    );
    own.add(
        {"max-claims",
         "payments that may be under way, in doubt, or paid for and not answered, at once",
         "100000",
         config::set_number(max_claims)}
    );
    own.add(
        {"max-unproven",
         "payments of one payer that are granted in a day on a used nonce alone, where a settlement was in "
         "doubt and no node of the chain can tell",
         "10",
         config::set_number(max_unproven)}
    );
    own.add(
        {"max-validity",
         "how long a payment may be valid, where maxTimeoutSeconds is not longer; 5 minutes more are allowed "
         "for clocks that differ",
         "60m",
         config::set_seconds(max_validity)}
    );
    own.add(
        {"shutdown-delay",
         "how long it goes on serving after SIGTERM, not ready any more, so that no new requests come "
         "when it closes",
         "0s",
         config::set_seconds(shutdown_delay)}
    );
}

namespace {

constexpr std::uint64_t least_size = std::uint64_t{64} << 20U;

result<void> check_ledger(const options& wanted)
{
    if (wanted.ledger.empty())
        return fail(errc::invalid, "--ledger: name a file, or say memory");
    if (wanted.ledger.starts_with("postgresql://") || wanted.ledger.starts_with("postgres://"))
        return fail(errc::invalid, "--ledger: PostgreSQL is not yet in this version; name a file");
    if (wanted.ledger.find("://") != std::string::npos)
        return fail(errc::invalid, "--ledger: name a file, not a URL");
    if (wanted.ledger != in_memory && !wanted.ledger.starts_with('/'))
        return fail(errc::invalid, "--ledger: {} is no absolute path of a file, nor memory", wanted.ledger);
    if (wanted.ledger_retention < std::chrono::hours(1))
        return fail(errc::invalid, "--ledger-retention must be at least 1h");
    if (wanted.ledger_max_size < least_size)
        return fail(errc::invalid, "--ledger-max-size must be at least 64Mi");
    return {};
}

}  // namespace

result<void> options::resolve()
{
    if (tls_cert_file.empty() != tls_key_file.empty())
        return fail(errc::invalid, "--tls-cert-file and --tls-key-file go together");
    if (threads > 256)
        return fail(errc::invalid, "--threads: {} is more than 256", threads);
    if (max_claims == 0)
        return fail(errc::invalid, "--max-claims must be at least 1");
    if (auto checked = check_ledger(*this); !checked)
        return checked;
    return lists.resolve();
}

}  // namespace portitor::verifier
