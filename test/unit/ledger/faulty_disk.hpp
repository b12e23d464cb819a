#pragma once

#include <atomic>
#include <chrono>
#include <cstring>
#include <sqlite3.h>
#include <string>
#include <thread>

namespace portitor::ledger::test {

/// A file system of SQLite that fails on demand: the system's, with writes and syncs that pass through here.
/// One at a time.
class faulty_disk
{
public:
    static constexpr const char* name = "faulty";

    faulty_disk()
    {
        sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
        vfs_ = *real;
        vfs_.zName = name;
        vfs_.pAppData = real;
        vfs_.szOsFile = static_cast<int>(sizeof(file)) + real->szOsFile;
        vfs_.xOpen = open;
        sqlite3_vfs_register(&vfs_, 0);
        code = SQLITE_OK;
        skip = 0;
        hang = false;
        steps = 0;
    }
    ~faulty_disk()
    {
        hang = false;
        sqlite3_vfs_unregister(&vfs_);
    }
    faulty_disk(const faulty_disk&) = delete;
    faulty_disk& operator=(const faulty_disk&) = delete;

    static inline std::atomic<int> code{SQLITE_OK};  ///< what writes and syncs answer, SQLITE_OK: as the disk
    static inline std::atomic<int> skip{0};          ///< after so many more that do what they should
    static inline std::atomic<bool> hang{false};     ///< syncs do not return
    static inline std::atomic<int> steps{0};         ///< writes and syncs so far

private:
    struct file
    {
        sqlite3_file base;
        sqlite3_file* real;
    };

    static sqlite3_file* real_of(sqlite3_file* which) { return reinterpret_cast<file*>(which)->real; }

    static int fault()
    {
        ++steps;
        if (code == SQLITE_OK)
            return SQLITE_OK;
        return skip.fetch_sub(1) > 0 ? SQLITE_OK : code.load();
    }

    static int open(sqlite3_vfs* self, const char* path, sqlite3_file* out, int flags, int* out_flags)
    {
        auto* real_vfs = static_cast<sqlite3_vfs*>(self->pAppData);
        auto* made = reinterpret_cast<file*>(out);
        made->real = reinterpret_cast<sqlite3_file*>(made + 1);
        made->base.pMethods = nullptr;
        std::memset(made->real, 0, static_cast<std::size_t>(real_vfs->szOsFile));
        const int opened = real_vfs->xOpen(real_vfs, path, made->real, flags, out_flags);
        if (opened == SQLITE_OK)
            made->base.pMethods = &methods;
        return opened;
    }

    static inline const sqlite3_io_methods methods = {
        3,
        [](sqlite3_file* f) { return real_of(f)->pMethods->xClose(real_of(f)); },
        [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
            return real_of(f)->pMethods->xRead(real_of(f), to, n, at);
        },
        [](sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
            const int failed = fault();
            return failed != SQLITE_OK ? failed : real_of(f)->pMethods->xWrite(real_of(f), from, n, at);
        },
        [](sqlite3_file* f, sqlite3_int64 n) { return real_of(f)->pMethods->xTruncate(real_of(f), n); },
        [](sqlite3_file* f, int flags) {
            while (hang)
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            const int failed = fault();
            return failed != SQLITE_OK ? failed : real_of(f)->pMethods->xSync(real_of(f), flags);
        },
        [](sqlite3_file* f, sqlite3_int64* n) { return real_of(f)->pMethods->xFileSize(real_of(f), n); },
        [](sqlite3_file* f, int lock) { return real_of(f)->pMethods->xLock(real_of(f), lock); },
        [](sqlite3_file* f, int lock) { return real_of(f)->pMethods->xUnlock(real_of(f), lock); },
        [](sqlite3_file* f, int* out) { return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out); },
        [](sqlite3_file* f, int op, void* with) {
            return real_of(f)->pMethods->xFileControl(real_of(f), op, with);
        },
        [](sqlite3_file* f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); },
        [](sqlite3_file* f) { return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f)); },
        [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
            return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
        },
        [](sqlite3_file* f, int offset, int n, int flags) {
            return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
        },
        [](sqlite3_file* f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); },
        [](sqlite3_file* f, int remove) { return real_of(f)->pMethods->xShmUnmap(real_of(f), remove); },
        [](sqlite3_file* f, sqlite3_int64 at, int n, void** out) {
            return real_of(f)->pMethods->xFetch(real_of(f), at, n, out);
        },
        [](sqlite3_file* f, sqlite3_int64 at, void* p) {
            return real_of(f)->pMethods->xUnfetch(real_of(f), at, p);
        },
    };

    sqlite3_vfs vfs_{};
};

}  // namespace portitor::ledger::test
