#include "ledger/schema.hpp"

#include "ledger/packed_text.hpp"

#include <array>
#include <filesystem>
#include <system_error>

namespace portitor::ledger {

namespace {

constexpr std::uintmax_t looked_through = 64ULL * 1024 * 1024;

// Times are Unix seconds, 0 where there is none; amounts are decimal digits in atomic units; `token` is the
// contract whose nonce it is. What a process that takes over needs is JSON (takeover.hpp), and gone once the
// payment is over. No signature is ever written.
constexpr const char* version_1 = R"(
    CREATE TABLE payments (
        id INTEGER PRIMARY KEY,
        network TEXT NOT NULL, token TEXT NOT NULL, payer TEXT NOT NULL, nonce TEXT NOT NULL,
        state TEXT NOT NULL, revision INTEGER NOT NULL, owner INTEGER NOT NULL, digest BLOB NOT NULL,
        began INTEGER NOT NULL, settled_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
        valid_before INTEGER NOT NULL,
        receipt TEXT NOT NULL, tx TEXT NOT NULL, proven INTEGER NOT NULL, cause TEXT NOT NULL,
        reorganised INTEGER NOT NULL,
        offer TEXT NOT NULL, offer_uid TEXT NOT NULL, method TEXT NOT NULL, uri TEXT NOT NULL,
        request_id TEXT NOT NULL, amount TEXT NOT NULL, asset TEXT NOT NULL, pay_to TEXT NOT NULL,
        facilitator TEXT NOT NULL, takeover TEXT);
    CREATE INDEX payments_open ON payments (id) WHERE ended_at = 0;
    CREATE INDEX payments_valid ON payments (valid_before);
    CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    PRAGMA user_version = 1;
)";

// A payment is written three times within seconds, so its row is small: what the payments of an offer share
// is in one of `terms`, valid_until being later than any of them is; payer, nonce and tx are packed
// (packed_text.hpp). Version 1 kept nothing of `wanted` once a payment was over.
constexpr const char* version_2 = R"(
    DROP INDEX payments_open;
    ALTER TABLE payments RENAME TO payments_1;
    CREATE TABLE terms (
        id INTEGER PRIMARY KEY, valid_until INTEGER NOT NULL,
        offer TEXT NOT NULL, offer_uid TEXT NOT NULL, network TEXT NOT NULL, token TEXT NOT NULL,
        asset TEXT NOT NULL, amount TEXT NOT NULL, pay_to TEXT NOT NULL, facilitator TEXT NOT NULL,
        wanted TEXT NOT NULL);
    CREATE INDEX terms_offer ON terms (offer);
    CREATE TABLE payments (
        id INTEGER PRIMARY KEY, terms INTEGER NOT NULL,
        payer NOT NULL, nonce NOT NULL, digest BLOB NOT NULL,
        method TEXT NOT NULL, uri TEXT NOT NULL, request_id TEXT NOT NULL,
        began INTEGER NOT NULL, valid_before INTEGER NOT NULL,
        state TEXT NOT NULL, revision INTEGER NOT NULL, owner INTEGER NOT NULL,
        settled_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
        receipt TEXT NOT NULL, tx NOT NULL, proven INTEGER NOT NULL, cause TEXT NOT NULL,
        reorganised INTEGER NOT NULL, takeover TEXT);
    INSERT INTO terms
        (valid_until, offer, offer_uid, network, token, asset, amount, pay_to, facilitator, wanted)
        SELECT DISTINCT (SELECT max(valid_before) FROM payments_1),
            offer, offer_uid, network, token, asset, amount, pay_to, facilitator, '' FROM payments_1;
    INSERT INTO payments
        SELECT p.id, t.id, packed(p.payer), packed(p.nonce), p.digest, p.method, p.uri, p.request_id, p.began,
            p.valid_before, p.state, p.revision, p.owner, p.settled_at, p.ended_at, p.receipt, packed(p.tx),
            p.proven, p.cause, p.reorganised, p.takeover
        FROM payments_1 p CROSS JOIN terms t USING
            (offer, offer_uid, network, token, asset, amount, pay_to, facilitator);
    DROP TABLE payments_1;
    CREATE INDEX payments_open ON payments (id) WHERE ended_at = 0;
    CREATE INDEX payments_valid ON payments (valid_before);
    PRAGMA user_version = 2;
)";

// Where an owner died while it wrote the answer. Since then receipts are packed (packed_receipt.hpp); those
// from before are whole.
constexpr const char* version_3 = R"(
    ALTER TABLE payments ADD COLUMN interrupted INTEGER NOT NULL DEFAULT 0;
    PRAGMA user_version = 3;
)";

constexpr std::array<const char*, schema_version> migrations = {version_1, version_2, version_3};

error newer(const database& file, std::int64_t version)
{
    return fail(
        errc::invalid,
        "{}: a newer portitor wrote it (version {} of its form, this one knows {}); use that one, or another "
        "file",
        file.file(),
        version,
        schema_version
    );
}

result<void> migrate(database& file)
{
    auto version = file.number("PRAGMA user_version");
    if (!version)
        return version.error();
    if (*version < 0 || *version > schema_version)
        return newer(file, *version);
    if (auto added = add_packed(file); !added)
        return added;
    for (auto next = static_cast<std::size_t>(*version); next < migrations.size(); ++next)
    {
        if (auto begun = file.run("BEGIN IMMEDIATE"); !begun)
            return begun;
        if (auto done = file.run(migrations.at(next)); !done)
        {
            (void)file.run("ROLLBACK");
            return done;
        }
        if (auto kept = file.run("COMMIT"); !kept)
            return kept;
    }
    return {};
}

result<void> look_through(database& file)
{
    auto asked = statement::prepare(file, "PRAGMA quick_check(1)");
    if (!asked)
        return asked.error();
    auto row = asked->step();
    if (!row)
        return row.error();
    if (*row && asked->text(0) == "ok")
        return {};
    return file.failure(11);  // SQLITE_CORRUPT
}

}  // namespace

result<database> open_to_write(const std::string& file, const char* vfs)
{
    auto out = database::open(file, database::access::write, vfs);
    if (!out)
        return out;
    // synchronous FULL: in WAL mode each commit is on disk when it returns. A row is written three times
    // within seconds: with 16 MB of log most are copied into the file once.
    if (auto set =
            out->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                     "PRAGMA cache_size = -8000; PRAGMA journal_size_limit = 67108864;"
                     "PRAGMA wal_autocheckpoint = 4000");
        !set)
        return set.error();
    if (auto done = migrate(*out); !done)
        return done.error();
    std::error_code ignored;
    if (const auto size = std::filesystem::file_size(file, ignored); !ignored && size <= looked_through)
    {
        if (auto whole = look_through(*out); !whole)
            return whole.error();
    }
    return out;
}

std::string sales_of(std::int64_t version)
{
    const char* of_payment = version < 3 ? "p.*, 0 AS interrupted" : "p.*";
    if (version < 2)
        return fmt::format("(SELECT {} FROM payments p)", of_payment);
    return fmt::format(
        "(SELECT {}, t.offer, t.offer_uid, t.network, t.asset, t.amount, t.pay_to, t.facilitator"
        " FROM payments p CROSS JOIN terms t ON t.id = p.terms)",
        of_payment
    );
}

result<database> open_to_read(const std::string& file)
{
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored))
        return fail(errc::not_found, "there is no record of payments at {}", file);
    result<std::int64_t> version = 0;
    // Beside a writer, and where the folder can be written; else as a file at rest, which one with a log
    // beside it is not.
    for (const auto how : {database::access::read, database::access::read_still})
    {
        const auto log = std::filesystem::file_size(file + "-wal", ignored);
        if (how == database::access::read_still && !ignored && log > 0)
            break;
        auto out = database::open(file, how);
        if (!out)
            return out;
        version = out->number("PRAGMA user_version");
        if (!version)
            continue;
        const auto tables = out->number("SELECT count(*) FROM sqlite_schema WHERE name = 'payments'");
        if (!tables)
            return tables.error();
        if (*version <= 0 || *tables == 0)
            return fail(errc::invalid, "{} is no record of payments", file);
        if (*version > schema_version)
            return newer(*out, *version);
        return out;
    }
    return version.error();
}

}  // namespace portitor::ledger
