#pragma once

#include <portitor/core/error.hpp>

#include <string>
#include <utility>

namespace portitor::ledger {

/// Held by the one process that writes a file: a lock on FILE.lock, which goes with the process however it
/// ends.
class file_lock
{
public:
    /// errc::invalid where the folder is not there or lies on a network file system, errc::conflict where
    /// another process holds the lock, errc::unavailable where the disk or its rights refuse. Makes the file
    /// itself where it is not there, for its owner alone.
    static result<file_lock> take(const std::string& file);

    file_lock() = default;
    ~file_lock();
    file_lock(file_lock&& other) noexcept : held_(std::exchange(other.held_, -1)) {}
    file_lock& operator=(file_lock&& other) noexcept
    {
        std::swap(held_, other.held_);
        return *this;
    }
    file_lock(const file_lock&) = delete;
    file_lock& operator=(const file_lock&) = delete;

private:
    int held_ = -1;
};

/// The name of a network file system by its number in statfs(2); null for all others.
const char* network_file_system(long type) noexcept;

}  // namespace portitor::ledger
