#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>

namespace bench {

/// What this process has used, in seconds.
inline double own_cpu_seconds()
{
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// What all threads of another process have used, in seconds, as the scheduler counts it; 0 for none.
/// /proc/PID/schedstat alone is that of its first thread.
inline double cpu_seconds_of(const std::string& process)
{
    if (process.empty())
        return 0;
    double out = 0;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + process + "/task"))
    {
        unsigned long long nanoseconds = 0;
        std::ifstream(thread.path() / "schedstat") >> nanoseconds;
        out += static_cast<double>(nanoseconds) / 1e9;
    }
    return out;
}

}  // namespace bench
