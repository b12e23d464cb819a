#include <portitor/kube/list_all.hpp>

namespace portitor::kube {

namespace asio = boost::asio;

namespace {

constexpr int most_attempts = 3;

/// `room` is for how many more there is: no page is asked for once there is none.
asio::awaitable<api_result<void>>
list_part(api& server, resource kind, selection which, watch_target& target, std::size_t& room)
{
    list_position at;
    do
    {
        item_handler each = [&target, &room](boost::json::object&& item, std::string_view cut) {
            if (room == 0)
                return result<void>();
            --room;
            return target.on_item(std::move(item), cut);
        };
        auto page = co_await server.list(kind, which, at, std::move(each));
        if (!page)
            co_return page.error();
        at.continue_token = page->continue_token;
    } while (!at.continue_token.empty() && room > 0);
    co_return api_result<void>();
}

asio::awaitable<api_result<void>>
list_up_to(std::size_t most, api& server, resource kind, std::vector<selection> parts, watch_target& target)
{
    for (int attempt = 1;; ++attempt)
    {
        target.on_list_begin();
        std::size_t room = most;
        api_result<void> all;
        for (const selection& part : parts)
        {
            all = co_await list_part(server, kind, part, target, room);
            if (!all || room == 0)
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

class collection final : public watch_target
{
public:
    std::vector<object_ptr> objects;

private:
    void on_list_begin() override { objects.clear(); }

    result<void> on_item(boost::json::object&& item, std::string_view cut) override
    {
        // Its memory lasts only during the call.
        boost::json::object copy(item, boost::json::storage_ptr());
        auto read =
            cut.empty() ? parse_object(std::move(copy)) : parse_unreadable(std::move(copy), std::string(cut));
        if (read)
            objects.push_back(std::move(*read));
        return {};
    }

    void on_listed() override {}
    result<void> on_upsert(boost::json::object&&, std::string_view) override { return {}; }
    void on_removal(const object_key&) override {}
};

}  // namespace

asio::awaitable<api_result<std::vector<object_ptr>>>
list_objects(api& server, resource kind, std::vector<selection> parts, std::size_t most)
{
    collection into;
    const auto listed = co_await list_up_to(most, server, kind, std::move(parts), into);
    if (!listed)
        co_return listed.error();
    co_return std::move(into.objects);
}

asio::awaitable<api_result<void>>
list_all(api& server, resource kind, std::vector<selection> parts, watch_target& target)
{
    constexpr auto unbounded = std::numeric_limits<std::size_t>::max();
    co_return co_await list_up_to(unbounded, server, kind, std::move(parts), target);
}

}  // namespace portitor::kube
