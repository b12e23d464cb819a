#include "cli/pay/key.hpp"

#include "cli/pay/ends_at_once.hpp"

#include <cctype>
#include <fcntl.h>
#include <istream>
#include <ostream>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

namespace portitor::cli::pay {

namespace {

// A key has 66 characters; no secret that is longer is one.
constexpr std::size_t longest_key = 256;

/// A text that is wiped when it goes away. It never grows, so that no copy is left behind.
class secret
{
public:
    secret() { text_.reserve(longest_key); }
    secret(const secret&) = delete;
    secret& operator=(const secret&) = delete;
    ~secret() { evm::wipe(text_); }

    bool is_full() const { return text_.size() == longest_key; }
    bool empty() const { return text_.empty(); }
    void add(char c)
    {
        if (!is_full())
            text_ += c;
    }
    void take_back()
    {
        if (!text_.empty())
            text_.pop_back();
    }
    void clear() { evm::wipe(text_); }

    result<evm::private_key> as_key() const
    {
        constexpr std::string_view space = " \t\r\n";
        std::string_view text = text_;
        text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
        text = text.substr(0, text.find_last_not_of(space) + 1);
        return evm::private_key::parse(text);
    }

private:
    std::string text_;
};

class descriptor
{
public:
    explicit descriptor(int number) : number_(number) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor()
    {
        if (number_ >= 0)
            ::close(number_);
    }
    int number() const { return number_; }

private:
    int number_;
};

/// What is typed is not shown, and comes one character after the other, Ctrl-C as well: the terminal is as
/// before when this goes away.
class silent_terminal
{
public:
    explicit silent_terminal(int number) : number_(number)
    {
        changed_ = ::tcgetattr(number_, &before_) == 0;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG);
        silent.c_cc[VMIN] = 1;
        silent.c_cc[VTIME] = 0;
        changed_ = changed_ && ::tcsetattr(number_, TCSAFLUSH, &silent) == 0;
    }
    silent_terminal(const silent_terminal&) = delete;
    silent_terminal& operator=(const silent_terminal&) = delete;
    ~silent_terminal()
    {
        if (changed_)
            ::tcsetattr(number_, TCSAFLUSH, &before_);
    }
    bool is_silent() const { return changed_; }

private:
    int number_;
    bool changed_ = false;
    termios before_{};
};

/// A name that must not be quoted.
// Whatever stands around it.
bool looks_like_a_key(std::string_view name)
{
    constexpr std::size_t least = 60;  // with some digits lost in copying
    std::size_t run = 0;
    for (const char c : name)
    {
        run = std::isxdigit(static_cast<unsigned char>(c)) != 0 ? run + 1 : 0;
        if (run == least)
            return true;
    }
    return false;
}

/// False where the user gave up.
bool read_line(int from, secret& into)
{
    for (;;)
    {
        char c = 0;
        const ssize_t got = ::read(from, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || c == '\x03' || c == '\x04')
            return false;
        if (c == '\n' || c == '\r')
            return true;
        if (c == '\x7f' || c == '\b')
            into.take_back();
        else if (c == '\x15')
            into.clear();
        else
            into.add(c);
    }
}

}  // namespace

result<evm::private_key> read_key_file(const std::string& path)
{
    if (looks_like_a_key(path))
        return fail(
            errc::refused,
            "--key-file takes the name of a file, and was given what looks like a key itself. Others of this "
            "machine may have seen it, and the shell may keep it: pay from another account"
        );
    const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    struct stat about
    {};
    if (file.number() < 0 || ::fstat(file.number(), &about) != 0)
        return fail(errc::not_found, "--key-file: {} cannot be read", path);
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fail(
            errc::refused,
            "--key-file: {} can be read or changed by other users (mode {:04o}): chmod 600 it first, or give "
            "the key on standard input with --key-file -",
            path,
            about.st_mode & 07777
        );
    secret text;
    while (!text.is_full())
    {
        char c = 0;
        const ssize_t got = ::read(file.number(), &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(errc::not_found, "--key-file: {} cannot be read", path);
        if (got == 0)
            break;
        text.add(c);
    }
    auto key = text.as_key();
    return key ? std::move(key) : key.error().within("--key-file " + path);
}

result<evm::private_key> read_key(std::istream& from)
{
    secret text;
    for (int c = from.get(); c != std::istream::traits_type::eof() && c != '\n' && !text.is_full();
         c = from.get())
        text.add(static_cast<char>(c));
    auto key = text.as_key();
    return key ? std::move(key) : key.error().within("standard input, as --key-file - says");
}

result<evm::private_key> read_key(const std::string& file, std::istream& in)
{
    const ends_at_once while_nobody_writes;
    return file == "-" ? read_key(in) : read_key_file(file);
}

bool can_prompt(const console& terminal)
{
    return terminal.in_is_terminal && ::isatty(STDIN_FILENO) == 1;
}

result<evm::private_key> prompt_for_key(const console& terminal)
{
    secret text;
    bool typed = false;
    {
        const silent_terminal silent(STDIN_FILENO);
        if (!silent.is_silent())
            return fail(errc::refused, "the terminal would show the key: give it with --key-file");
        terminal.err << "Private key to pay with (not shown; empty: pay nothing): " << std::flush;
        typed = read_line(STDIN_FILENO, text);
    }
    terminal.err << std::endl;
    if (!typed || text.empty())
        return fail(errc::canceled, "no key was given");
    return text.as_key();
}

}  // namespace portitor::cli::pay
