#include "cli/once/live_offers.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/kube/list_all.hpp>

namespace portitor::cli::once {

namespace asio = boost::asio;

asio::awaitable<kube::api_result<live_offers>>
list_offers(kube::api& server, std::vector<kube::selection> which)
{
    auto listed = co_await kube::list_objects(server, api::service_offer_resource, std::move(which));
    if (!listed)
        co_return listed.error();
    live_offers out;
    for (kube::object_ptr& each : *listed)
        out[each->meta.key()] = std::move(each);
    co_return out;
}

}  // namespace portitor::cli::once
