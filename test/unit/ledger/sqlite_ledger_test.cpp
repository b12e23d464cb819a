#include "catch.hpp"
#include "faulty_disk.hpp"
#include "ledger/file_lock.hpp"
#include "stores.hpp"

#include <portitor/ledger/book.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace portitor;
using namespace portitor::ledger::test;
using namespace portitor::x402;

namespace asio = boost::asio;

namespace {

using state = payment_state;

struct faulty_world : sqlite_world
{
    faulty_world() { settings.vfs = faulty_disk::name; }

    // The store tries again after half a minute at most.
    bool comes_back(hand& mine)
    {
        time.ahead += std::chrono::seconds(31);
        (void)mine.sweep();
        for (int round = 0; mine.store().away() && round < 100; ++round)
        {
            context.restart();
            context.run_for(std::chrono::milliseconds(10));
        }
        return !mine.store().away();
    }

    faulty_disk disk;
};

std::string bytes_of(const std::string& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE(
    "a second process on the same file is refused with words, until the first is gone", "[ledger][sqlite]"
)
{
    sqlite_world world;
    hand mine = world.open();
    const auto second = world.try_open();
    REQUIRE(!second.has_value());
    CHECK(second.error().code() == errc::conflict);
    CHECK(second.error().message().find(world.settings.file) != std::string::npos);
    CHECK(second.error().message().find("another portitor holds") != std::string::npos);
    mine.destroy();
    CHECK(world.try_open().has_value());
}

TEST_CASE("what was settled of late is told once to the process that comes next", "[ledger][sqlite]")
{
    sqlite_world world;
    {
        hand mine = world.open();
        mine.reach(1, state::delivered);
        world.wall.time += std::chrono::minutes(61);
        const std::uint64_t valid_before = world.wall.seconds() + 300;
        mine.reach(2, state::delivered, valid_before);
        mine.reach(3, state::closed, valid_before);
        mine.reach(4, state::settled, valid_before);
        mine.reach(5, state::unknown, valid_before);
        payment_change taken_back = known(state::delivered);
        taken_back.reorganised = true;
        mine.change(mine.reach(6, state::delivered, valid_before), taken_back);
        mine.reach(7, state::delivered, valid_before);
        CHECK(mine.settled_before(10).value().empty());
    }
    const std::size_t most = GENERATE(2, 10);
    hand next = world.open();
    const auto told = next.settled_before(most).value();
    std::vector<std::string> nonces;
    for (const payment_record& each : told)
        nonces.emplace_back(each.key.nonce());
    const std::vector all{hex_word(2), hex_word(4), hex_word(7)};
    CHECK(
        nonces == std::vector(all.end() - static_cast<std::ptrdiff_t>(std::min(most, all.size())), all.end())
    );
    const payment_record& last = told.back();
    CHECK(last.state == state::delivered);
    CHECK(last.terms->wanted.asset == hex_address(7));
    CHECK(last.terms->wanted.network == "eip155:84532");
    CHECK(last.offered->kind == payment_kind::eip3009);
    CHECK(last.offered->payer.to_string() == hex_address(1));
    CHECK(last.offered->pay_to.to_string() == hex_address(9));
    CHECK(last.offered->value == 10'000);
    CHECK(last.offered->valid_before == last.valid_before);
    CHECK(last.offered->nonce == hex_word(7));
    CHECK(next.settled_before(most).value().empty());
    payment_change taken_back = known(state::delivered);
    taken_back.reorganised = true;
    CHECK(next.change(last, taken_back).reorganised);
    next.destroy();
    CHECK(world.open().settled_before(10).value().size() == 2);
}

TEST_CASE("the record is its owner's alone, in a folder that exists, on no network", "[ledger][sqlite]")
{
    sqlite_world world;
    hand mine = world.open();
    struct stat found = {};
    REQUIRE(stat(world.settings.file.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
    world.settings.file = world.folder.path("nowhere/ledger.db");
    CHECK(world.try_open().error().message().find("make it first") != std::string::npos);
    CHECK(std::string(ledger::network_file_system(0x6969)) == "NFS");
    CHECK(std::string(ledger::network_file_system(static_cast<long>(0xff534d42))) == "SMB");
    CHECK(ledger::network_file_system(0xef53) == nullptr);
    CHECK(ledger::network_file_system(0x01021994) == nullptr);
}

TEST_CASE("a file that is damaged, foreign or newer is refused and left as it is", "[ledger][sqlite]")
{
    sqlite_world world;
    std::string said;
    SECTION("text")
    {
        world.folder.write("ledger.db", std::string(5'000, 'x'));
        said = "damaged";
    }
    SECTION("a page in the middle")
    {
        {
            hand mine = world.open();
            for (std::uint64_t i = 0; i < 50; ++i)
                mine.reach(i, state::delivered);
        }
        std::string bytes = bytes_of(world.settings.file);
        REQUIRE(bytes.size() > 20'000);
        std::fill(bytes.begin() + 8'192, bytes.begin() + 16'384, '\x5a');
        world.folder.write("ledger.db", bytes);
        said = "damaged";
    }
    SECTION("a newer one")
    {
        sqlite3* db = nullptr;
        sqlite3_open(world.settings.file.c_str(), &db);
        sqlite3_exec(db, "PRAGMA user_version = 7", nullptr, nullptr, nullptr);
        sqlite3_close(db);
        said = "newer portitor";
    }
    const std::string before = bytes_of(world.settings.file);
    const auto opened = world.try_open();
    REQUIRE(!opened.has_value());
    CHECK(opened.error().message().find(said) != std::string::npos);
    if (said == "damaged")
        CHECK(bytes_of(world.settings.file) == before);
}

TEST_CASE("a spent payment has its receipt from the book, also after a restart", "[ledger][sqlite]")
{
    sqlite_world world;
    hand mine = world.open();
    mine.reach(1, state::delivered);
    CHECK(mine.spent(1)->receipt == "receipt");
    hand next = world.follow(mine);
    CHECK(next.spent(1)->receipt == "receipt");
    CHECK(next.spent(1)->state == state::delivered);
    const auto again = next.begin(offer_of(1));
    CHECK(std::get<record_spent>(again.value()).receipt == "receipt");
}

TEST_CASE("the low-water mark outlasts a restart", "[ledger][sqlite]")
{
    sqlite_world world;
    hand mine = world.open();
    mine.reach(1, state::delivered, start_seconds + 10);
    world.wall.time += std::chrono::seconds(300);
    hand next = world.follow(mine);
    CHECK(!next.knows(1));
    world.wall.time -= std::chrono::seconds(311);
    const auto begun = next.begin(offer_of(1, start_seconds + 10));
    CHECK(std::get<record_refusal>(begun.value()) == record_refusal::too_old);
}

TEST_CASE("a clock that was fast for a while refuses nothing that is new afterwards", "[ledger][sqlite]")
{
    sqlite_world world;
    int written = 0;
    world.settings.wrote = [&](std::chrono::nanoseconds) { ++written; };
    hand mine = world.open();
    mine.reach(1, state::closed);
    const int before = written;
    // An hour is enough for what was never paid, four months for all of the book.
    const auto fast = GENERATE(std::chrono::hours(1), std::chrono::hours(24 * 120));
    world.wall.time += fast;
    world.time.ahead += std::chrono::seconds(11);
    REQUIRE(mine.sweep().has_value());
    for (int wait = 0; written == before && wait < 300; ++wait)
    {
        world.context.restart();
        world.context.run_for(std::chrono::milliseconds(10));
    }
    REQUIRE(written > before);
    world.wall.time -= fast;
    hand next = world.follow(mine);
    CHECK(std::holds_alternative<record_made>(next.begin(offer_of(2, start_seconds + 400)).value()));
    // What went is not taken for new.
    const auto begun = next.begin(offer_of(1));
    CHECK(std::get<record_refusal>(begun.value()) == record_refusal::too_old);
}

TEST_CASE(
    "while the disk fails, nothing is sold, what is known is kept, and it is written later",
    "[ledger][sqlite]"
)
{
    const int code =
        GENERATE(SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_READONLY, SQLITE_IOERR_FSYNC, SQLITE_CORRUPT);
    faulty_world world;
    hand mine = world.open();
    const payment_record settling = mine.reach(1, state::settling);
    const payment_record reserved = mine.made(2);
    const payment_record delivering = mine.reach(3, state::delivering);
    faulty_disk::code = code;

    // Refused, and surely not changed.
    const auto refused = mine.advance(reserved.key, reserved.revision, ours(state::settling));
    CHECK(refused.error().code() == errc::unavailable);
    CHECK(mine.found(2)->record.revision == reserved.revision);
    REQUIRE(mine.store().away());
    CHECK(mine.store().away()->find(world.settings.file) != std::string::npos);
    CHECK(mine.begin(offer_of(4)).error().code() == errc::unavailable);
    CHECK(
        mine.advance(reserved.key, reserved.revision, ours(state::settling)).error().code() ==
        errc::unavailable
    );

    // Known outcomes stand, and are seen.
    payment_change outcome = paid();
    outcome.own = false;
    outcome.knowledge = true;
    const payment_record settled = mine.change(settling, outcome);
    CHECK(mine.found(1)->record.state == state::settled);
    mine.change(delivering, known(state::delivered));
    CHECK(mine.spent(3));
    CHECK(mine.store().numbers().unwritten >= 2);
    // A copy of a payment on record is still told what is known.
    CHECK(std::holds_alternative<record_found>(mine.begin(offer_of(1)).value()));

    faulty_disk::code = SQLITE_OK;
    REQUIRE(world.comes_back(mine));
    CHECK(mine.store().numbers().unwritten == 0);
    CHECK(std::holds_alternative<record_made>(mine.begin(offer_of(4)).value()));
    hand next = world.follow(mine);
    REQUIRE(next.found(1));
    CHECK(next.found(1)->record.state == state::settled);
    CHECK(next.found(1)->record.receipt == "receipt");
    CHECK(next.spent(3));
    CHECK(!next.knows(2));
    CHECK(settled.receipt == "receipt");
}

TEST_CASE("whichever write of a payment fails, it stands as it was told", "[ledger][sqlite]")
{
    // A fault at each single step of the disk, from the first to the last that a payment takes.
    int last = 1;
    for (int step = 0; step < last; ++step)
    {
        faulty_world world;
        hand mine = world.open();
        payment_record now = mine.made(1);
        const int before = faulty_disk::steps;
        faulty_disk::skip = step;
        faulty_disk::code = SQLITE_IOERR;
        bool failed = false;
        for (payment_change each :
             {ours(state::settling), paid(), ours(state::delivering), known(state::delivered)})
        {
            INFO("step " << step << " to " << to_string(each.next));
            const auto done = mine.advance(now.key, now.revision, each);
            if (!done)
            {
                REQUIRE(done.error().code() == errc::unavailable);
                REQUIRE(mine.found(1)->record.revision == now.revision);
                faulty_disk::code = SQLITE_OK;
                REQUIRE(world.comes_back(mine));
                failed = true;
                // Nothing has happened: it can be done again.
                now = mine.change(now, each);
                continue;
            }
            now = std::get<change_made>(*done).record;
        }
        REQUIRE(mine.spent(1));
        last = std::max(last, faulty_disk::steps - before + (failed ? 0 : 1));
        faulty_disk::code = SQLITE_OK;
        mine.leave();
        hand next = world.follow(mine);
        REQUIRE(next.spent(1));
        REQUIRE(next.spent(1)->state == state::delivered);
        if (!failed && faulty_disk::skip > 0)
            break;
    }
    CHECK(last > 8);
}

TEST_CASE("what the disk refuses at the end is written as soon as it takes it", "[ledger][sqlite]")
{
    faulty_world world;
    hand mine = world.open();
    const payment_record delivering = mine.reach(1, state::delivering);
    faulty_disk::code = SQLITE_FULL;
    mine.change(delivering, known(state::delivered));
    std::thread room([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        faulty_disk::code = SQLITE_OK;
    });
    mine.leave();
    room.join();
    hand next = world.follow(mine);
    REQUIRE(next.spent(1));
    CHECK(next.spent(1)->state == state::delivered);
}

TEST_CASE(
    "a disk that hangs is a lost answer, and then the store is away; the write counts when it is done",
    "[ledger][sqlite]"
)
{
    faulty_world world;
    world.settings.patience = std::chrono::milliseconds(50);
    hand mine = world.open();
    const payment_record reserved = mine.made(1);
    faulty_disk::hang = true;
    const auto lost = mine.advance(reserved.key, reserved.revision, ours(state::settling));
    CHECK(lost.error().code() == errc::timed_out);
    // Nobody gets in between.
    const auto second = mine.advance(reserved.key, reserved.revision, ours(state::settling));
    CHECK(second.error().code() == errc::timed_out);
    faulty_disk::hang = false;
    const auto end = world.time.now() + std::chrono::seconds(3);
    while (mine.found(1)->record.revision == reserved.revision && world.time.now() < end)
        world.context.run_for(std::chrono::milliseconds(5));
    CHECK(mine.found(1)->record.state == state::settling);
    CHECK(mine.loses(reserved, ours(state::settling)));
}

TEST_CASE(
    "a file that is removed while in use is said, and never replaced by an empty one", "[ledger][sqlite]"
)
{
    faulty_world world;
    hand mine = world.open();
    const payment_record reserved = mine.made(1);
    REQUIRE(mine.advance(reserved.key, reserved.revision, ours(state::settling)).has_value());
    const payment_record settling = mine.found(1)->record;
    REQUIRE(unlink(world.settings.file.c_str()) == 0);
    // With the next write, not when the book is looked through.
    CHECK(!mine.advance(settling.key, settling.revision, ours(state::unknown)).has_value());
    CHECK(!world.comes_back(mine));
    CHECK(mine.store().away()->find("removed or replaced") != std::string::npos);
    CHECK(access(world.settings.file.c_str(), F_OK) != 0);
}

TEST_CASE(
    "a file that is damaged while in use is refused by the next process, and told by the book",
    "[ledger][sqlite]"
)
{
    sqlite_world world;
    hand mine = world.open();
    for (std::uint64_t i = 0; i < 50; ++i)
        mine.reach(i, state::delivered);
    for (const char* part : {"", "-wal"})
    {
        const std::string file = world.settings.file + part;
        const std::size_t size = bytes_of(file).size();
        REQUIRE(size > 4'000);
        std::fstream(file, std::ios::in | std::ios::out | std::ios::binary) << std::string(size, '\x5a');
    }
    // Its pages are in memory, so that it goes on.
    mine.reach(100, state::delivered);
    mine.destroy();
    const auto next = world.try_open();
    REQUIRE(!next.has_value());
    CHECK(next.error().message().find("it is damaged") != std::string::npos);
    auto book = ledger::book::open(world.settings.file);
    const auto told = book ? book->list({}, [](const ledger::sale&) { return true; }) : book.error();
    REQUIRE(!told.has_value());
    CHECK(told.error().message().find("it is damaged") != std::string::npos);
}

TEST_CASE("too many waiting writes are refused; a cancelled caller undoes nothing", "[ledger][sqlite]")
{
    faulty_world world;
    world.settings.max_queued = 1;
    hand mine = world.open();
    std::vector<payment_record> made;
    for (std::uint64_t i = 0; i < 3; ++i)
        made.push_back(mine.made(i));
    faulty_disk::hang = true;
    std::vector<std::optional<errc>> ended(3);
    const auto start = [&](std::size_t which) {
        auto work = [&mine, &made, &ended, which]() -> asio::awaitable<void> {
            const auto done =
                co_await mine.store().advance(made[which].key, made[which].revision, ours(state::settling));
            if (!done)
                ended[which] = done.error().code();
        };
        asio::co_spawn(world.context, work, asio::detached);
        world.context.restart();
        world.context.run_for(std::chrono::milliseconds(20));
    };
    start(0);
    start(1);
    start(2);
    CHECK(ended[2] == errc::unavailable);
    faulty_disk::hang = false;
    const auto end = world.time.now() + std::chrono::seconds(3);
    while (mine.found(1)->record.state != state::settling && world.time.now() < end)
        world.context.run_for(std::chrono::milliseconds(5));
    CHECK(mine.found(0)->record.state == state::settling);
    CHECK(mine.found(1)->record.state == state::settling);
    CHECK(mine.found(2)->record.state == state::reserved);
}

TEST_CASE("retention takes what is old, a full book its oldest; both leave a mark", "[ledger][sqlite]")
{
    sqlite_world world;
    world.settings.max_bytes = 400'000;
    hand mine = world.open();
    for (std::uint64_t i = 0; i < 2'000; ++i)
    {
        payment_record now = mine.made(i);
        payment_change over = known(state::delivered);
        over.receipt = std::string(300, 'r');
        mine.change(now, over);
    }
    mine.leave();
    const auto size = [&] { return bytes_of(world.settings.file).size(); };
    // A prune each ten seconds: the next process begins with them.
    mine.destroy();
    const auto before = size();
    CHECK(before > 800'000);
    world.wall.time += std::chrono::seconds(1);
    int written = 0;
    world.settings.wrote = [&](std::chrono::nanoseconds) { ++written; };
    hand next = world.open();
    CHECK(next.store().numbers().spent == 2'000);
    const auto prune = [&] {
        const int wanted = written + 1;
        world.time.ahead += std::chrono::seconds(11);
        REQUIRE(next.sweep().has_value());
        for (int wait = 0; written < wanted && wait < 300; ++wait)
        {
            world.context.restart();
            world.context.run_for(std::chrono::milliseconds(10));
        }
    };
    // What may be offered again stays, however full it is: who comes after a restart still buys.
    prune();
    CHECK(next.spent(0)->receipt == std::string(300, 'r'));
    world.wall.time += std::chrono::seconds(400);
    for (int round = 0; round < 3; ++round)
        prune();
    CHECK(!next.store().away());
    hand last = world.follow(next);
    const auto begun = last.begin(offer_of(0));
    CHECK(std::get<record_refusal>(begun.value()) == record_refusal::too_old);
    CHECK(last.store().numbers().low_water < start_seconds + 401 - 60);
    CHECK(std::holds_alternative<record_made>(last.begin(offer_of(9'999, start_seconds + 461)).value()));
}

namespace {

// Drives payments, and tells each durable point on the pipe: number and state, two bytes each.
void sell_until_killed(const std::string& file, int pipe, std::uint64_t first)
{
    sqlite_world world;
    world.settings.file = file;
    hand mine = world.open();
    const auto tell = [pipe](std::uint64_t number, state reached) {
        const std::uint32_t line =
            static_cast<std::uint32_t>(number << 8U) | static_cast<std::uint32_t>(reached);
        if (write(pipe, &line, sizeof line) != sizeof line)
            _exit(2);
    };
    auto buyer = [&](std::uint64_t from) -> asio::awaitable<void> {
        for (std::uint64_t number = from;; number += 8)
        {
            auto begun = co_await mine.store().begin(offer_of(number, start_seconds + 300, number));
            payment_record now = std::get<record_made>(begun.value()).record;
            for (const state next : {state::settling, state::settled, state::delivering, state::delivered})
            {
                payment_change change = next == state::settled ? paid() : ours(next);
                auto done = co_await mine.store().advance(now.key, now.revision, change);
                now = std::get<change_made>(done.value()).record;
                if (next != state::delivered)
                    tell(number, next);
            }
        }
    };
    for (std::uint64_t i = 0; i < 8; ++i)
        asio::co_spawn(world.context, buyer(first + i), asio::detached);
    world.context.run();
}

}  // namespace

TEST_CASE("killed at any moment, a process leaves all that it was told is on disk", "[ledger][sqlite][kill]")
{
    portitor::test::temp_folder folder;
    const std::string file = folder.path("ledger.db");
    std::map<std::uint64_t, state> told;
    std::mt19937 random(20'261'128);
    std::uint64_t first = 1;
    const int rounds = std::getenv("PORTITOR_LONG") != nullptr ? 200 : 25;
    for (int round = 0; round < rounds; ++round)
    {
        int ends[2] = {};
        REQUIRE(pipe(ends) == 0);
        const pid_t child = fork();
        if (child == 0)
        {
            close(ends[0]);
            sell_until_killed(file, ends[1], first);
            _exit(1);
        }
        close(ends[1]);
        // Some until it has written much, some at once.
        std::uint32_t line = 0;
        std::size_t left = random() % 60;
        const auto take = [&] {
            if (read(ends[0], &line, sizeof line) != sizeof line)
                return false;
            told[line >> 8U] = static_cast<state>(line & 0xffU);
            return true;
        };
        while (left > 0 && take())
            --left;
        usleep(static_cast<useconds_t>(random() % 3'000));
        kill(child, SIGKILL);
        while (take())
            ;
        close(ends[0]);
        int status = 0;
        waitpid(child, &status, 0);
        REQUIRE(WIFSIGNALED(status));
        first += 10'000;
    }
    REQUIRE(told.size() > 100);
    sqlite_world world;
    world.settings.file = file;
    hand mine = world.open();
    for (const auto& [number, reached] : told)
    {
        INFO("payment " << number << ", " << to_string(reached));
        const auto found = portitor::test::run(world.context, mine.store().find({key_of(number, number)}));
        if (const auto* open = std::get_if<record_found>(&found.value()))
        {
            // At least as far as it was told.
            REQUIRE(static_cast<int>(open->record.state) >= static_cast<int>(reached));
            REQUIRE(!open->owner_alive);
            if (reached != state::settling)
                REQUIRE(open->record.receipt == "receipt");
        }
        else
            REQUIRE(std::holds_alternative<record_spent>(found.value()));
    }
}
