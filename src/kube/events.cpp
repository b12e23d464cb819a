#include <portitor/kube/events.hpp>
#include <portitor/kube/json_patch.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <atomic>

namespace portitor::kube {

namespace asio = boost::asio;

namespace {

constexpr resource event_kind{"", "v1", "events", "Event"};
constexpr std::size_t most_in_flight = 64;
constexpr std::size_t longest_message = 1024;  // the API server's own limit
constexpr std::size_t most_entries = 2048;
constexpr double first_events = 25;
constexpr double seconds_per_event = 300;

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

// So much of a name that more may follow after a dot.
std::string name_start(const std::string& name)
{
    constexpr std::size_t longest = 200;
    std::string out = name.substr(0, longest);
    while (out.ends_with('.') || out.ends_with('-'))
        out.pop_back();
    return out;
}

}  // namespace

event_recorder::event_recorder(const environment& around, task_group& tasks, std::string component)
    : around_(around), tasks_(tasks), component_(std::move(component)),
      dropped_(around.metrics.counter("portitor_events_dropped_total", "Events that were not written"))
{}

void event_recorder::record(const object& about, std::string type, std::string reason, std::string message)
{
    message = cut(std::move(message), longest_message);
    if (in_flight_ >= most_in_flight || !may_record(about.meta.uid))
    {
        dropped_.add();
        return;
    }
    entry& of = find(about, {about.meta.uid, std::move(type), std::move(reason), std::move(message)});
    ++of.count;
    if (std::exchange(of.writing, true))
        return;
    ++in_flight_;
    tasks_.spawn("event", write(entries_.begin()));
}

bool event_recorder::may_record(const std::string& uid)
{
    const auto now = around_.timers.now();
    auto [at, fresh] = allowances_.try_emplace(uid, allowance{first_events, now});
    allowance& left = at->second;
    const std::chrono::duration<double> passed = now - left.refilled_at;
    left.tokens = std::min(first_events, left.tokens + passed.count() / seconds_per_event);
    left.refilled_at = now;
    if (left.tokens < 1)
        return false;
    left.tokens -= 1;
    // An object that has been quiet for long needs no memory.
    if (fresh && allowances_.size() > most_entries)
        std::erase_if(allowances_, [&](const auto& each) {
            return each.first != uid && each.second.tokens + 1 >= first_events;
        });
    if (allowances_.size() > 2 * most_entries)
        allowances_.clear();
    return true;
}

event_recorder::entry& event_recorder::find(const object& about, identity id)
{
    if (const auto at = by_identity_.find(id); at != by_identity_.end())
    {
        entries_.splice(entries_.begin(), entries_, at->second);
        return entries_.front();
    }
    const auto& [uid, type, reason, message] = id;
    entry fresh;
    fresh.manifest = make_manifest(about, type, reason, message);
    fresh.id = id;
    entries_.push_front(std::move(fresh));
    by_identity_.emplace(std::move(id), entries_.begin());
    forget_oldest();
    return entries_.front();
}

void event_recorder::forget_oldest()
{
    if (entries_.size() <= most_entries || entries_.back().writing)
        return;
    by_identity_.erase(entries_.back().id);
    entries_.pop_back();
}

boost::json::object event_recorder::make_manifest(
    const object& about, const std::string& type, const std::string& reason, std::string message
)
{
    const std::string now = to_rfc3339(around_.clock.now());
    const boost::json::object metadata{
        {"name", fmt::format("{}.{}", name_start(about.meta.name), unique_suffix())},
        {"namespace", about.meta.ns.empty() ? "default" : about.meta.ns},
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
    return {
        {"apiVersion", "v1"},
        {"kind", "Event"},
        {"metadata", metadata},
        {"involvedObject", involved},
        {"type", type},
        {"reason", reason},
        {"message", std::move(message)},
        {"source", source},
        {"firstTimestamp", now},
        {"lastTimestamp", now},
        {"count", 1},
        {"reportingComponent", component_},
    };
}

asio::awaitable<void> event_recorder::write(std::list<entry>::iterator which)
{
    // What comes while one is being written is one more write, whatever the number.
    while (which->written < which->count)
    {
        const int count = which->count;
        const auto sent = co_await send(which);
        if (!sent)
        {
            around_.log.debug("an Event could not be written", {{"err", sent.error().message()}});
            dropped_.add();
        }
        which->written = count;
    }
    which->writing = false;
    --in_flight_;
}

asio::awaitable<api_result<object_ptr>> event_recorder::send(std::list<entry>::iterator which)
{
    boost::json::object manifest = which->manifest;
    const std::string now = to_rfc3339(around_.clock.now());
    manifest["count"] = which->count;
    manifest["lastTimestamp"] = now;
    if (which->written > 0)
    {
        const object_key key{string_at(manifest, "metadata.namespace"), string_at(manifest, "metadata.name")};
        boost::json::array operations;
        operations.push_back(patch_operation("replace", "/count", which->count));
        operations.push_back(patch_operation("replace", "/lastTimestamp", boost::json::value(now)));
        auto patched = co_await around_.server.patch(event_kind, key, std::move(operations));
        // The API server forgets Events after an hour; one that is gone is written anew.
        if (patched || !patched.error().is_not_found())
            co_return patched;
    }
    co_return co_await around_.server.create(event_kind, std::move(manifest), request_class::normal);
}

}  // namespace portitor::kube
