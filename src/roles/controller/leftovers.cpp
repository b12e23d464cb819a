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
    const auto live = co_await server_.get(api::service_offer_resource, former->key());
    if (!live && !live.error().is_not_found())
        co_return live.error().to_error().within("reading the offer of a registration");
    const bool exists = live && (former->uid.empty() || (*live)->meta.uid == former->uid);
    if (exists)
        co_return outcome(std::nullopt);
    const clock::time_point now = wall_.now();
    const auto since = since_.emplace(request->meta.uid, now).first->second;
    found out{*former, offer::make_leftover_plan(*request, *former, since, settings_, now)};
    if (!out.todo.releases.empty())
        since_.erase(request->meta.uid);
    co_return outcome(std::move(out));
}

}  // namespace portitor::controller
