#pragma once

#include <portitor/kube/environment.hpp>
#include <portitor/kube/store.hpp>
#include <portitor/kube/watcher.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace portitor::kube {

/// What a controller may ask of any informer.
class informer_base
{
public:
    virtual ~informer_base() = default;

    /// Lists and watches until canceled; survives every failure of the server.
    virtual boost::asio::awaitable<void> run() = 0;
    /// Whether a first full list has been taken and handed to the handlers.
    virtual bool synced() const = 0;
    /// Returns when synced.
    virtual boost::asio::awaitable<void> wait_synced() = 0;
    /// See watcher::disconnected_for().
    virtual std::optional<std::chrono::seconds> disconnected_for() const = 0;
    virtual const resource& kind() const = 0;
};

/// Makes what the store keeps out of an object that lasts only during the call: reads what is needed and
/// forgets the rest.
template <typename T>
using decoder = std::function<result<std::shared_ptr<const T>>(boost::json::object&& raw)>;

/// Keeps a store true to one kind on the API server, and tells of every change. One strand.
template <typename T>
class informer final : public informer_base, private watch_target
{
public:
    using handler = std::function<void(const change<T>&)>;

    informer(
        const environment& around,
        resource kind,
        selection which,
        decoder<T> decode,
        watch_options options = {}
    )
        : decode_(std::move(decode)), signal_(around.time.make_timer(around.executor)),
          watcher_(
              around.server, kind, std::move(which), *this, options, around.time, around.log, around.numbers
          )
    {}

    /// Called for each change, after the store has it. Set before run().
    void on_change(handler of) { handlers_.push_back(std::move(of)); }

    boost::asio::awaitable<void> run() override { return watcher_.run(); }
    bool synced() const override { return synced_; }
    std::optional<std::chrono::seconds> disconnected_for() const override
    {
        return watcher_.disconnected_for();
    }
    const resource& kind() const override { return watcher_.kind(); }

    boost::asio::awaitable<void> wait_synced() override
    {
        while (!synced_)
            co_await signal_->wait();
    }

    const store<T>& objects() const { return objects_; }
    const typename store<T>::index& add_index(typename store<T>::index_function of)
    {
        return objects_.add_index(std::move(of));
    }

private:
    void on_list_begin() override { snapshot_.clear(); }

    result<void> on_item(boost::json::object&& item) override
    {
        auto made = decode_(std::move(item));
        if (!made)
            return made.error();
        snapshot_.push_back(std::move(*made));
        return {};
    }

    void on_listed() override
    {
        tell(objects_.replace(std::exchange(snapshot_, {})));
        synced_ = true;
        signal_->cancel();
    }

    result<void> on_upsert(boost::json::object&& object) override
    {
        auto made = decode_(std::move(object));
        if (!made)
            return made.error();
        tell(objects_.upsert(std::move(*made)));
        return {};
    }

    void on_removal(const object_key& key) override { tell(objects_.remove(key)); }

    void tell(const std::vector<change<T>>& changes)
    {
        for (const change<T>& each : changes)
        {
            for (const handler& of : handlers_)
                of(each);
        }
    }

    decoder<T> decode_;
    store<T> objects_;
    std::vector<typename store<T>::pointer> snapshot_;  ///< of a list that is not complete yet
    std::vector<handler> handlers_;
    std::unique_ptr<timer> signal_;
    bool synced_ = false;
    watcher watcher_;
};

/// Keeps objects whole.
using object_informer = informer<object>;

}  // namespace portitor::kube
