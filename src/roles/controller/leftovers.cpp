#include "roles/controller/leftovers.hpp"

#include "offer/leftover.hpp"
#include "offer/registration_plan.hpp"

#include <portitor/api/resources.hpp>

namespace portitor::controller {

namespace asio = boost::asio;

asio::awaitable<result<std::optional<leftovers::found>>>
leftovers::look_at(kube::object_ptr request, std::optional<kube::object_identity> present)
{
    using outcome = result<std::optional<found>>;
    auto former = request ? offer::former_offer(*request, present ? &*present : nullptr) : std::nullopt;
    if (!former)
        co_return outcome(std::nullopt);
    const auto exists = co_await is_there(*former);
    if (!exists)
        co_return exists.error();
    if (*exists)
        co_return outcome(std::nullopt);
    const clock::time_point now = wall_.now();
    const auto since = since_.emplace(request->meta.uid, now).first->second;
    found out{*former, offer::make_leftover_plan(*request, *former, since, settings_, now)};
    if (!out.todo.releases.empty())
        since_.erase(request->meta.uid);
    co_return outcome(std::move(out));
}

// By a list: offers are listed anyway, so it takes no further right.
asio::awaitable<result<bool>> leftovers::is_there(kube::object_identity offer)
{
    kube::selection which;
    which.ns = offer.ns;
    which.fields = "metadata.name=" + offer.name;
    which.metadata_only = true;
    bool found = false;
    const auto listed = co_await server_.list(
        api::service_offer_resource,
        std::move(which),
        {},
        [&](boost::json::object&& item, std::string_view) {
            found = found || offer.uid.empty() || kube::string_at(item, "metadata.uid") == offer.uid;
            return result<void>();
        }
    );
    if (!listed)
        co_return listed.error().to_error().within("looking for the offer of a registration");
    co_return found;
}

}  // namespace portitor::controller
