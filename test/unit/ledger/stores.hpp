#pragma once

#include "files.hpp"
#include "ledger_world.hpp"

#include <portitor/ledger/memory_ledger.hpp>
#include <portitor/ledger/sqlite_ledger.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <stdexcept>

/// The implementations that the contract suite is run on: each opens hands on one store. That of a dead owner
/// is followed by that of another.
namespace portitor::ledger::test {

/// The machine's time, and what a test adds to it.
struct hasty_time final : timekeeper
{
    time_point now() const override { return real.now() + ahead; }
    std::unique_ptr<timer> make_timer(boost::asio::any_io_executor on) override
    {
        return real.make_timer(on);
    }

    steady_timekeeper real;
    std::chrono::seconds ahead{0};
};

struct store_world
{
    boost::asio::io_context context;
    // What a store posts from its thread is waited for.
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
    manual_clock wall;
    hasty_time time;

    timekeeper::time_point in(std::chrono::milliseconds span) const { return time.now() + span; }
};

struct memory_world : store_world
{
    explicit memory_world(limits bounds = {}) : store(wall, time, bounds) {}

    hand open() { return hand(context, store.open()); }
    /// As a process does that is killed: another owner is there at once.
    hand follow(hand& dead)
    {
        dead.destroy();
        wall.time += std::chrono::seconds(11);
        return open();
    }

    memory_ledger store;
};

struct sqlite_world : store_world
{
    explicit sqlite_world(limits bounds = {}) : bounds_(bounds) { settings.file = folder.path("ledger.db"); }

    result<std::unique_ptr<sqlite_ledger>> try_open()
    {
        return sqlite_ledger::open(settings, context.get_executor(), wall, time, log, bounds_);
    }
    hand open()
    {
        auto opened = try_open();
        if (!opened)
            throw std::runtime_error(opened.error().message());
        return hand(context, std::move(*opened));
    }
    hand follow(hand& dead)
    {
        dead.destroy();
        wall.time += std::chrono::seconds(11);
        return open();
    }

    portitor::test::temp_folder folder;
    file_settings settings;
    logger log{log_level::error, log_format::text};

private:
    limits bounds_;
};

}  // namespace portitor::ledger::test
