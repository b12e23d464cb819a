#include <portitor/kube/list_all.hpp>

namespace portitor::kube {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr int most_attempts = 3;

// Of keys and texts; how deep it is the reader has bounded.
std::size_t bytes_of(const json::object& object);

std::size_t bytes_of(const json::value& value)
{
    std::size_t out = 0;
    if (const json::string* text = value.if_string())
        out = text->size();
    else if (const json::array* list = value.if_array())
    {
        for (const json::value& each : *list)
            out += bytes_of(each);
    }
    else if (const json::object* object = value.if_object())
        out = bytes_of(*object);
    return out;
}

std::size_t bytes_of(const json::object& object)
{
    std::size_t out = 0;
    for (const auto& [key, member] : object)
        out += key.size() + bytes_of(member);
    return out;
}

/// How much of a list has come.
class tally
{
public:
    tally(resource kind, const list_bounds& bounds) : kind_(kind), bounds_(bounds) {}

    result<void> add(const json::object& item)
    {
        bytes_ += bytes_of(item);
        if (++objects_ > bounds_.objects)
            return too_much(bounds_.objects, "objects");
        if (bytes_ > bounds_.bytes)
            return too_much(bounds_.bytes, "bytes");
        return go_on();
    }

    /// There is no need for more.
    bool is_enough() const { return bounds_.cut && objects_ >= bounds_.objects; }

    result<void> add_page() { return ++pages_ >= bounds_.pages ? too_much(bounds_.pages, "pages") : go_on(); }

    result<void> go_on() const
    {
        if (bounds_.stop && bounds_.stop->requested())
            return fail(errc::canceled, "interrupted while {} were being listed", kind_.plural);
        return {};
    }

private:
    error too_much(std::size_t most, const char* what) const
    {
        return fail(
            errc::protocol,
            "the API server's list of {} does not end within {} {}: nothing is made of it",
            kind_.plural,
            most,
            what
        );
    }

    const resource kind_;
    const list_bounds bounds_;
    std::size_t objects_ = 0;
    std::size_t pages_ = 0;
    std::size_t bytes_ = 0;
};

class collection final : public watch_target
{
public:
    std::vector<object_ptr> objects;

private:
    void on_list_begin() override { objects.clear(); }

    result<void> on_item(json::object&& item, std::string_view cut) override
    {
        // Its memory lasts only during the call.
        json::object copy(item, json::storage_ptr());
        auto read =
            cut.empty() ? parse_object(std::move(copy)) : parse_unreadable(std::move(copy), std::string(cut));
        if (read)
            objects.push_back(std::move(*read));
        return {};
    }

    void on_listed() override {}
    result<void> on_upsert(json::object&&, std::string_view) override { return {}; }
    void on_removal(const object_key&) override {}
};

}  // namespace

asio::awaitable<api_result<void>>
list_each(api& server, resource kind, selection which, item_handler each, list_bounds bounds)
{
    tally so_far(kind, bounds);
    const item_handler counted = [&](json::object&& item, std::string_view cut) {
        if (so_far.is_enough())
            return result<void>();
        auto within = so_far.add(item);
        return within ? each(std::move(item), cut) : within;
    };
    list_position at;
    for (;;)
    {
        auto page = co_await server.list(kind, which, at, counted);
        if (!page)
            co_return page.error();
        at.continue_token = page->continue_token;
        if (at.continue_token.empty() || so_far.is_enough())
            co_return api_result<void>();
        const auto within = so_far.add_page();
        if (!within)
            co_return api_error(within.error());
    }
}

asio::awaitable<api_result<std::vector<object_ptr>>>
list_objects(api& server, resource kind, std::vector<selection> parts, list_bounds bounds)
{
    collection into;
    const auto listed = co_await list_all(server, kind, std::move(parts), into, bounds);
    if (!listed)
        co_return listed.error();
    co_return std::move(into.objects);
}

asio::awaitable<api_result<void>>
list_all(api& server, resource kind, std::vector<selection> parts, watch_target& target, list_bounds bounds)
{
    for (int attempt = 1;; ++attempt)
    {
        target.on_list_begin();
        api_result<void> all;
        for (const selection& part : parts)
        {
            item_handler each = [&target](json::object&& item, std::string_view cut) {
                return target.on_item(std::move(item), cut);
            };
            all = co_await list_each(server, kind, part, std::move(each), bounds);
            if (!all)
                break;
        }
        if (all)
        {
            target.on_listed();
            co_return all;
        }
        if (!all.error().is_expired() || attempt == most_attempts)
            co_return all;
    }
}

}  // namespace portitor::kube
