#pragma once

#include <portitor/kube/api.hpp>
#include <portitor/kube/lease_record.hpp>

#include <boost/json/serialize.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace portitor::kube::samples {

/// Leases in memory with resource versions, as one API server with its etcd keeps them.
class lease_server
{
public:
    struct write
    {
        timekeeper::time_point when;
        boost::json::object spec;
    };

    explicit lease_server(timekeeper& time) : time_(time) {}

    /// Each spec in the order in which it was stored.
    std::vector<write> history;

    object_ptr find(const object_key& key) const
    {
        const auto at = leases_.find(key);
        return at == leases_.end() ? nullptr : at->second;
    }

    /// As kubectl would: whatever was there, and with a new resource version.
    object_ptr put(const object_key& key, boost::json::object spec, boost::json::object annotations = {})
    {
        boost::json::object meta;
        meta["namespace"] = key.ns;
        meta["name"] = key.name;
        meta["uid"] = find(key) ? find(key)->meta.uid : "uid-" + std::to_string(++version_);
        meta["annotations"] = std::move(annotations);
        boost::json::object raw;
        raw["apiVersion"] = "coordination.k8s.io/v1";
        raw["kind"] = "Lease";
        raw["metadata"] = std::move(meta);
        raw["spec"] = std::move(spec);
        return store(std::move(raw));
    }

    void remove(const object_key& key) { leases_.erase(key); }

    api_result<object_ptr> create(boost::json::object raw)
    {
        const object_key key{string_at(raw, "metadata.namespace"), string_at(raw, "metadata.name")};
        if (find(key))
            return api_error(409, "AlreadyExists", "leases \"" + key.name + "\" already exists", {});
        raw["metadata"].as_object()["uid"] = "uid-" + std::to_string(++version_);
        return store(std::move(raw));
    }

    api_result<object_ptr> replace(boost::json::object raw)
    {
        const object_key key{string_at(raw, "metadata.namespace"), string_at(raw, "metadata.name")};
        const object_ptr live = find(key);
        if (string_at(raw, "metadata.resourceVersion").empty())
            return api_error(422, "Invalid", "metadata.resourceVersion: must be specified for an update", {});
        if (!live)
            return api_error(404, "NotFound", "leases \"" + key.name + "\" not found", {});
        if (live->meta.resource_version != string_at(raw, "metadata.resourceVersion"))
            return api_error(409, "Conflict", "the object has been modified", {});
        // What changes nothing is not stored: the resource version stays.
        if (live->raw == raw)
            return live;
        return store(std::move(raw));
    }

    /// Carries `change` out later, when its sender has stopped waiting for it.
    void later(timekeeper::time_point when, std::function<void()> change)
    {
        late_.emplace(when, std::move(change));
    }
    void carry_out_due()
    {
        while (!late_.empty() && late_.begin()->first <= time_.now())
        {
            const auto change = std::move(late_.begin()->second);
            late_.erase(late_.begin());
            change();
        }
    }
    timekeeper::time_point next_due() const
    {
        return late_.empty() ? timekeeper::time_point::max() : late_.begin()->first;
    }

private:
    object_ptr store(boost::json::object raw)
    {
        raw["metadata"].as_object()["resourceVersion"] = std::to_string(++version_);
        const object_ptr made = parse_object(std::move(raw)).value();
        leases_[made->meta.key()] = made;
        history.push_back({time_.now(), made->spec()});
        return made;
    }

    timekeeper& time_;
    unsigned version_ = 100;
    std::map<object_key, object_ptr> leases_;
    std::multimap<timekeeper::time_point, std::function<void()>> late_;
};

/// What happens to one request on its way.
struct request_fate
{
    std::optional<api_error> refusal;      ///< the answer instead of what was asked for
    std::optional<api_error> lost_answer;  ///< done, but this is the answer
    std::chrono::milliseconds there{};     ///< until it reaches the server
    std::chrono::milliseconds back{};      ///< until the answer is there
    bool arrives_when_canceled = false;    ///< a sender that gives up cannot call it back
};

/// One client of a lease_server.
class lease_api final : public api
{
public:
    using fate_function = std::function<request_fate(const std::string& verb)>;

    lease_api(lease_server& server, timekeeper& time) : server_(server), time_(time) {}

    /// "get", "create" and "update" in the order in which they were sent.
    std::vector<std::string> calls;
    std::vector<request_class> urgencies;  ///< of the writes
    /// Decides about the requests to come; without one they all succeed at once.
    fate_function fate;

    static request_fate hang()
    {
        request_fate out;
        out.there = std::chrono::hours(1);
        return out;
    }
    static request_fate refuse(unsigned status, std::string reason = "")
    {
        request_fate out;
        out.refusal = api_error(status, std::move(reason), "the test says so", {});
        return out;
    }

    boost::asio::awaitable<api_result<object_ptr>> get(resource, object_key key, request_class) override
    {
        auto done = [this, key]() -> api_result<object_ptr> {
            if (object_ptr live = server_.find(key))
                return live;
            return api_error(404, "NotFound", "leases \"" + key.name + "\" not found", {});
        };
        return carry("get", std::move(done));
    }

    boost::asio::awaitable<api_result<object_ptr>>
    replace(resource, boost::json::object whole, request_class urgency) override
    {
        urgencies.push_back(urgency);
        // The server by reference, as a late request may outlive its client.
        auto done = [&server = server_, whole = std::move(whole)] { return server.replace(whole); };
        return carry("update", std::move(done));
    }

    boost::asio::awaitable<api_result<object_ptr>>
    create(resource, boost::json::object wanted, request_class urgency) override
    {
        urgencies.push_back(urgency);
        auto done = [&server = server_, wanted = std::move(wanted)] { return server.create(wanted); };
        return carry("create", std::move(done));
    }

    boost::asio::awaitable<api_result<list_page>>
    list(resource, selection, list_position, item_handler) override
    {
        co_return unexpected();
    }
    boost::asio::awaitable<api_result<std::unique_ptr<http::body_stream>>>
    watch(resource, selection, std::string, std::chrono::seconds) override
    {
        co_return unexpected();
    }
    boost::asio::awaitable<api_result<object_ptr>>
    apply(resource, boost::json::object, apply_options) override
    {
        co_return unexpected();
    }
    boost::asio::awaitable<api_result<object_ptr>> patch(resource, object_key, boost::json::array) override
    {
        co_return unexpected();
    }
    boost::asio::awaitable<api_result<void>> remove(resource, object_key, delete_options) override
    {
        co_return unexpected();
    }

private:
    using action = std::function<api_result<object_ptr>()>;

    static api_error unexpected() { return api_error(fail(errc::invalid, "this test knows no such call")); }

    boost::asio::awaitable<api_result<object_ptr>> carry(std::string verb, action done)
    {
        calls.push_back(verb);
        const request_fate what = fate ? fate(verb) : request_fate();
        const auto arrival = time_.now() + what.there;
        try
        {
            if (what.there.count() > 0)
                co_await time_.sleep_for(what.there);
        }
        catch (const boost::system::system_error&)
        {
            if (what.arrives_when_canceled && verb != "get")
                server_.later(arrival, [done] { done(); });
            throw;
        }
        if (what.refusal)
            co_return *what.refusal;
        auto answer = done();
        if (what.back.count() > 0)
            co_await time_.sleep_for(what.back);
        if (what.lost_answer)
            co_return *what.lost_answer;
        co_return answer;
    }

    lease_server& server_;
    timekeeper& time_;
};

}  // namespace portitor::kube::samples
