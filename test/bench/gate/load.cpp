// Load for a gate: keeps so many connections busy, each with one request at a time, as fast as the server
// answers or so many a second; then a time counts from when its request was due. Prints one line of JSON. Any
// answer with another status, and any connection that is lost, ends it with exit code 1.

#include "cpu_time.hpp"
#include "http_text.hpp"
#include "latencies.hpp"
#include "sockets.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;

struct options
{
    std::uint16_t port = 0;
    std::size_t connections = 64;
    double seconds = 2;
    double warm_up = 0.5;
    std::string requests;  ///< file
    std::string status = "402";
    std::string server;  ///< process whose CPU time is told
    bool once = false;   ///< no request is sent twice
    unsigned seed = 1;
    double rate = 0;  ///< requests a second of all connections; 0: as many as the server answers
};

constexpr const char* usage =
    "usage: gate_load -p PORT -f REQUESTS [-c CONNECTIONS] [-d SECONDS] [-w WARM_UP_SECONDS] [-e STATUS]\n"
    "                 [-P SERVER_PID] [-s SEED] [-r REQUESTS_A_SECOND] [-1]\n"
    "REQUESTS: whole requests without a body, one after the other; -1: each at most once, in order";

options read_options(int count, char** arguments)
{
    options out;
    for (int letter = 0; (letter = getopt(count, arguments, "p:f:c:d:w:e:P:s:r:1")) != -1;)
    {
        switch (letter)
        {
        case 'p':
            out.port = static_cast<std::uint16_t>(std::stoul(optarg));
            break;
        case 'f':
            out.requests = optarg;
            break;
        case 'c':
            out.connections = std::stoul(optarg);
            break;
        case 'd':
            out.seconds = std::stod(optarg);
            break;
        case 'w':
            out.warm_up = std::stod(optarg);
            break;
        case 'e':
            out.status = optarg;
            break;
        case 'P':
            out.server = optarg;
            break;
        case 's':
            out.seed = static_cast<unsigned>(std::stoul(optarg));
            break;
        case 'r':
            out.rate = std::stod(optarg);
            break;
        case '1':
            out.once = true;
            break;
        default:
            throw std::runtime_error(usage);
        }
    }
    if (out.port == 0 || out.requests.empty() || out.connections == 0)
        throw std::runtime_error(usage);
    return out;
}

// The requests of a file, and which of them is next.
class request_source
{
public:
    request_source(const options& wanted) : once_(wanted.once), random_(wanted.seed)
    {
        std::ifstream file(wanted.requests, std::ios::binary);
        std::ostringstream content;
        content << file.rdbuf();
        content_ = std::move(content).str();
        std::string_view left = content_;
        for (std::size_t size = 0; (size = bench::end_of_head(left)) != left.npos; left.remove_prefix(size))
            all_.push_back(left.substr(0, size));
        if (all_.empty() || !left.empty())
            throw std::runtime_error(wanted.requests + ": no whole requests");
    }

    /// Empty when there are no more.
    std::string_view next()
    {
        if (once_)
            return used_ < all_.size() ? all_[used_++] : std::string_view();
        return all_[random_() % all_.size()];
    }

private:
    bool once_;
    std::minstd_rand random_;
    std::string content_;
    std::vector<std::string_view> all_;
    std::size_t used_ = 0;
};

struct connection
{
    int socket = -1;
    steady::time_point sent_at;
    std::string_view unsent;
    std::string came;  ///< of an answer that is not whole
};

class load
{
public:
    explicit load(const options& wanted)
        : wanted_(wanted), requests_(wanted), expected_("HTTP/1.1 " + wanted.status + " ")
    {}

    void run()
    {
        connections_.resize(wanted_.connections);
        for (connection& each : connections_)
        {
            each.socket = bench::connect_to(wanted_.port);
            bench::watch(epoll_, EPOLL_CTL_ADD, each.socket, EPOLLIN, &each);
        }
        due_ = steady::now();
        for (connection& each : connections_)
        {
            if (is_paced())
                free_.push_back(&each);
            else if (!send_next(each))
                throw std::runtime_error("fewer requests than connections");
        }
        work_for(wanted_.warm_up);
        if (exhausted_)
            throw std::runtime_error("the requests did not last for the warm-up");
        measured_ = bench::latencies();
        count_ = 0;
        const double own_before = bench::own_cpu_seconds();
        const double server_before = bench::cpu_seconds_of(wanted_.server);
        const auto start = steady::now();
        work_for(wanted_.seconds);
        const std::chrono::duration<double> took = steady::now() - start;
        const double server = bench::cpu_seconds_of(wanted_.server) - server_before;
        const double own = bench::own_cpu_seconds() - own_before;
        std::printf(
            "{\"requests\":%lu,\"seconds\":%.4f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,"
            "\"own_cpu_s\":%.4f,\"server_cpu_s\":%.4f,\"exhausted\":%s}\n",
            count_,
            took.count(),
            measured_.quantile(0.5),
            measured_.quantile(0.99),
            measured_.quantile(0.999),
            own,
            server,
            exhausted_ ? "true" : "false"
        );
    }

private:
    // Ends early when a connection finds no request left: from then on fewer would be busy.
    void work_for(double seconds)
    {
        const auto end = steady::now() +
                         std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
        std::array<epoll_event, 256> events;
        int idle_ms = 0;
        while (!exhausted_ && steady::now() < end)
        {
            send_due();
            const int patience = is_paced() ? 1 : 100;
            const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), patience);
            idle_ms = count == 0 && free_.size() < connections_.size() ? idle_ms + patience : 0;
            if (idle_ms > 10'000)
                throw std::runtime_error("the server does not answer any more");
            for (int i = 0; i < count && !exhausted_; ++i)
            {
                auto& to = *static_cast<connection*>(events[i].data.ptr);
                if ((events[i].events & EPOLLOUT) != 0)
                    send_rest(to);
                else if (receive(to))
                    go_on(to);
            }
        }
    }

    bool is_paced() const { return wanted_.rate > 0; }

    // Its answer is there.
    void go_on(connection& with)
    {
        if (is_paced())
            free_.push_back(&with);
        else
            exhausted_ = !send_next(with);
    }

    // What is due and finds no free connection goes when there is one, late.
    void send_due()
    {
        const std::chrono::duration<double> pause(is_paced() ? 1 / wanted_.rate : 0);
        while (!exhausted_ && !free_.empty() && due_ <= steady::now())
        {
            connection& next = *free_.back();
            free_.pop_back();
            exhausted_ = !send_next(next);
            next.sent_at = due_;
            due_ += std::chrono::duration_cast<steady::duration>(pause);
        }
    }

    bool send_next(connection& to)
    {
        to.unsent = requests_.next();
        if (to.unsent.empty())
            return false;
        to.sent_at = steady::now();
        const std::size_t size = to.unsent.size();
        if (send_some(to) != size)
            bench::watch(epoll_, EPOLL_CTL_MOD, to.socket, EPOLLOUT, &to);
        return true;
    }

    void send_rest(connection& to)
    {
        send_some(to);
        if (to.unsent.empty())
            bench::watch(epoll_, EPOLL_CTL_MOD, to.socket, EPOLLIN, &to);
    }

    std::size_t send_some(connection& to)
    {
        const ssize_t sent = ::send(to.socket, to.unsent.data(), to.unsent.size(), MSG_NOSIGNAL);
        if (sent < 0 && !bench::would_block())
            bench::checked(-1, "send");
        const auto done = sent < 0 ? std::size_t{0} : static_cast<std::size_t>(sent);
        to.unsent.remove_prefix(done);
        return done;
    }

    /// True when the answer is whole.
    bool receive(connection& from)
    {
        const ssize_t size = ::recv(from.socket, input_.data(), input_.size(), 0);
        if (size < 0 && bench::would_block())
            return false;
        if (size <= 0)
            throw std::runtime_error("the server closed a connection");
        std::string_view answer(input_.data(), static_cast<std::size_t>(size));
        if (!from.came.empty())
            answer = from.came.append(answer);
        if (!is_whole(answer))
        {
            if (from.came.empty())
                from.came = answer;
            return false;
        }
        from.came.clear();
        const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(steady::now() - from.sent_at);
        measured_.add(static_cast<std::uint64_t>(took.count()));
        ++count_;
        return true;
    }

    bool is_whole(std::string_view answer)
    {
        const std::size_t head = bench::end_of_head(answer);
        if (head == answer.npos)
            return false;
        const auto length = bench::content_length(answer.substr(0, head));
        if (!answer.starts_with(expected_))
            throw std::runtime_error("another answer than expected: " + std::string(answer.substr(0, 2000)));
        if (!length || answer.size() > head + *length)
            throw std::runtime_error(
                "an answer of an unclear length: " + std::string(answer.substr(0, 2000))
            );
        return answer.size() == head + *length;
    }

    const options& wanted_;
    request_source requests_;
    std::string expected_;
    int epoll_ = bench::checked(epoll_create1(0), "epoll_create1");
    std::vector<connection> connections_;
    std::vector<connection*> free_;  // where there is a rate
    steady::time_point due_;         // the next request
    std::array<char, 65536> input_;
    bench::latencies measured_;
    unsigned long count_ = 0;
    bool exhausted_ = false;
};

}  // namespace

int main(int count, char** arguments)
try
{
    const options wanted = read_options(count, arguments);
    load(wanted).run();
}
catch (const std::exception& failure)
{
    std::fprintf(stderr, "gate_load: %s\n", failure.what());
    return 1;
}
