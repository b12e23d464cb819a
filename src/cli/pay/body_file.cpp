#include "cli/pay/body_file.hpp"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace portitor::cli::pay {

namespace {

error unwritable(const std::string& path, int reason)
{
    return fail(errc::refused, "{} cannot be written: {}", path, std::generic_category().message(reason));
}

/// What a new file's mode is.
mode_t usual_mode()
{
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666 & ~mask;
}

}  // namespace

result<body_file> body_file::open(const std::string& path)
{
    // A link stays one: what it leads to is written.
    std::error_code none;
    const std::filesystem::path behind = std::filesystem::canonical(path, none);
    const std::string target = none ? path : behind.string();
    struct stat before = {};
    const bool exists = ::stat(target.c_str(), &before) == 0;
    if (exists && S_ISDIR(before.st_mode))
        return unwritable(path, EISDIR);
    if (exists && ::access(target.c_str(), W_OK) != 0)
        return unwritable(path, errno);
    int refused = 0;
    if (!exists || S_ISREG(before.st_mode))
    {
        std::string beside = target + ".XXXXXX";
        const int file = ::mkostemp(beside.data(), O_CLOEXEC);
        if (file >= 0)
        {
            ::fchmod(file, exists ? before.st_mode & 07777 : usual_mode());
            body_file out(target, file);
            out.beside_ = std::move(beside);
            return out;
        }
        refused = errno;
    }
    const int file = exists ? ::open(target.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY) : -1;
    if (file < 0)
        return unwritable(path, exists ? errno : refused);
    return body_file(target, file);
}

body_file::body_file(body_file&& from) noexcept
    : path_(std::move(from.path_)), beside_(std::exchange(from.beside_, {})),
      file_(std::exchange(from.file_, -1))
{}

body_file::~body_file()
{
    if (file_ >= 0)
        ::close(file_);
    if (!beside_.empty())
        ::unlink(beside_.c_str());
}

result<void> body_file::write_all(std::string_view body)
{
    // Of a device, or a pipe, nothing can be cut off.
    struct stat about = {};
    if (::fstat(file_, &about) == 0 && S_ISREG(about.st_mode) && ::ftruncate(file_, 0) != 0)
        return unwritable(path_, errno);
    while (!body.empty())
    {
        const ssize_t done = ::write(file_, body.data(), body.size());
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return unwritable(path_, errno);
        body.remove_prefix(static_cast<std::size_t>(done));
    }
    return {};
}

result<void> body_file::write(std::string_view body)
{
    if (auto written = write_all(body); !written)
        return written;
    if (::close(std::exchange(file_, -1)) != 0)
        return unwritable(path_, errno);
    if (beside_.empty())
        return {};
    if (::rename(beside_.c_str(), path_.c_str()) != 0)
        return unwritable(path_, errno);
    beside_.clear();
    return {};
}

}  // namespace portitor::cli::pay
