#include "world.hpp"

#include <portitor/kube/credentials.hpp>

#include <cstdlib>
#include <iostream>
#include <sstream>

namespace portitor::test {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

// How far the test's time goes in a millisecond in which nobody had anything to do.
constexpr auto fast_step = 100ms;

asio::awaitable<void>
create_some(kube::api& server, std::string stem, int first, int step, int count, bool& failed)
{
    for (int i = first; i < count; i += step)
    {
        json::object wanted = widget(fmt::format("{}-{:04}", stem, i), i);
        const auto made = co_await server.create(widgets, std::move(wanted), kube::request_class::normal);
        failed = failed || !made;
    }
}

asio::awaitable<void> finish(task_group& tasks)
{
    tasks.cancel();
    co_await tasks.join();
}

}  // namespace

bool server_is(const std::string& name)
{
    const char* wanted = std::getenv("PORTITOR_TEST_SERVER");
    return name == (wanted ? wanted : "fake");
}

world::world()
{
    if (server_is("real"))
    {
        time_ = std::make_unique<steady_timekeeper>();
        auto made = std::make_unique<real_server>(context);
        real_server& real = *made;
        server_ = std::move(made);
        run(real.reset());
    }
    else
    {
        auto made = std::make_unique<manual_timekeeper>();
        fast_ = made.get();
        time_ = std::move(made);
        if (server_is("sandbox"))
            server_ = std::make_unique<sandbox_server>(context.get_executor(), *time_);
        else
            server_ = std::make_unique<fake_server>(context, *time_);
    }
    other_ = std::make_unique<client>(*this);
}

world::~world()
{
    other_.reset();
    if (server_is("fake"))
        run(fake().close());
}

bool world::can(ability what, const std::string& reason)
{
    if (server_->can(what))
        return true;
    std::cout << "SKIPPED: " << reason << std::endl;
    return false;
}

void world::run(asio::awaitable<void> work, std::chrono::seconds limit)
{
    auto wrapped = [](asio::awaitable<void> inner) -> asio::awaitable<bool> {
        co_await std::move(inner);
        co_return true;
    };
    run<bool>(wrapped(std::move(work)), limit);
}

bool world::step()
{
    context.restart();
    if (!fast_)
        return context.run_one_for(20ms) > 0;
    return context.poll() > 0 || context.run_one_for(1ms) > 0;
}

bool world::wait(const std::function<bool()>& condition, std::chrono::seconds limit)
{
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!condition())
    {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        if (step() || !fast_)
            continue;
        const auto next = fast_->next_expiry();
        if (next != timekeeper::time_point::max())
            fast_->advance(std::clamp<std::chrono::milliseconds>(
                std::chrono::ceil<std::chrono::milliseconds>(next - fast_->now()), 0ms, fast_step
            ));
    }
    return true;
}

void world::pass(std::chrono::milliseconds duration)
{
    const auto end = time_->now() + duration;
    while (time_->now() < end)
    {
        if (step() || !fast_)
            continue;
        const auto next = std::max(std::min(fast_->next_expiry(), end), fast_->now());
        fast_->advance(std::chrono::ceil<std::chrono::milliseconds>(next - fast_->now()));
    }
}

client::client(world& in, const std::string& kubeconfig) : in_(in)
{
    api = in.server().connect(numbers);
    if (api)
        return;
    auto who = kube::load_kubeconfig(in.context.get_executor(), in.time(), kubeconfig, "");
    api = kube::make_api(in.context.get_executor(), std::move(who.value()), {}, in.time(), numbers);
}

double client::sum(const std::string& name, const std::string& labels) const
{
    std::istringstream lines(numbers.expose());
    double out = 0;
    for (std::string line; std::getline(lines, line);)
    {
        const auto end = line.find_last_of(' ');
        const auto brace = line.find('{');
        const bool same = line.substr(0, std::min(brace, end)) == name;
        if (same && line.find(labels) != line.npos)
            out += std::stod(line.substr(end + 1));
    }
    return out;
}

watching::watching(world& in, client& by, kube::selection which, kube::watch_options timing)
    : informer(by.around(), widgets, std::move(which), kube::parse_object, timing), in_(in), by_(by),
      tasks_(in.context.get_executor(), by.log)
{
    informer.on_change([this](const kube::change<kube::object>& each) {
        const char* sign = !each.before ? "+" : !each.after ? "-" : "";
        told.push_back(sign + each.key().name);
    });
    tasks_.spawn("informer", informer.run());
}

watching::~watching()
{
    in_.run(finish(tasks_));
}

kube::object_ptr watching::find(const std::string& name) const
{
    return informer.objects().find(widget_key(name));
}

json::object widget(const std::string& name, int size)
{
    return {
        {"apiVersion", "test.example/v1"},
        {"kind", "Widget"},
        {"metadata", {{"namespace", "default"}, {"name", name}}},
        {"spec", {{"size", size}}},
    };
}

kube::object_key widget_key(const std::string& name)
{
    return {"default", name};
}

kube::object_ptr create_widget(world& in, const std::string& name, int size)
{
    auto made = in.run(in.other().api->create(widgets, widget(name, size), kube::request_class::normal));
    return made.value();
}

kube::object_ptr resize_widget(world& in, const std::string& name, int size)
{
    kube::apply_options how;
    how.field_manager = "portitor";
    auto made = in.run(in.other().api->apply(widgets, widget(name, size), how));
    return made.value();
}

void remove_widget(world& in, const std::string& name)
{
    const auto live = in.run(in.other().api->get(widgets, widget_key(name)));
    kube::delete_options which;
    which.uid = live.value()->meta.uid;
    in.run(in.other().api->remove(widgets, widget_key(name), which)).value();
}

void create_widgets(world& in, const std::string& stem, int count)
{
    constexpr int at_once = 16;
    bool failed = false;
    task_group tasks(in.context.get_executor(), in.other().log);
    for (int i = 0; i < at_once; ++i)
        tasks.spawn("create", create_some(*in.other().api, stem, i, at_once, count, failed));
    in.run(tasks.join());
    REQUIRE_FALSE(failed);
}

bool exists(world& in, const std::string& name)
{
    const auto got = in.run(in.other().api->get(widgets, widget_key(name)));
    if (!got && !got.error().is_not_found())
        FAIL(got.error().message());
    return got.has_value();
}

}  // namespace portitor::test
