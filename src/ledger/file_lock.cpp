#include "ledger/file_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>

namespace portitor::ledger {

namespace {

std::string words_of(int code)
{
    return std::generic_category().message(code);
}

// A name that cannot be is a mistake; what a disk or its rights refuse may be put right meanwhile.
errc kind_of(int code)
{
    const bool mistake = code == ENOENT || code == ENOTDIR || code == EISDIR || code == ENAMETOOLONG;
    return mistake ? errc::invalid : errc::unavailable;
}

}  // namespace

// Numbers of linux/magic.h and of the file systems' own documents.
const char* network_file_system(long type) noexcept
{
    switch (static_cast<unsigned long>(type) & 0xffff'ffffUL)
    {
    case 0x6969:
        return "NFS";
    case 0x517b:
    case 0xff53'4d42:
    case 0xfe53'4d42:
        return "SMB";
    case 0x5346'414f:
    case 0x6b41'4653:
        return "AFS";
    case 0x00c3'6400:
        return "CephFS";
    case 0x0bd0'0bd0:
        return "Lustre";
    case 0x4750'4653:
        return "GPFS";
    case 0x7461'636f:
        return "OCFS2";
    case 0x0116'1970:
        return "GFS2";
    case 0x564c:
        return "NCP";
    case 0x7375'7245:
        return "Coda";
    default:
        return nullptr;
    }
}

result<file_lock> file_lock::take(const std::string& file)
{
    const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
    struct statfs on = {};
    if (statfs(folder.c_str(), &on) != 0)
    {
        const int code = errno;
        return fail(
            kind_of(code),
            "the record of payments cannot be kept in {}: its folder {} cannot be used ({}); make it first",
            file,
            folder.string(),
            words_of(code)
        );
    }
    if (const char* network = network_file_system(static_cast<long>(on.f_type)))
        return fail(
            errc::invalid,
            "the record of payments cannot be kept in {}: it lies on {}, and a network file system does not "
            "keep what SQLite relies on; use a disk of the machine or a block volume",
            file,
            network
        );

    const std::string name = file + ".lock";
    file_lock out;
    out.held_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (out.held_ < 0)
    {
        const int code = errno;
        return fail(kind_of(code), "{} cannot be made: {}", name, words_of(code));
    }
    if (flock(out.held_, LOCK_EX | LOCK_NB) != 0)
    {
        if (errno != EWOULDBLOCK)
            return fail(errc::unavailable, "{} cannot be locked: {}", name, words_of(errno));
        return fail(
            errc::conflict,
            "another portitor holds the record of payments {}: two must not write one file; stop the other "
            "one, or give this one a file of its own",
            file
        );
    }
    const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (made < 0)
    {
        const int code = errno;
        return fail(kind_of(code), "the record of payments {} cannot be written: {}", file, words_of(code));
    }
    ::close(made);
    return out;
}

file_lock::~file_lock()
{
    if (held_ >= 0)
        ::close(held_);
}

}  // namespace portitor::ledger
