#pragma once

#include <portitor/kube/environment.hpp>
#include <portitor/kube/packed_object.hpp>
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

/// Keeps objects whole but packed, and hands out each one as made anew: what stays in memory is a fifth, and
/// looking at one costs some microseconds.
class object_informer final : public informer_base
{
public:
    using handler = std::function<void(const change<object>&)>;
    using index = store<packed_object>::index;

    /// What is there, as last seen.
    class view
    {
    public:
        using value_type = std::pair<const object_key&, object_ptr>;

        class iterator
        {
        public:
            using inner = std::map<object_key, packed_ptr>::const_iterator;

            iterator(inner at, const member_names& names) : at_(at), names_(names) {}
            value_type operator*() const { return {at_->first, unpack(at_->second, names_)}; }
            iterator& operator++()
            {
                ++at_;
                return *this;
            }
            bool operator!=(const iterator& other) const { return at_ != other.at_; }

        private:
            inner at_;
            const member_names& names_;
        };

        view(const store<packed_object>& of, const member_names& names) : of_(of), names_(names) {}

        /// The object, or null.
        object_ptr find(const object_key& key) const { return unpack(of_.find(key), names_); }
        std::size_t size() const { return of_.size(); }
        /// Pairs of key and object, in the order of the keys.
        const view& all() const { return *this; }
        iterator begin() const { return {of_.all().begin(), names_}; }
        /// The first one whose key is not less.
        iterator lower_bound(const object_key& key) const { return {of_.all().lower_bound(key), names_}; }
        iterator end() const { return {of_.all().end(), names_}; }

    private:
        const store<packed_object>& of_;
        const member_names& names_;
    };

    object_informer(const environment& around, resource kind, selection which, watch_options options = {})
        : kept_(
              around,
              kind,
              std::move(which),
              [this](boost::json::object&& raw) { return pack(std::move(raw), names_); },
              options
          )
    {}

    /// Called for each change, after the store has it. Set before run().
    void on_change(handler of)
    {
        kept_.on_change([this, of = std::move(of)](const change<packed_object>& packed) {
            of({unpack(packed.before, names_), unpack(packed.after, names_)});
        });
    }

    boost::asio::awaitable<void> run() override { return kept_.run(); }
    bool synced() const override { return kept_.synced(); }
    boost::asio::awaitable<void> wait_synced() override { return kept_.wait_synced(); }
    std::optional<std::chrono::seconds> disconnected_for() const override { return kept_.disconnected_for(); }
    const resource& kind() const override { return kept_.kind(); }

    const view& objects() const { return view_; }
    /// As store::add_index().
    const index& add_index(std::function<std::vector<std::string>(const object&)> of)
    {
        return kept_.add_index([this, of = std::move(of)](const packed_object& packed) {
            // Only lent: nothing keeps it.
            return of(*unpack(packed_ptr(packed_ptr(), &packed), names_));
        });
    }

private:
    member_names names_;
    informer<packed_object> kept_;
    view view_{kept_.objects(), names_};
};

}  // namespace portitor::kube
