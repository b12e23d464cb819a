#pragma once

#include "files.hpp"
#include "sandbox/storage.hpp"
#include "server_under_test.hpp"
#include "wire.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/core/timekeeper.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace portitor::test {

/// A request as it came.
struct fake_request
{
    std::string method;
    std::string path;
    std::map<std::string, std::string> query;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;

    std::string parameter(const std::string& name) const;
    std::string header(const std::string& name) const;
    bool is_watch() const { return parameter("watch") == "1"; }
    bool is_list() const { return method == "GET" && !is_watch() && query.contains("limit"); }
};

/// Bytes to be sent instead of an answer, and what becomes of the connection then.
struct fake_answer
{
    enum class after
    {
        keep,  ///< the next request may come
        close,
        reset,   ///< without the usual farewell
        silent,  ///< it stays open, and nothing comes any more
    };

    std::string bytes;
    after then = after::keep;
};

/// A whole answer with its length.
fake_answer whole_answer(
    unsigned code,
    const std::string& body,
    const std::string& more_headers = "",
    const std::string& content_type = "application/json"
);
/// A metav1.Status.
fake_answer status_answer(
    unsigned code,
    std::string_view reason,
    const std::string& more_headers = "",
    boost::json::array causes = {}
);

/// How ordinary answers with a body of no fixed length go over the wire.
struct fake_shape
{
    std::size_t piece = 0;                 ///< bytes of a chunk, sent one by one; 0: as they come
    std::chrono::milliseconds between{0};  ///< the test's time between two pieces
};

/// The sandbox's storage behind HTTP on loopback, in the test's own thread and time; what goes over the wire
/// is the test's to say.
class fake_server final : public server_under_test
{
public:
    using predicate = std::function<bool(const fake_request&)>;

    fake_server(boost::asio::io_context& context, timekeeper& time);
    ~fake_server() override;

    bool can(ability what) const override;
    std::string kubeconfig() override;
    std::string token_kubeconfig() override;
    boost::asio::awaitable<void> stop() override;
    boost::asio::awaitable<void> start() override;
    boost::asio::awaitable<void> freeze() override;
    boost::asio::awaitable<void> thaw() override;
    boost::asio::awaitable<void> compact() override;
    boost::asio::awaitable<void> drop_kind() override;
    boost::asio::awaitable<void> add_kind() override;
    boost::asio::awaitable<void> rotate_token() override;
    boost::asio::awaitable<void> remove_unseen(kube::object_key widget) override;

    /// The next `times` requests that match are answered so.
    void answer(predicate which, fake_answer with, int times = 1);
    /// A line on every open watch.
    void say(const std::string& line);
    /// A bookmark with the newest version on every open watch.
    void bookmark();
    /// Ends all watches: in order, or in the middle of a line.
    void end_watches();
    void break_watches(const std::string& last_bytes);
    /// Continue tokens are only good for a while.
    void expire_pages() { storage.expire_lists(); }

    fake_shape shape;
    system_clock wall;
    sandbox::storage storage;
    const std::deque<fake_request>& seen() const { return seen_; }
    std::size_t count(const predicate& which) const;
    std::size_t open_watches() const { return watches_.size(); }

    /// Ends all of it.
    boost::asio::awaitable<void> close();

private:
    struct rule
    {
        predicate which;
        fake_answer with;
        int times;
    };

    struct open_watch
    {
        timer* signal = nullptr;
        std::deque<std::string> lines;  ///< to be sent as they are
        bool ended = false;
        std::optional<std::string> last_bytes;
    };

    void listen();
    void wake();
    boost::asio::awaitable<void> accept(unsigned generation);
    boost::asio::awaitable<void> serve(std::shared_ptr<wire> line, unsigned generation);
    boost::asio::awaitable<bool> answer_one(wire& line, const fake_request& request, unsigned generation);
    boost::asio::awaitable<bool> carry_out(wire& line, fake_answer what, unsigned generation);
    boost::asio::awaitable<void> thawed();
    boost::asio::awaitable<bool> send_streamed(wire& line, std::string head, std::string body, bool end);
    boost::asio::awaitable<bool> send_list(wire& line, const std::string& kind, const fake_request& request);
    boost::asio::awaitable<bool>
    send_watch(wire& line, const std::string& kind, const fake_request& request, unsigned generation);
    boost::asio::awaitable<bool> follow(
        wire& line,
        open_watch& state,
        const std::string& kind,
        const fake_request& request,
        unsigned generation
    );
    sandbox::answer answer_to(
        const std::string& kind,
        const kube::object_key& key,
        const std::string& part,
        const fake_request& request
    );
    std::string write_kubeconfig(const std::string& name, const std::string& user) const;

    boost::asio::io_context& context_;
    timekeeper& time_;
    temp_folder folder_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_ = 0;
    unsigned generation_ = 0;  ///< of the process, so to say
    std::list<std::weak_ptr<wire>> lines_;
    bool frozen_ = false;
    std::unique_ptr<timer> thaw_;
    std::deque<rule> rules_;
    std::list<open_watch> watches_;
    std::set<std::string> tokens_{"admin", "token-1"};
    int last_token_ = 1;
    std::deque<fake_request> seen_;
    task_group tasks_;
};

}  // namespace portitor::test
