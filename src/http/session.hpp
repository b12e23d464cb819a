#pragma once

#include "http/peer_shares.hpp"
#include "http/request_parser.hpp"

#include <portitor/http/server.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <type_traits>
#include <utility>

namespace portitor::http {

/// What one request needs while it is read and answered: lent to connections that have one.
struct server::work
{
    boost::beast::flat_buffer input;  ///< bytes that came and are not parsed yet
    server_request request;
    std::optional<request_parser> parser;   ///< empty between two requests
    std::string output;                     ///< answers that are to be written
    std::optional<response_writer> writer;  ///< of the request's answer: what a coroutine may refer to
};

/// One connection, as its server sees it.
class server::session
{
public:
    using executor = boost::asio::io_context::executor_type;

    session(server& owner, const peer_shares::peer& who) : owner_(owner), who_(who)
    {
        owner_.open_.push_back(this);
        place_ = std::prev(owner_.open_.end());
        owner_.shares_->take(who_);
        if (owner_.count_open_ != nullptr)
            owner_.count_open_->add(1);
    }
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    virtual ~session()
    {
        hold(0);
        owner_.open_.erase(place_);
        owner_.shares_->give_back(who_);
        if (owner_.count_open_ != nullptr)
            owner_.count_open_->add(-1);
    }

    virtual boost::asio::awaitable<void, executor> run() = 0;

    /// An idle connection is closed at once on a drain; a busy one after its answer, which says so.
    void close_soon()
    {
        if (idle_)
            cancel();
        if (pending_ != nullptr)
            pending_->close_after();
    }

    /// Ends what takes longer than it may.
    void expire(std::uint64_t now)
    {
        if (now < deadline_)
            return;
        deadline_ = never;
        timed_out_ = true;
        cancel();
    }

    /// Bytes of a request that is not whole.
    std::size_t held() const { return held_; }

    /// Ends as if it had taken too long.
    void give_up()
    {
        hold(0);
        timed_out_ = true;
        deadline_ = owner_.tick_ + 1;  // of the one that is not waiting just now
        cancel();
    }

protected:
    virtual void cancel() = 0;

    void hold(std::size_t bytes)
    {
        owner_.unfinished_ += bytes - held_;
        held_ = bytes;
    }

    void expires_after(std::chrono::milliseconds limit)
    {
        deadline_ = owner_.tick_ + 1 + limit / owner_.tick_length_;
    }
    void expires_never() { deadline_ = never; }

    server& owner_;
    bool idle_ = false;
    bool timed_out_ = false;
    response_writer* pending_ = nullptr;  // of the answer that a coroutine is writing

private:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    peer_shares::peer who_;
    std::size_t held_ = 0;
    std::uint64_t deadline_ = never;  // in ticks of the server
    std::list<session*>::iterator place_;
};

/// A connection over a plain or a TLS stream.
template <typename Stream>
class server::stream_session final : public session
{
public:
    static constexpr bool is_tls =
        !std::is_same_v<Stream, boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor>>;

    template <typename... Args>
    stream_session(server& owner, const peer_shares::peer& who, Args&&... args)
        : session(owner, who), stream_(std::forward<Args>(args)...)
    {}

    boost::asio::awaitable<void, executor> run() override
    {
        never_block();
        if constexpr (is_tls)
        {
            idle_ = true;  // a drain does not wait for a handshake
            expires_after(owner_.limits_.read_request);
            auto [failed] =
                co_await stream_.async_handshake(boost::asio::ssl::stream_base::server, as_result);
            idle_ = false;
            if (failed)
                co_return;
        }
        for (;;)
        {
            if (!work_ && head_.empty() && !wait_begins())
                break;
            const bool first = work_ == nullptr;
            auto [failed, got] = co_await stream_.async_read_some(room(), as_result);
            idle_ = false;
            if (failed || timed_out_)
            {
                const bool told = tell_of_timeout();
                if (told)
                    co_await write();
                break;
            }
            if (!first)
                work_->input.commit(got);
            else if (!take_first(got))
                continue;
            bool open = true;
            for (step next = take_requests(); open && next != step::read;)
            {
                if (next == step::wait)
                {
                    open = co_await finish_later();
                }
                else
                {
                    open = write_at_once();
                    if (open && !work_->output.empty())
                        open = co_await write_rest();
                    open = open && next == step::write;
                }
                if (open)
                    next = take_requests();
            }
            if (!open)
            {
                if (work_->input.size() > 0 || unread())
                    co_await linger();
                break;
            }
        }
        shut_down();
    }

private:
    using error_code = boost::system::error_code;

    enum class step
    {
        read,   ///< no complete request is left, and no answer is due
        write,  ///< answers are to be written, then there may be more
        close,  ///< answers are to be written, then the connection ends
        wait,   ///< a coroutine has to write the answer
    };

    static constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable_t<executor>());
    static constexpr std::size_t read_size = 8 * 1024;
    static constexpr std::size_t most_output = 64 * 1024;
    static constexpr std::size_t most_ahead = 16 * 1024;
    static constexpr std::size_t most_lingering = 4 * 1024 * 1024;

    /// What is written or read at once takes what the socket has, and no longer.
    void never_block()
    {
        error_code ignored;
        stream_.lowest_layer().non_blocking(true, ignored);
    }

    /// Between two requests; false where there is to be no other.
    bool wait_begins()
    {
        if (owner_.draining_)
            return false;
        idle_ = true;
        expires_after(owner_.limits_.idle);
        return true;
    }

    /// Where the next bytes go: while there is no request, the few that a connection has of its own.
    boost::asio::mutable_buffer room()
    {
        return work_ ? boost::asio::mutable_buffer(work_->input.prepare(read_size))
                     : boost::asio::buffer(first_bytes_);
    }

    /// False where a header is still not whole.
    bool take_first(std::size_t size)
    {
        std::string_view come(first_bytes_.data(), size);
        if (!head_.empty())
        {
            constexpr std::string_view end = "\r\n\r\n";
            const std::size_t seen = head_.size() - std::min(head_.size(), end.size() - 1);
            head_.append(come);
            if (head_.find(end, seen) == head_.npos && head_.size() <= owner_.limits_.max_header)
            {
                hold_more(head_.capacity());
                return false;
            }
            come = head_;
            resumes_ = true;
        }
        work_ = owner_.take_work();
        const auto place = work_->input.prepare(std::max(come.size(), read_size));
        std::memcpy(place.data(), come.data(), come.size());
        work_->input.commit(come.size());
        std::string().swap(head_);  // and gives its memory back
        return true;
    }

    /// A header that is not whole is kept in no more memory than it needs: it may drip.
    void set_head_aside(boost::asio::const_buffer come)
    {
        head_.assign(static_cast<const char*>(come.data()), come.size());
        work_->input.consume(come.size());
        end_request();
        hold_more(head_.capacity());
    }

    void hold_more(std::size_t bytes)
    {
        hold(bytes);
        owner_.make_room();
    }

    /// Parses what has come and answers what can be answered at once.
    step take_requests()
    {
        for (;;)
        {
            if (!work_->parser)
            {
                if (work_->input.size() == 0)
                    return between_requests();
                begin_request();
            }
            error_code ec;
            const boost::asio::const_buffer come = work_->input.data();
            const std::size_t used = work_->parser->put(come, ec);
            const bool more =
                ec == boost::beast::http::error::need_more || (!ec && !work_->parser->is_done());
            const bool in_head = !work_->parser->is_header_done();
            if (more && in_head && come.size() <= owner_.limits_.max_header)
            {
                set_head_aside(come);
                return between_requests();
            }
            work_->input.consume(used);
            // Beast limits neither chunk extensions nor trailers.
            if (more && (in_head || work_->input.size() > owner_.limits_.max_header))
                ec = boost::beast::http::error::header_limit;
            else if (more)
                return wait_for_body();
            hold(0);
            if (ec)
            {
                refuse(ec);
                return step::close;
            }
            expires_never();
            if (!answer_at_once())
                return step::wait;
            const bool keep = keeps_open();
            end_request();
            if (!keep)
                return step::close;
            if (work_->output.size() > most_output)
                return step::write;
        }
    }

    step wait_for_body()
    {
        if (!work_->output.empty())
            return step::write;
        hold_more(sizeof(work) + work_->input.capacity() + work_->request.body().size());
        return step::read;
    }

    step between_requests()
    {
        if (!work_->output.empty())
            return step::write;
        owner_.give_back(std::move(work_));
        return step::read;
    }

    void begin_request()
    {
        work_->request.clear();
        work_->parser.emplace(work_->request);
        work_->parser->header_limit(static_cast<std::uint32_t>(owner_.limits_.max_header));
        work_->parser->body_limit(owner_.limits_.max_body);
        if (!std::exchange(resumes_, false))
            expires_after(owner_.limits_.read_request);
    }

    void end_request() { work_->parser.reset(); }

    bool keeps_open() const { return work_->request.keep_alive() && !owner_.draining_; }

    /// False where a coroutine has to write the answer.
    bool answer_at_once()
    {
        const std::size_t before = work_->output.size();
        response_writer& out = new_writer();
        try
        {
            later_ = owner_.answer_(work_->request, out);
            if (later_)
                work_->output.resize(before);
            else if (!out.finished())
                write_fault(out, "it wrote no answer");
        }
        catch (const std::exception& thrown)
        {
            write_fault(out, thrown.what());
        }
        return !later_;
    }

    /// Always in the same place.
    response_writer& new_writer()
    {
        return work_->writer.emplace(work_->output, keeps_open(), work_->request.method() == verb::head);
    }

    void write_fault(response_writer& out, std::string_view what)
    {
        owner_.log_.error("a request handler failed", {{"err", what}});
        write_text(out, 500, "internal error\n");
    }

    static void write_text(response_writer& out, unsigned code, std::string_view text)
    {
        out.status(code);
        out.header("Content-Type", "text/plain; charset=utf-8");
        out.finish(text);
    }

    void refuse(error_code ec)
    {
        namespace h = boost::beast::http;
        unsigned code = 400;
        if (ec == h::error::header_limit)
            code = 431;
        else if (ec == h::error::body_limit)
            code = 413;
        response_writer out(work_->output, false, false);
        write_text(out, code, "the request is not acceptable HTTP/1.1\n");
    }

    /// A client that is too slow with its request learns why the connection ends.
    bool tell_of_timeout()
    {
        const bool begun = !head_.empty() || (work_ && work_->parser && work_->parser->got_some());
        if (!timed_out_ || !begun)
            return false;
        timed_out_ = false;
        if (!work_)
            work_ = owner_.take_work();
        response_writer out(work_->output, false, false);
        write_text(out, 408, "the request took too long\n");
        return true;
    }

    /// Writes as much as the socket takes without waiting; false where it takes nothing any more.
    bool write_at_once()
    {
        if constexpr (is_tls)
            return true;
        error_code failed;
        const std::size_t done = stream_.write_some(boost::asio::buffer(work_->output), failed);
        if (done == work_->output.size())
            clear_output();
        else
            work_->output.erase(0, done);
        return !failed || failed == boost::asio::error::would_block;
    }

    boost::asio::awaitable<bool, executor> write_rest()
    {
        expires_after(owner_.limits_.write_reply);
        auto [failed, size] =
            co_await boost::asio::async_write(stream_, boost::asio::buffer(work_->output), as_result);
        // The next request may have begun behind the ones that were answered.
        if (work_->parser || !head_.empty())
            expires_after(owner_.limits_.read_request);
        else
            expires_never();
        clear_output();
        co_return !failed;
    }

    boost::asio::awaitable<bool, executor> write()
    {
        bool written = write_at_once();
        if (written && !work_->output.empty())
            written = co_await write_rest();
        co_return written;
    }

    void clear_output()
    {
        work_->output.clear();
        if (work_->output.capacity() > 2 * most_output)
            work_->output.shrink_to_fit();
    }

    /// Tells a handler once whether its answer arrived, also where the connection is canceled.
    class delivery
    {
    public:
        explicit delivery(delivery_listener told) : told_(std::move(told)) {}
        delivery(const delivery&) = delete;
        delivery& operator=(const delivery&) = delete;
        ~delivery() { tell(false); }
        /// Whether anybody wants to know.
        bool counts() const { return static_cast<bool>(told_); }
        void tell(bool arrived)
        {
            if (const auto told = std::exchange(told_, nullptr))
                told(arrived);
        }

    private:
        delivery_listener told_;
    };

    /// Lets the coroutine write the answer; false where the connection is to end.
    boost::asio::awaitable<bool, executor> finish_later()
    {
        bool open = true;
        if (!work_->output.empty())
            open = co_await write();
        if (!open)
            co_return false;
        expires_never();
        pending_ = &new_writer();
        delivery_listener listener = co_await boost::asio::co_spawn(
            owner_.context_.get_executor(),
            write_guarded(*std::exchange(later_, std::nullopt)),
            boost::asio::use_awaitable_t<executor>()
        );
        pending_ = nullptr;
        delivery told(std::move(listener));
        const bool keep = keeps_open();
        end_request();
        open = !told.counts() || !peer_gone();
        if (open)
            open = co_await write();
        told.tell(open);
        co_return open&& keep;
    }

    boost::asio::awaitable<delivery_listener> write_guarded(pending_answer answer)
    {
        std::string what = "it wrote no answer";
        try
        {
            delivery_listener listener = co_await std::move(answer);
            if (work_->writer->finished())
                co_return listener;
        }
        catch (const boost::system::system_error& thrown)
        {
            if (thrown.code() == boost::asio::error::operation_aborted)
                throw;
            what = thrown.what();
        }
        catch (const std::exception& thrown)
        {
            what = thrown.what();
        }
        write_fault(*work_->writer, what);
        co_return delivery_listener();
    }

    /// Whether the peer has ended what it sends, though bytes may wait to be read before that end. Then
    /// nobody can tell whether it still reads (see reply::on_written).
    bool peer_gone()
    {
        pollfd line{stream_.lowest_layer().native_handle(), POLLRDHUP | POLLOUT, 0};
        while (::poll(&line, 1, 0) < 0 && errno == EINTR)
            ;
        if ((line.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0)
            return true;
        // What TLS has to say while it reads (a key update's answer) would be lost where the socket is full.
        if constexpr (is_tls)
            return (line.revents & POLLOUT) != 0 && read_to_farewell();
        return false;
    }

    /// Over TLS a peer may end its stream and leave the connection open. Takes what has come as the beginning
    /// of the next requests, so far as there is room; true where the stream has ended, or broke, behind it.
    bool read_to_farewell()
    {
        error_code ec;
        while (!ec && work_->input.size() < most_ahead)
            work_->input.commit(stream_.read_some(work_->input.prepare(read_size), ec));
        return ec && ec != boost::asio::error::would_block;
    }

    /// Whether bytes have come that nobody has read.
    bool unread()
    {
        error_code ec;
        return stream_.lowest_layer().available(ec) > 0 && !ec;
    }

    /// Reads what the client still sends, for a while: closing with bytes unread would reset the connection,
    /// and the answer could be lost with it.
    boost::asio::awaitable<void, executor> linger()
    {
        using std::chrono::milliseconds;
        shut_down();
        idle_ = !owner_.draining_;
        const milliseconds most = owner_.draining_ ? milliseconds(250) : milliseconds(2'000);
        expires_after(std::min(owner_.limits_.read_request, most));
        auto& socket = stream_.lowest_layer();
        std::array<char, 4096> waste{};
        std::size_t read = 0;
        for (bool more = true; more && read < most_lingering;)
        {
            auto [ec] = co_await socket.async_wait(boost::asio::socket_base::wait_read, as_result);
            const auto got =
                ec ? 0 : ::recv(socket.native_handle(), waste.data(), waste.size(), MSG_DONTWAIT);
            more = got > 0 || (got < 0 && errno == EAGAIN);
            read += got > 0 ? static_cast<std::size_t>(got) : 0;
        }
    }

    void shut_down()
    {
        error_code ignored;
        stream_.lowest_layer().shutdown(boost::asio::socket_base::shutdown_send, ignored);
    }

    void cancel() override
    {
        error_code ignored;
        stream_.lowest_layer().cancel(ignored);
    }

    Stream stream_;
    std::unique_ptr<work> work_;
    std::optional<pending_answer> later_;
    std::string head_;      // of a request whose header is not whole, while there is no work
    bool resumes_ = false;  // the request that begins has waited there, and its time has begun
    std::array<char, 2048> first_bytes_{};  // a usual request; what idles has no more than this
};

}  // namespace portitor::http
