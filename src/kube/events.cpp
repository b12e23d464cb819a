#include <portitor/kube/events.hpp>

#include <boost/json/array.hpp>

#include <atomic>

namespace portitor::kube {

namespace {

constexpr resource event_kind{"", "v1", "events", "Event"};
constexpr std::size_t most_in_flight = 64;
constexpr std::size_t longest_message = 1024;  // the API server's own limit

// Unique among this process's events; the time keeps those of others apart.
std::string unique_suffix()
{
    static std::atomic<unsigned> count{0};
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(
                            std::chrono::system_clock::now().time_since_epoch()
    )
                            .count();
    return fmt::format("{:x}{:x}", micros, count.fetch_add(1));
}

// At most so many bytes, ending between two characters.
std::string cut(std::string text, std::size_t longest)
{
    if (text.size() <= longest)
        return text;
    while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xc0) == 0x80)
        --longest;
    text.resize(longest);
    return text;
}

}  // namespace

void event_recorder::record(const object& about, std::string type, std::string reason, std::string message)
{
    if (in_flight_ >= most_in_flight)
        return;
    const std::string now = to_rfc3339(std::chrono::system_clock::now());
    const boost::json::object metadata{
        {"name", fmt::format("{}.{}", about.meta.name.substr(0, 200), unique_suffix())},
        {"namespace", about.meta.ns},
    };
    const boost::json::object involved{
        {"apiVersion", string_at(about.raw, "apiVersion")},
        {"kind", string_at(about.raw, "kind")},
        {"namespace", about.meta.ns},
        {"name", about.meta.name},
        {"uid", about.meta.uid},
        {"resourceVersion", about.meta.resource_version},
    };
    const boost::json::object source{{"component", component_}};
    boost::json::object event{
        {"apiVersion", "v1"},
        {"kind", "Event"},
        {"metadata", metadata},
        {"involvedObject", involved},
        {"type", type},
        {"reason", reason},
        {"message", cut(std::move(message), longest_message)},
        {"source", source},
        {"firstTimestamp", now},
        {"lastTimestamp", now},
        {"count", 1},
        {"reportingComponent", component_},
    };
    ++in_flight_;
    tasks_.spawn("event", write(std::move(event)));
}

boost::asio::awaitable<void> event_recorder::write(boost::json::object event)
{
    auto written = co_await server_.create(event_kind, std::move(event));
    --in_flight_;
    if (!written)
        log_.debug("an Event could not be written", {{"err", written.error().message()}});
}

}  // namespace portitor::kube
