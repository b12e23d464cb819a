// Portitor's side of the benchmarks against client-go: see run.py. Each sub-command prints one line of JSON.

#include <portitor/api/payment_route.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/informer.hpp>
#include <portitor/kube/work_queue.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

namespace {

using namespace portitor;
namespace asio = boost::asio;
namespace json = boost::json;
using route = api::payment_route;

double seconds_since(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

long peak_rss_kb()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
    {
        if (line.starts_with("VmHWM:"))
            return std::strtol(line.c_str() + 6, nullptr, 10);
    }
    return 0;
}

/// As the verifier does: the typed resource, every field checked, and nothing of the JSON kept.
result<std::shared_ptr<const route>> decode(json::object&& raw)
{
    auto meta = kube::parse_meta(raw);
    if (!meta)
        return meta.error();
    const kube::object live{std::move(*meta), std::move(raw)};
    auto parsed = api::parse_payment_route(live);
    if (!parsed)
        return parsed.error();
    return std::shared_ptr<const route>(std::make_shared<route>(std::move(*parsed)));
}

/// No secret, no TLS: the benchmark's server is on loopback.
class open_door final : public kube::credentials
{
public:
    explicit open_door(http::origin server) : server_(std::move(server)) {}

    const http::origin& server() const override { return server_; }
    asio::awaitable<result<kube::identity>> current() override
    {
        kube::identity who;
        who.tls = tls_;
        co_return who;
    }
    void expire() override {}

private:
    http::origin server_;
    std::shared_ptr<const http::tls_settings> tls_ = std::make_shared<http::tls_settings>();
};

/// What every sub-command runs on.
struct bench
{
    asio::io_context context{1};
    metrics numbers;
    health checks;
    steady_timekeeper time;
    system_clock wall;
    logger log{log_level::error, log_format::text};

    kube::environment around(kube::api& server)
    {
        return {context.get_executor(), server, time, wall, log, numbers, checks};
    }
};

/// Lines of a watch from memory, over and over, in pieces as they come from a socket.
class endless_lines final : public http::body_stream
{
public:
    endless_lines(const std::string& text, std::size_t lines_in_text, std::size_t lines)
        : text_(text), total_(text.size() * (lines / lines_in_text))
    {}

    unsigned status_code() const override { return 200; }
    const boost::beast::http::fields& headers() const override { return headers_; }

    asio::awaitable<result<std::string>> read_some(std::chrono::milliseconds) override
    {
        constexpr std::size_t piece = 16 * 1024;
        const std::size_t size = std::min({piece, text_.size() - at_, total_ - sent_});
        std::string out = text_.substr(at_, size);
        sent_ += size;
        at_ = (at_ + size) % text_.size();
        co_return out;
    }

private:
    const std::string& text_;
    std::size_t total_;
    std::size_t at_ = 0;
    std::size_t sent_ = 0;
    boost::beast::http::fields headers_;
};

/// An API server that has an empty list and one watch.
class one_watch final : public kube::api
{
public:
    one_watch(std::unique_ptr<http::body_stream> stream, asio::io_context& context)
        : stream_(std::move(stream)), context_(context)
    {}

    asio::awaitable<kube::api_result<kube::list_page>>
    list(kube::resource, kube::selection, kube::list_position, kube::item_handler) override
    {
        kube::list_page page;
        page.resource_version = "1";
        co_return page;
    }
    asio::awaitable<kube::api_result<std::unique_ptr<http::body_stream>>>
    watch(kube::resource, kube::selection, std::string, std::chrono::seconds) override
    {
        if (!stream_)
        {
            context_.stop();
            co_return none();
        }
        co_return std::move(stream_);
    }
    asio::awaitable<kube::api_result<kube::object_ptr>>
    get(kube::resource, kube::object_key, kube::request_class) override
    {
        co_return none();
    }
    asio::awaitable<kube::api_result<kube::object_ptr>>
    apply(kube::resource, json::object, kube::apply_options) override
    {
        co_return none();
    }
    asio::awaitable<kube::api_result<kube::object_ptr>>
    patch(kube::resource, kube::object_key, json::array) override
    {
        co_return none();
    }
    asio::awaitable<kube::api_result<kube::object_ptr>>
    replace(kube::resource, json::object, kube::request_class) override
    {
        co_return none();
    }
    asio::awaitable<kube::api_result<kube::object_ptr>>
    create(kube::resource, json::object, kube::request_class) override
    {
        co_return none();
    }
    asio::awaitable<kube::api_result<void>>
    remove(kube::resource, kube::object_key, kube::delete_options) override
    {
        co_return none();
    }

private:
    static kube::api_error none()
    {
        return kube::api_error(fail(errc::invalid, "the benchmark has no such call"));
    }

    std::unique_ptr<http::body_stream> stream_;
    asio::io_context& context_;
};

int bench_events(const std::string& file, std::size_t count)
{
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    const std::string lines = text.str();
    const auto in_file = static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
    if (in_file == 0 || count % in_file != 0)
    {
        std::cerr << "the number of events must be a multiple of the file's lines\n";
        return 1;
    }
    bench on;
    one_watch server(std::make_unique<endless_lines>(lines, in_file, count), on.context);
    kube::informer<route> routes(on.around(server), api::payment_route_resource, {}, decode);
    std::size_t seen = 0;
    routes.on_change([&](const kube::change<route>&) { ++seen; });
    const auto start = std::chrono::steady_clock::now();
    asio::co_spawn(on.context, routes.run(), asio::detached);
    on.context.run();
    const double took = seconds_since(start);
    fmt::print(
        "{{\"ns_per_event\":{:.1f},\"events\":{},\"changes\":{},\"objects\":{}}}\n",
        took * 1e9 / static_cast<double>(count),
        count,
        seen,
        routes.objects().size()
    );
    return routes.objects().size() == 0 ? 1 : 0;
}

std::unique_ptr<kube::api> connect(bench& on, const std::string& url)
{
    auto where = http::parse_url(url);
    if (!where)
        throw std::runtime_error(where.error().message());
    return kube::make_api(
        on.context.get_executor(), std::make_unique<open_door>(where->origin), {}, on.time, on.numbers
    );
}

asio::awaitable<void> stop_when_synced(kube::informer<route>& routes, asio::io_context& context)
{
    co_await routes.wait_synced();
    context.stop();
}

int bench_list(const std::string& url)
{
    bench on;
    const auto server = connect(on, url);
    kube::informer<route> routes(on.around(*server), api::payment_route_resource, {}, decode);
    const auto start = std::chrono::steady_clock::now();
    asio::co_spawn(on.context, routes.run(), asio::detached);
    asio::co_spawn(on.context, stop_when_synced(routes, on.context), asio::detached);
    on.context.run();
    fmt::print(
        "{{\"ms\":{:.3f},\"objects\":{},\"peak_rss_kb\":{}}}\n",
        seconds_since(start) * 1e3,
        routes.objects().size(),
        peak_rss_kb()
    );
    return 0;
}

asio::awaitable<void> work(kube::work_queue& queue, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i)
    {
        const auto key = co_await queue.get();
        queue.forget(*key);
        queue.done(*key);
    }
}

int bench_queue(std::size_t count)
{
    bench on;
    std::vector<kube::object_key> keys;
    for (std::size_t i = 0; i < count; ++i)
        keys.push_back({fmt::format("seller-{:02}", i % 100), fmt::format("route-{:06}", i)});
    kube::work_queue queue(on.context.get_executor(), "bench", on.time, on.numbers);
    const auto start = std::chrono::steady_clock::now();
    for (int round = 0; round < 2; ++round)
    {
        for (const kube::object_key& key : keys)
            queue.add(key);
    }
    asio::co_spawn(on.context, work(queue, count), asio::detached);
    on.context.run();
    fmt::print("{{\"ns_per_key\":{:.1f}}}\n", seconds_since(start) * 1e9 / static_cast<double>(count));
    return queue.depth() == 0 ? 0 : 1;
}

asio::awaitable<void> say_synced(kube::informer<route>& routes)
{
    co_await routes.wait_synced();
    std::cout << "{\"synced\":true}" << std::endl;
}

int bench_reconnect(const std::string& url)
{
    bench on;
    const auto server = connect(on, url);
    kube::informer<route> routes(on.around(*server), api::payment_route_resource, {}, decode);
    routes.on_change([&](const kube::change<route>& of) {
        if (of.before || !routes.synced())
            return;
        const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::system_clock::now().time_since_epoch()
        );
        std::cout << fmt::format("{{\"event\":\"{}\",\"unix_ms\":{}}}", of.key().name, now.count())
                  << std::endl;
    });
    asio::co_spawn(on.context, routes.run(), asio::detached);
    asio::co_spawn(on.context, say_synced(routes), asio::detached);
    on.context.run();
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    const std::vector<std::string> words(argv + 1, argv + argc);
    try
    {
        if (words.size() == 3 && words[0] == "event")
            return bench_events(words[1], std::stoul(words[2]));
        if (words.size() == 2 && words[0] == "list")
            return bench_list(words[1]);
        if (words.size() == 2 && words[0] == "queue")
            return bench_queue(std::stoul(words[1]));
        if (words.size() == 2 && words[0] == "reconnect")
            return bench_reconnect(words[1]);
    }
    catch (const std::exception& thrown)
    {
        std::cerr << "kube_bench: " << thrown.what() << '\n';
        return 1;
    }
    std::cerr << "usage: kube_bench event FILE N | list URL | queue N | reconnect URL\n";
    return 2;
}
