#include <portitor/http/name_lookup.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cerrno>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <sys/eventfd.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace portitor::http {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// Threads that wait for name servers, in the whole process.
constexpr int most_questions = 64;
std::atomic<int> questions = 0;

/// One question, shared by its thread and whoever asked; each may be gone before the other.
class question
{
public:
    question() : signal_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { ++questions; }
    question(const question&) = delete;
    question& operator=(const question&) = delete;
    ~question()
    {
        if (signal_ >= 0)
            ::close(signal_);
        --questions;
    }

    bool is_good() const { return signal_ >= 0 && questions <= most_questions; }

    void answer(result<addresses> said)
    {
        const std::lock_guard held(guard_);
        answer_ = std::move(said);
        ::eventfd_write(signal_, 1);
    }

    result<addresses> take()
    {
        const std::lock_guard held(guard_);
        return answer_ ? std::move(*answer_) : fail(errc::canceled, "canceled");
    }

    /// Of one's own, readable as soon as there is an answer.
    int signal() const { return ::dup(signal_); }

private:
    int signal_;
    std::mutex guard_;
    std::optional<result<addresses>> answer_;
};

result<addresses> ask_system(const std::string& host, std::uint16_t port)
{
    asio::io_context own;
    tcp::resolver resolver(own);
    boost::system::error_code failed;
    const auto found = resolver.resolve(host, std::to_string(port), failed);
    if (failed)
        return fail(errc::unavailable, "cannot resolve {}: {}", host, failed.message());
    addresses out;
    for (const auto& each : found)
        out.push_back(each.endpoint());
    return out;
}

result<void> start(std::shared_ptr<question> about, origin server, name_service ask)
{
    try
    {
        // Nobody waits for it: it holds nothing but the question.
        std::thread([about, server = std::move(server), ask = std::move(ask)] {
            try
            {
                about->answer(ask(server.host, server.port));
            }
            catch (const std::exception& thrown)
            {
                about->answer(fail(errc::unavailable, "cannot resolve {}: {}", server.host, thrown.what()));
            }
        }).detach();
        return {};
    }
    catch (const std::system_error& refused)
    {
        return fail(errc::unavailable, "names cannot be looked up: {}", refused.what());
    }
}

}  // namespace

asio::awaitable<result<addresses>> look_up(origin server)
{
    co_return co_await look_up(std::move(server), &ask_system);
}

asio::awaitable<result<addresses>> look_up(origin server, name_service ask)
{
    boost::system::error_code not_literal;
    const auto address = asio::ip::make_address(server.host, not_literal);
    if (!not_literal)
        co_return addresses{tcp::endpoint(address, server.port)};
    const auto about = std::make_shared<question>();
    const int signal = about->is_good() ? about->signal() : -1;
    if (signal < 0)
        co_return fail(
            errc::unavailable, "cannot resolve {}: too many names are being looked up", server.host
        );
    asio::posix::stream_descriptor answered(co_await asio::this_coro::executor, signal);
    const auto started = start(about, std::move(server), std::move(ask));
    if (!started)
        co_return started.error();
    co_await answered.async_wait(
        asio::posix::stream_descriptor::wait_read, asio::as_tuple(asio::use_awaitable)
    );
    co_return about->take();
}

}  // namespace portitor::http
