#include <portitor/http/name_service.hpp>

#include <ares.h>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <climits>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <netinet/in.h>
#include <optional>
#include <sys/time.h>

namespace portitor::http {

namespace asio = boost::asio;
using error_code = boost::system::error_code;

namespace {

constexpr int tries = 3;
// An answer may hold thousands.
constexpr std::size_t most_addresses = 16;

std::optional<asio::ip::address> address_of(const ares_addrinfo_node& node)
{
    if (node.ai_family == AF_INET)
    {
        sockaddr_in from{};
        std::memcpy(&from, node.ai_addr, sizeof from);
        return asio::ip::address_v4(ntohl(from.sin_addr.s_addr));
    }
    if (node.ai_family == AF_INET6)
    {
        sockaddr_in6 from{};
        std::memcpy(&from, node.ai_addr, sizeof from);
        asio::ip::address_v6::bytes_type bytes{};
        std::memcpy(bytes.data(), &from.sin6_addr, bytes.size());
        return asio::ip::address_v6(bytes, from.sin6_scope_id);
    }
    return std::nullopt;
}

result<name_answer> read_answer(int status, const ares_addrinfo* said)
{
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
        return fail(errc::not_found, "{}", ares_strerror(status));
    if (status != ARES_SUCCESS)
        return fail(errc::unavailable, "{}", ares_strerror(status));
    name_answer out;
    int ttl = INT_MAX;
    for (const ares_addrinfo_node* each = said->nodes; each != nullptr; each = each->ai_next)
    {
        auto address = address_of(*each);
        if (address && out.addresses.size() < most_addresses)
            out.addresses.push_back(std::move(*address));
        ttl = std::min(ttl, each->ai_ttl);
    }
    for (const ares_addrinfo_cname* each = said->cnames; each != nullptr; each = each->next)
        ttl = std::min(ttl, each->ttl);
    if (out.addresses.empty())
        return fail(errc::not_found, "it has no address");
    out.ttl = std::chrono::seconds(std::max(ttl, 0));
    return out;
}

/// One question with a channel of c-ares of its own, so that no other waits for it and it can be abandoned.
class exchange : public std::enable_shared_from_this<exchange>
{
public:
    exchange(asio::any_io_executor on, name_taker take)
        : timer_(on), on_(std::move(on)), take_(std::move(take))
    {}
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;

    void begin(const std::string& host, const dns_settings& settings)
    {
        const int status = open(settings);
        if (status != ARES_SUCCESS)
        {
            answer(fail(errc::unavailable, "{}", ares_strerror(status)));
            return;
        }
        if (host.find('.') != host.npos && !host.ends_with('.'))
            whole_ = host + '.';
        ask(host);
        set_timer();
    }

    /// Says nothing any more, and closes every socket.
    void end()
    {
        take_ = nullptr;
        timer_.cancel();
        if (channel_ != nullptr)
            ares_destroy(std::exchange(channel_, nullptr));
    }

private:
    /// A socket of the channel, which closes it.
    struct watched
    {
        asio::posix::stream_descriptor line;
        bool wants_read = false;
        bool wants_write = false;
        bool reading = false;  // a wait is under way
        bool writing = false;
    };
    using watched_ptr = std::shared_ptr<watched>;

    void ask(const std::string& name)
    {
        ares_addrinfo_hints hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &exchange::answered, this);
    }

    // Servers refuse names of search domains that are not theirs, and c-ares then does not go on to the name
    // as it stands, which glibc does.
    bool ask_whole(int status)
    {
        const bool refused = status == ARES_ESERVFAIL || status == ARES_EREFUSED || status == ARES_ENOTIMP ||
                             status == ARES_ECONNREFUSED;
        if (!refused || whole_.empty())
            return false;
        ask(std::exchange(whole_, {}));
        return true;
    }

    int open(const dns_settings& settings)
    {
        static const int library = ares_library_init(ARES_LIB_INIT_ALL);
        if (library != ARES_SUCCESS)
            return library;
        ares_options options{};
        std::string resolv_conf = settings.resolv_conf;
        std::array<char, 3> lookups{"fb"};  // files, then DNS, whatever an nsswitch.conf says
        options.timeout = static_cast<int>(settings.first_try.count());
        options.tries = tries;
        options.lookups = lookups.data();
        options.sock_state_cb = &exchange::socket_changed;
        options.sock_state_cb_data = this;
        int given = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
        if (!resolv_conf.empty())
        {
            options.resolvconf_path = resolv_conf.data();
            given |= ARES_OPT_RESOLVCONF;
        }
        const int status = ares_init_options(&channel_, &options, given);
        if (status != ARES_SUCCESS || settings.servers.empty())
            return status;
        return ares_set_servers_ports_csv(channel_, settings.servers.c_str());
    }

    static void socket_changed(void* self, ares_socket_t socket, int readable, int writable)
    {
        static_cast<exchange*>(self)->watch(socket, readable != 0, writable != 0);
    }

    static void answered(void* self, int status, int, ares_addrinfo* said)
    {
        const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> held(said, &ares_freeaddrinfo);
        auto& mine = *static_cast<exchange*>(self);
        if (!mine.ask_whole(status))
            mine.answer(read_answer(status, said));
    }

    /// Not within c-ares, which must not be ended by its own callback.
    void answer(result<name_answer> said)
    {
        if (!take_)
            return;
        asio::post(on_, [self = weak_from_this(), said = std::move(said)] {
            const auto alive = self.lock();
            if (!alive || !alive->take_)
                return;
            const name_taker take = std::exchange(alive->take_, nullptr);
            alive->end();
            take(said);
        });
    }

    void watch(ares_socket_t socket, bool readable, bool writable)
    {
        const auto known = sockets_.find(socket);
        if (!readable && !writable)
        {
            if (known == sockets_.end())
                return;
            known->second->line.release();
            sockets_.erase(known);
            return;
        }
        watched_ptr line = known == sockets_.end() ? nullptr : known->second;
        if (!line)
        {
            line = std::make_shared<watched>(asio::posix::stream_descriptor(on_, socket));
            sockets_.emplace(socket, line);
        }
        line->wants_read = readable;
        line->wants_write = writable;
        wait(line);
    }

    auto when_ready(const watched_ptr& line, bool to_read)
    {
        return [self = weak_from_this(), which = std::weak_ptr(line), to_read](error_code failed) {
            const auto alive = self.lock();
            const auto ready = which.lock();
            if (failed || !alive || !ready)
                return;
            (to_read ? ready->reading : ready->writing) = false;
            const ares_socket_t socket = ready->line.native_handle();
            alive->process(to_read ? socket : ARES_SOCKET_BAD, to_read ? ARES_SOCKET_BAD : socket);
            if (ready->line.is_open())
                alive->wait(ready);
        };
    }

    void wait(const watched_ptr& line)
    {
        using descriptor = asio::posix::stream_descriptor;
        if (line->wants_read && !line->reading)
        {
            line->reading = true;
            line->line.async_wait(descriptor::wait_read, when_ready(line, true));
        }
        if (line->wants_write && !line->writing)
        {
            line->writing = true;
            line->line.async_wait(descriptor::wait_write, when_ready(line, false));
        }
    }

    void process(ares_socket_t readable, ares_socket_t writable)
    {
        ares_process_fd(channel_, readable, writable);
        set_timer();
    }

    void set_timer()
    {
        timeval left{};
        if (ares_timeout(channel_, nullptr, &left) == nullptr)
            return;
        timer_.expires_after(std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec));
        timer_.async_wait([self = weak_from_this()](error_code failed) {
            const auto alive = self.lock();
            if (!failed && alive && alive->channel_ != nullptr)
                alive->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        });
    }

    asio::steady_timer timer_;
    asio::any_io_executor on_;
    name_taker take_;
    std::string whole_;  // the name without search domains, where that is to be asked for yet
    ares_channel channel_ = nullptr;
    std::map<ares_socket_t, watched_ptr> sockets_;
};

class dns_question final : public name_question
{
public:
    explicit dns_question(std::shared_ptr<exchange> held) : held_(std::move(held)) {}
    dns_question(const dns_question&) = delete;
    dns_question& operator=(const dns_question&) = delete;
    ~dns_question() override { held_->end(); }

private:
    std::shared_ptr<exchange> held_;
};

}  // namespace

name_service make_dns(dns_settings settings)
{
    return [settings = std::move(settings)](
               asio::any_io_executor on, const std::string& host, name_taker take
           ) -> std::unique_ptr<name_question> {
        auto made = std::make_shared<exchange>(std::move(on), std::move(take));
        auto out = std::make_unique<dns_question>(made);
        made->begin(host, settings);
        return out;
    };
}

}  // namespace portitor::http
