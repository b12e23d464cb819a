#include "kube/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace portitor::kube {

namespace {

using steady = std::chrono::steady_clock;

// How often the limits are looked at while there is nothing to read. Only its end remains after stdout's.
constexpr int tick_ms = 50;
constexpr int tick_after_output_ms = 5;

class descriptor
{
public:
    explicit descriptor(int fd = -1) : fd_(fd) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { reset(); }

    int get() const { return fd_; }
    void reset(int fd = -1)
    {
        if (fd_ >= 0)
            close(fd_);
        fd_ = fd;
    }

private:
    int fd_;
};

/// A process that is killed with its group unless it has been reaped.
class child
{
public:
    explicit child(pid_t pid) : pid_(pid) {}
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child()
    {
        if (pid_ <= 0)
            return;
        kill(-pid_, SIGKILL);
        reap();
    }

    bool ended() const
    {
        siginfo_t info{};
        const int told = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
        return told != 0 ? errno == ECHILD : info.si_pid != 0;
    }

    /// The wait status; -1 where it is unknown.
    int reap()
    {
        int status = -1;
        pid_t reaped = 0;
        do
            reaped = waitpid(pid_, &status, 0);
        while (reaped < 0 && errno == EINTR);
        pid_ = 0;
        return reaped < 0 ? -1 : status;
    }

private:
    pid_t pid_;
};

/// What posix_spawn() is told about the child's files, signals and group.
class spawn_settings
{
public:
    explicit spawn_settings(int output)
    {
        posix_spawn_file_actions_init(&files_);
        // stdout first: the pipe itself may have a number below 3 where our own were closed.
        posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
        posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        // Nothing of stderr may be shown, so nothing of it is held.
        posix_spawn_file_actions_addopen(&files_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        // Asio's sockets are not close-on-exec.
        posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);

        posix_spawnattr_init(&attributes_);
        sigset_t signals;
        sigemptyset(&signals);
        posix_spawnattr_setsigmask(&attributes_, &signals);
        sigaddset(&signals, SIGPIPE);
        posix_spawnattr_setsigdefault(&attributes_, &signals);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        );
    }
    spawn_settings(const spawn_settings&) = delete;
    spawn_settings& operator=(const spawn_settings&) = delete;
    ~spawn_settings()
    {
        posix_spawn_file_actions_destroy(&files_);
        posix_spawnattr_destroy(&attributes_);
    }

    const posix_spawn_file_actions_t* files() const { return &files_; }
    const posix_spawnattr_t* attributes() const { return &attributes_; }

private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

// The array of pointers that exec() wants; the C interface takes them without const but does not write.
std::vector<char*> pointers_to(const std::vector<std::string>& texts)
{
    std::vector<char*> out;
    for (const std::string& text : texts)
        out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
}

result<pid_t> spawn(const child_command& command, int output)
{
    std::vector<std::string> words = command.arguments;
    words.insert(words.begin(), command.program);
    const std::vector<char*> arguments = pointers_to(words);
    const std::vector<char*> environment = pointers_to(command.environment);
    const spawn_settings settings(output);
    pid_t pid = 0;
    const int reason = posix_spawnp(
        &pid,
        command.program.c_str(),
        settings.files(),
        settings.attributes(),
        arguments.data(),
        environment.data()
    );
    if (reason == ENOENT)
        return fail(errc::not_found, "the command was not found");
    if (reason != 0)
        return fail(
            errc::unavailable, "the command cannot be started: {}", std::generic_category().message(reason)
        );
    return pid;
}

// Reads what is there without waiting, and closes the pipe at its end.
result<void> drain(descriptor& pipe, std::string& into, std::size_t limit)
{
    char piece[16 * 1024];
    while (pipe.get() >= 0)
    {
        const ssize_t got = read(pipe.get(), piece, sizeof piece);
        if (got > 0)
            into.append(piece, static_cast<std::size_t>(got));
        else if (got == 0)
            pipe.reset();
        else if (errno != EINTR)
            break;
        if (into.size() > limit)
            return fail(errc::unavailable, "it wrote more than {} bytes", limit);
    }
    return {};
}

result<void> judge(int status)
{
    if (status == 0)
        return {};
    if (status == -1)
        return fail(errc::unavailable, "its exit status is not known");
    if (WIFSIGNALED(status))
        return fail(errc::unavailable, "killed by signal {}", WTERMSIG(status));
    return fail(errc::unavailable, "exit status {}", WEXITSTATUS(status));
}

}  // namespace

result<std::string> run_child(const child_command& command, const child_limits& limits, std::stop_token stop)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(errc::unavailable, "no pipe: {}", std::generic_category().message(errno));
    descriptor source(ends[0]);
    descriptor sink(ends[1]);
    fcntl(source.get(), F_SETFL, O_NONBLOCK);
    const auto pid = spawn(command, sink.get());
    if (!pid)
        return pid.error();
    child running(*pid);
    sink.reset();

    const auto until = steady::now() + limits.time;
    std::string output;
    for (bool ended = false; !ended;)
    {
        if (stop.stop_requested())
            return fail(errc::canceled, "killed at shutdown");
        if (steady::now() >= until)
            return fail(
                errc::unavailable, "killed because it had not ended within {} ms", limits.time.count()
            );
        pollfd waited{source.get(), POLLIN, 0};
        poll(&waited, 1, source.get() < 0 ? tick_after_output_ms : tick_ms);
        // Its end counts, not that of stdout, which a process that it left behind may hold open.
        ended = running.ended();
        if (auto read = drain(source, output, limits.output); !read)
            return read.error();
    }
    if (auto good = judge(running.reap()); !good)
        return good.error();
    return output;
}

}  // namespace portitor::kube
