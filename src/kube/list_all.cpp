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

}  // namespace

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
