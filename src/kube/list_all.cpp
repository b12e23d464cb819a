#include <portitor/kube/list_all.hpp>

namespace portitor::kube {

namespace asio = boost::asio;

namespace {

constexpr int most_attempts = 3;

asio::awaitable<api_result<void>> list_part(api& server, resource kind, selection which, watch_target& target)
{
    list_position at;
    do
    {
        item_handler each = [&target](boost::json::object&& item, std::string_view cut) {
            return target.on_item(std::move(item), cut);
        };
        auto page = co_await server.list(kind, which, at, std::move(each));
        if (!page)
            co_return page.error();
        at.continue_token = page->continue_token;
    } while (!at.continue_token.empty());
    co_return api_result<void>();
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
list_objects(api& server, resource kind, std::vector<selection> parts)
{
    collection into;
    const auto listed = co_await list_all(server, kind, std::move(parts), into);
    if (!listed)
        co_return listed.error();
    co_return std::move(into.objects);
}

asio::awaitable<api_result<void>>
list_all(api& server, resource kind, std::vector<selection> parts, watch_target& target)
{
    for (int attempt = 1;; ++attempt)
    {
        target.on_list_begin();
        api_result<void> all;
        for (const selection& part : parts)
        {
            all = co_await list_part(server, kind, part, target);
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
