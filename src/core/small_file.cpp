#include <portitor/core/small_file.hpp>

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace portitor {

namespace {

constexpr std::size_t max_size = 4 * 1024 * 1024;

error unreadable(const std::string& path, int reason)
{
    return fail(errc::not_found, "{} cannot be read: {}", path, std::generic_category().message(reason));
}

}  // namespace

result<std::string> read_small_file(const std::string& path)
{
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return unreadable(path, errno);
    std::string text;
    char piece[16 * 1024];
    ssize_t got = 0;
    int reason = 0;
    do
    {
        got = read(file, piece, sizeof piece);
        if (got > 0)
            text.append(piece, static_cast<std::size_t>(got));
        else if (got < 0)
            reason = errno;
    } while (text.size() <= max_size && (got > 0 || (got < 0 && reason == EINTR)));
    close(file);
    if (got < 0)
        return unreadable(path, reason);
    if (text.size() > max_size)
        return unreadable(path, EFBIG);
    return text;
}

std::string trimmed(std::string text)
{
    const auto last = text.find_last_not_of(" \t\r\n");
    text.erase(last == text.npos ? 0 : last + 1);
    text.erase(0, text.find_first_not_of(" \t\r\n"));
    return text;
}

}  // namespace portitor
