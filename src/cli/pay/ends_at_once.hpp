#pragma once

#include <csignal>

namespace portitor::cli::pay {

/// While it lives, Ctrl-C and SIGTERM end the process at once: for what blocks where nothing can be lost,
/// such as reading from a pipe that nobody writes to. Of the main thread.
class ends_at_once
{
public:
    ends_at_once();
    ends_at_once(const ends_at_once&) = delete;
    ends_at_once& operator=(const ends_at_once&) = delete;
    ~ends_at_once();

private:
    struct sigaction interrupt_ = {};
    struct sigaction terminate_ = {};
};

}  // namespace portitor::cli::pay
