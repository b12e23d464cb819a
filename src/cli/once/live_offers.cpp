#include "cli/once/live_offers.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/kube/list_all.hpp>

namespace portitor::cli::once {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

/// Keeps what comes, whole.
class keeper final : public kube::watch_target
{
public:
    void on_list_begin() override { offers_.clear(); }

    result<void> on_item(json::object&& item, std::string_view cut) override
    {
        // Its memory lasts only during the call.
        json::object copy(item, {});
        auto read = cut.empty() ? kube::parse_object(std::move(copy))
                                : kube::parse_unreadable(std::move(copy), std::string(cut));
        if (read)
            offers_[(*read)->meta.key()] = std::move(*read);
        return {};
    }

    void on_listed() override {}
    result<void> on_upsert(json::object&&, std::string_view) override { return {}; }
    void on_removal(const kube::object_key&) override {}

    live_offers take() { return std::move(offers_); }

private:
    live_offers offers_;
};

}  // namespace

asio::awaitable<kube::api_result<live_offers>>
list_offers(kube::api& server, std::vector<kube::selection> which)
{
    keeper into;
    auto listed = co_await kube::list_all(server, api::service_offer_resource, std::move(which), into);
    if (!listed)
        co_return listed.error();
    co_return into.take();
}

}  // namespace portitor::cli::once
