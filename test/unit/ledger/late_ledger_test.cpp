#include "catch.hpp"
#include "faulty_disk.hpp"
#include "ledger/file_lock.hpp"
#include "stores.hpp"

#include <portitor/ledger/late_ledger.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <unistd.h>

using namespace portitor;
using namespace portitor::ledger::test;
using namespace portitor::x402;

namespace {

using state = payment_state;

struct late_world : sqlite_world
{
    late_world() { settings.vfs = faulty_disk::name; }

    result<ledger::late_ledger::store> open_late()
    {
        return ledger::late_ledger::open_file(settings, context.get_executor(), wall, time, log);
    }
    hand started()
    {
        auto opened = open_late();
        REQUIRE(opened.has_value());
        return {context, std::move(*opened)};
    }

    // As one with an earlier sale in it is found after the damage; gives what was there before.
    std::string damage()
    {
        open().reach(1, state::delivered);
        std::stringstream before;
        before << std::ifstream(settings.file, std::ios::binary).rdbuf();
        folder.write("ledger.db", std::string(5'000, 'x'));
        return before.str();
    }

    // Lets it try once more, and sees what came of it.
    result<void> try_again(hand& mine)
    {
        time.ahead += std::chrono::seconds(11);
        result<void> done = mine.sweep();
        for (int round = 0; round < 50 && !done && done.error().code() != errc::canceled; ++round)
        {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            done = mine.sweep();
        }
        return done;
    }

    static void check_away(hand& mine, const std::string& words)
    {
        INFO(mine.store().away().value_or("is there"));
        CHECK(mine.store().away().value_or("").find(words) != std::string::npos);
        CHECK(mine.begin(offer_of(2)).error().code() == errc::unavailable);
        CHECK(mine.find(key_of(1)).error().code() == errc::unavailable);
        CHECK(mine.advance(key_of(1), 1, ours(state::settling)).error().code() == errc::unavailable);
        CHECK(mine.neglected(1).error().code() == errc::unavailable);
        CHECK(mine.sweep().error().code() == errc::unavailable);
        CHECK(mine.store().owner() != 0);
    }

    static void check_there(hand& mine)
    {
        CHECK_FALSE(mine.store().away());
        CHECK(mine.reach(2, state::delivered).owner == 0);
        CHECK(mine.spent(2));
    }

    faulty_disk disk;
};

}  // namespace

TEST_CASE("a file that opens at once is the store itself", "[ledger][late]")
{
    late_world world;
    hand mine = world.started();
    CHECK(dynamic_cast<ledger::late_ledger*>(&mine.store()) == nullptr);
    late_world::check_there(mine);
}

TEST_CASE("a record that is away at the start is opened once it can be", "[ledger][late]")
{
    late_world world;
    SECTION("the disk is full, or read-only")
    {
        const auto [code, words] = GENERATE(
            std::pair(SQLITE_FULL, "the disk is full"), std::pair(SQLITE_READONLY, "it cannot be written")
        );
        faulty_disk::code = code;
        hand mine = world.started();
        late_world::check_away(mine, words);
        CHECK(!world.try_again(mine).has_value());
        late_world::check_away(mine, words);
        faulty_disk::code = SQLITE_OK;
        CHECK(world.try_again(mine).has_value());
        late_world::check_there(mine);
    }
    SECTION("what it has is known from then on")
    {
        world.open().reach(1, state::delivered);
        faulty_disk::code = SQLITE_FULL;
        hand mine = world.started();
        late_world::check_away(mine, "the disk is full");
        faulty_disk::code = SQLITE_OK;
        CHECK(world.try_again(mine).has_value());
        CHECK(mine.spent(1));
        late_world::check_there(mine);
    }
    SECTION("the file beside it that locks it cannot be made")
    {
        const std::string lock = world.settings.file + ".lock";
        REQUIRE(symlink(lock.c_str(), lock.c_str()) == 0);
        hand mine = world.started();
        late_world::check_away(mine, "cannot be made");
        REQUIRE(unlink(lock.c_str()) == 0);
        CHECK(world.try_again(mine).has_value());
        late_world::check_there(mine);
    }
}

TEST_CASE("a damaged file stays as it is, and nothing is begun in its place", "[ledger][late]")
{
    late_world world;
    const std::string before = world.damage();
    hand mine = world.started();
    late_world::check_away(mine, "damaged");
    CHECK(!world.try_again(mine).has_value());
    CHECK(std::filesystem::file_size(world.settings.file) == 5'000);

    REQUIRE(unlink(world.settings.file.c_str()) == 0);
    CHECK(!world.try_again(mine).has_value());
    late_world::check_away(mine, "put it back");
    CHECK_FALSE(std::filesystem::exists(world.settings.file));

    world.folder.write("ledger.db", before);
    CHECK(world.try_again(mine).has_value());
    CHECK(mine.spent(1));
    late_world::check_there(mine);
}

TEST_CASE("what waiting does not mend is refused at the start", "[ledger][late]")
{
    late_world world;
    SECTION("another process has it")
    {
        hand other = world.open();
        CHECK(world.open_late().error().code() == errc::conflict);
    }
    SECTION("another one has it, and it is damaged")
    {
        world.damage();
        const auto lock = ledger::file_lock::take(world.settings.file);
        CHECK(world.open_late().error().code() == errc::conflict);
    }
    SECTION("a newer one wrote it")
    {
        sqlite3* db = nullptr;
        sqlite3_open(world.settings.file.c_str(), &db);
        sqlite3_exec(db, "PRAGMA user_version = 7", nullptr, nullptr, nullptr);
        sqlite3_close(db);
        CHECK(world.open_late().error().code() == errc::invalid);
    }
    SECTION("its folder is not there, or no folder")
    {
        world.folder.write("file", "");
        for (const char* name : {"nowhere/ledger.db", "file/ledger.db"})
        {
            world.settings.file = world.folder.path(name);
            CHECK(world.open_late().error().code() == errc::invalid);
        }
    }
}

TEST_CASE("who finds another process at the file when it can be opened is to end", "[ledger][late]")
{
    late_world world;
    world.damage();
    hand mine = world.started();
    const auto other = ledger::file_lock::take(world.settings.file);
    REQUIRE(other.has_value());
    const result<void> done = world.try_again(mine);
    REQUIRE(!done.has_value());
    CHECK(done.error().code() == errc::canceled);
    CHECK(mine.store().away().value_or("").find("another portitor holds") != std::string::npos);
    CHECK(mine.begin(offer_of(2)).error().code() == errc::unavailable);
}

TEST_CASE("one that is left before it opened has nothing to leave", "[ledger][late]")
{
    late_world world;
    world.damage();
    hand mine = world.started();
    world.time.ahead += std::chrono::seconds(11);
    (void)mine.sweep();
    mine.leave();
    mine.destroy();
    CHECK(std::filesystem::file_size(world.settings.file) == 5'000);
}
