#pragma once

#include "../../cli/forwarding_api.hpp"
#include "sandbox/api.hpp"

#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/json_patch.hpp>
#include <portitor/kube/lease_record.hpp>

#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace portitor::registrar::samples {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

enum class fate
{
    as_usual,
    lost_answer,    ///< carried out, and nobody hears of it
    late,           ///< it has not arrived when the client gives up
    not_reached,    ///< nothing has been sent
    forbidden,      ///< 403
    server_failed,  ///< 500, not carried out
    stripped,       ///< an admission webhook takes the annotations off
};

/// What stands between a registrar and the API server.
class faulty_api final : public cli::samples::forwarding_api
{
public:
    faulty_api(sandbox::server& server, metrics& numbers, timekeeper& time)
        : forwarding_api(std::make_unique<sandbox::api>(server, numbers)), server_(server), time_(time)
    {}

    std::deque<fate> patches_to_come;
    std::function<void()> before_patch;
    std::size_t patches = 0;
    std::size_t gets = 0;
    bool cut_off = false;  ///< the server is not reached
    bool silent = false;   ///< nothing is answered

    answer<kube::object_ptr>
    get(kube::resource kind, kube::object_key key, kube::request_class urgency) override
    {
        ++gets;
        if (auto failed = co_await fail_all())
            co_return *failed;
        co_return co_await forwarding_api::get(kind, std::move(key), urgency);
    }
    answer<kube::object_ptr>
    replace(kube::resource kind, json::object whole, kube::request_class urgency) override
    {
        if (auto failed = co_await fail_all())
            co_return *failed;
        co_return co_await forwarding_api::replace(kind, std::move(whole), urgency);
    }
    answer<kube::object_ptr> patch(kube::resource kind, kube::object_key key, json::array operations) override
    {
        ++patches;
        if (auto failed = co_await fail_all())
            co_return *failed;
        if (before_patch)
            before_patch();
        fate what = fate::as_usual;
        if (!patches_to_come.empty())
        {
            what = patches_to_come.front();
            patches_to_come.pop_front();
        }
        if (what == fate::not_reached)
            co_return kube::api_error(fail(errc::unavailable, "not reached"));
        if (what == fate::forbidden)
            co_return kube::api_error(403, "Forbidden", "may not patch", {});
        if (what == fate::server_failed)
            co_return kube::api_error(500, "InternalError", "etcd is ill", {});
        if (what == fate::late)
        {
            on_their_way_.push_back({key, std::move(operations)});
            co_await time_.sleep_for(1h);
        }
        if (what == fate::stripped)
            operations.push_back(kube::patch_removal("/metadata/annotations"));
        auto done = co_await forwarding_api::patch(kind, std::move(key), std::move(operations));
        if (what == fate::lost_answer)
            co_return kube::api_error(fail(errc::timed_out, "no answer"));
        co_return done;
    }

    /// What was late arrives; how many of it the server carries out.
    std::size_t deliver()
    {
        std::size_t out = 0;
        for (auto& [key, operations] : on_their_way_)
            out +=
                server_.storage().patch(sandbox::kind_id(kube::leases), key, operations, "x").good() ? 1 : 0;
        on_their_way_.clear();
        return out;
    }

private:
    asio::awaitable<std::optional<kube::api_error>> fail_all()
    {
        if (cut_off)
            co_return kube::api_error(fail(errc::unavailable, "not reached"));
        if (silent)
            co_await time_.sleep_for(1h);
        co_return std::nullopt;
    }

    sandbox::server& server_;
    timekeeper& time_;
    std::vector<std::pair<kube::object_key, json::array>> on_their_way_;
};

}  // namespace portitor::registrar::samples
