#include <portitor/http/name_lookup.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace portitor::http {

namespace asio = boost::asio;
using error_code = boost::system::error_code;

namespace {

addresses at_port(const std::vector<asio::ip::address>& found, std::uint16_t port)
{
    addresses out;
    for (const asio::ip::address& each : found)
        out.emplace_back(each, port);
    return out;
}

error unresolved(const std::string& host, std::string_view why)
{
    return fail(errc::unavailable, "cannot resolve {}: {}", host, why);
}

}  // namespace

std::string_view owner_of_name(std::string_view host)
{
    if (host.ends_with('.'))
        host.remove_suffix(1);
    constexpr std::string_view service = ".svc";
    const std::size_t at = host.find(".svc.");
    if (at != host.npos)
        host = host.substr(0, at + service.size());
    const std::size_t last = host.rfind('.');
    const std::size_t before = last == host.npos || last == 0 ? host.npos : host.rfind('.', last - 1);
    return before == host.npos ? host : host.substr(before + 1);
}

class name_lookup::table : public std::enable_shared_from_this<table>
{
public:
    using time_point = timekeeper::time_point;

    table(asio::any_io_executor executor, name_service ask, timekeeper& time, logger log, name_limits limits)
        : executor_(std::move(executor)), ask_(std::move(ask)), time_(time), log_(std::move(log)),
          limits_(limits)
    {}
    table(const table&) = delete;
    table& operator=(const table&) = delete;

    asio::awaitable<result<addresses>> look_up(origin server, time_point until)
    {
        const name_ptr about = find(server.host);
        const time_point now = time_.now();
        about->used = now;
        if (now < about->fresh_until)
            co_return at_port(about->found, server.port);
        const bool has_old = now < about->serves_until;
        if (!has_old)
            about->serves_until = {};
        if (about->question && now >= about->asked + limits_.longest)
            finish(*about, unresolved(about->host, "no answer"));
        if (!about->question && !(has_old && now < about->failed + limits_.pause))
            ask(about);
        // Nobody waits again for what has not come before.
        const time_point patience = about->failing ? now : std::min(until, about->asked + limits_.patience);
        const bool answered = co_await wait(about, has_old ? patience : until);
        if (!answered && time_.now() < about->serves_until)
            tell_of_failure(*about, "no answer in time");
        if (time_.now() < about->serves_until)
            co_return at_port(about->found, server.port);
        co_return answered ? about->failure : unresolved(about->host, "no answer in time");
    }

    void abandon_questions()
    {
        for (const auto& [host, each] : names_)
            each->question.reset();
        questions_ = 0;
    }

    std::size_t questions() const { return questions_; }
    std::size_t names() const { return names_.size(); }

private:
    struct name
    {
        std::string host;
        std::vector<asio::ip::address> found;  ///< the last good answer
        time_point fresh_until{};
        time_point serves_until{};
        time_point used{};
        std::unique_ptr<name_question> question;  ///< null where none is under way
        time_point asked{};
        bool failing = false;  ///< the last question found nothing out
        time_point failed = time_point::min();
        error failure;
        std::uint64_t ended = 0;  ///< questions
        std::set<timer*> waiting;
    };
    using name_ptr = std::shared_ptr<name>;

    enum class wanted
    {
        place,     ///< in the table
        question,  ///< under way
    };

    /// Someone who waits for a question. A name of no use goes with the last one.
    class seat
    {
    public:
        seat(std::shared_ptr<table> of, name_ptr at, timer& signal)
            : of_(std::move(of)), at_(std::move(at)), signal_(signal), ended_(at_->ended)
        {
            at_->waiting.insert(&signal_);
        }
        seat(const seat&) = delete;
        seat& operator=(const seat&) = delete;
        ~seat()
        {
            at_->waiting.erase(&signal_);
            of_->forget_if_useless(*at_);
        }

        bool is_called() const { return at_->ended != ended_; }

    private:
        std::shared_ptr<table> of_;
        name_ptr at_;
        timer& signal_;
        std::uint64_t ended_;
    };

    name_ptr find(const std::string& host)
    {
        const auto known = names_.find(host);
        if (known != names_.end())
            return known->second;
        if (names_.size() >= limits_.max_names)
            make_room(wanted::place);
        auto made = std::make_shared<name>();
        made->host = host;
        names_.emplace(host, made);
        return made;
    }

    void ask(const name_ptr& about)
    {
        if (questions_ >= limits_.max_questions)
            make_room(wanted::question);
        ++questions_;
        about->asked = time_.now();
        about->question = ask_(
            executor_,
            about->host,
            [self = weak_from_this(), which = std::weak_ptr(about)](result<name_answer> said) {
                const auto alive = self.lock();
                const auto still = which.lock();
                if (alive && still)
                    alive->take(*still, std::move(said));
            }
        );
    }

    void take(name& about, result<name_answer> said)
    {
        const time_point now = time_.now();
        if (said)
        {
            about.found = std::move(said->addresses);
            about.fresh_until =
                now + std::clamp<std::chrono::milliseconds>(said->ttl, limits_.least_ttl, limits_.most_ttl);
            about.serves_until = now + limits_.keep;
            about.failing = false;
            if (std::exchange(told_, false))
                log_.info("names are looked up again", {{"host", about.host}});
            finish(about, {});
            return;
        }
        if (said.error().code() == errc::not_found)
            about.serves_until = {};
        finish(about, unresolved(about.host, said.error().message()));
        forget_if_useless(about);
    }

    /// Ends its question, and wakes all who wait for it.
    void finish(name& about, error failure)
    {
        if (std::exchange(about.question, nullptr))
            --questions_;
        ++about.ended;
        about.failure = std::move(failure);
        if (!about.failure.message().empty())
        {
            about.failed = time_.now();
            if (about.failed < about.serves_until)
                tell_of_failure(about, about.failure.message());
        }
        for (timer* each : about.waiting)
            each->cancel();
    }

    /// Whoever has most of them gives one up.
    void make_room(wanted what)
    {
        const auto counts = [&](const name& each) { return what == wanted::place || each.question; };
        std::map<std::string_view, std::size_t> share;
        std::size_t most = 0;
        for (const auto& [host, each] : names_)
        {
            if (counts(*each))
                most = std::max(most, ++share[owner_of_name(host)]);
        }
        name_ptr goes;
        for (const auto& [host, each] : names_)
        {
            if (counts(*each) && share[owner_of_name(host)] == most && (!goes || goes_before(*each, *goes)))
                goes = each;
        }
        if (!goes)
            return;
        if (goes->question)
            finish(*goes, unresolved(goes->host, "too many names are being looked up"));
        if (what == wanted::place)
            names_.erase(goes->host);
        else
            forget_if_useless(*goes);
    }

    static bool goes_before(const name& left, const name& right)
    {
        if (left.waiting.empty() != right.waiting.empty())
            return left.waiting.empty();
        return left.waiting.empty() ? left.used < right.used : left.asked < right.asked;
    }

    void forget_if_useless(const name& about)
    {
        // Not by the time, which may have gone before the last who waited.
        const bool useful = about.question || !about.waiting.empty() || about.serves_until != time_point();
        const auto place = names_.find(about.host);
        if (!useful && place != names_.end() && place->second.get() == &about)
            names_.erase(place);
    }

    void tell_of_failure(name& about, std::string_view why)
    {
        about.failing = true;
        if (!std::exchange(told_, true))
            log_.warn(
                "names cannot be looked up; their last addresses serve", {{"host", about.host}, {"err", why}}
            );
    }

    /// False where the time is over first.
    asio::awaitable<bool> wait(name_ptr about, time_point until)
    {
        if (!about->question)
            co_return true;
        if (time_.now() >= until)
            co_return false;
        const auto signal = time_.make_timer(executor_);
        signal->expires_at(until);
        const seat taken(shared_from_this(), about, *signal);
        co_await signal->wait();
        // Another question may have begun since, but not before this one had ended.
        co_return taken.is_called();
    }

    asio::any_io_executor executor_;
    name_service ask_;
    timekeeper& time_;
    logger log_;
    name_limits limits_;
    std::map<std::string, name_ptr> names_;
    std::size_t questions_ = 0;
    bool told_ = false;  // that last addresses serve
};

name_lookup::name_lookup(
    asio::any_io_executor executor, name_service ask, timekeeper& time, logger log, name_limits limits
)
    : table_(std::make_shared<table>(std::move(executor), std::move(ask), time, std::move(log), limits))
{}

name_lookup::~name_lookup()
{
    table_->abandon_questions();
}

asio::awaitable<result<addresses>> name_lookup::look_up(origin server, timekeeper::time_point until)
{
    error_code not_literal;
    const auto address = asio::ip::make_address(server.host, not_literal);
    if (!not_literal)
        co_return addresses{{address, server.port}};
    const auto held = table_;
    auto found = co_await held->look_up(std::move(server), until);
    co_return found;
}

std::size_t name_lookup::questions() const noexcept
{
    return table_->questions();
}

std::size_t name_lookup::names() const noexcept
{
    return table_->names();
}

asio::awaitable<result<addresses>> look_up(origin server)
{
    steady_timekeeper time;
    name_lookup once(co_await asio::this_coro::executor, make_dns(), time);
    auto found = co_await once.look_up(std::move(server), timekeeper::time_point::max());
    co_return found;
}

}  // namespace portitor::http
