#pragma once

#include <portitor/kube/change_delivery.hpp>
#include <portitor/kube/environment.hpp>
#include <portitor/kube/packed_object.hpp>
#include <portitor/kube/store.hpp>
#include <portitor/kube/unreadable_objects.hpp>
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
    /// See watcher::missing().
    virtual const std::optional<std::string>& missing() const = 0;
    /// Returns when synced or, where the kind is optional, when it is missing.
    virtual boost::asio::awaitable<void> wait_usable() = 0;
    /// Called when a kind that was missing can be read again, after the store has what there is of it.
    virtual void on_found(std::function<void()> hear) = 0;
    virtual const resource& kind() const = 0;
};

/// Makes what the store keeps out of an object that lasts only during the call: reads what is needed and
/// forgets the rest. Where it refuses or throws, the object is one that cannot be read.
template <typename T>
using decoder = std::function<result<std::shared_ptr<const T>>(boost::json::object&& raw)>;

/// Makes what the store keeps in place of an object that cannot be read: that has more than the limits of
/// list_reader, or that its decoder refuses. `raw` is what there is of it, perhaps nothing; `which` is right
/// in any case. Null: the store has nothing in its place, as if it were not there.
template <typename T>
using stand_in_maker = std::function<std::shared_ptr<const T>(
    const object_identity& which, boost::json::object&& raw, const std::string& why
)>;

/// Runs both until canceled.
boost::asio::awaitable<void> run_both(boost::asio::awaitable<void> one, boost::asio::awaitable<void> other);

/// Keeps a store true to one kind on the API server, and tells of every change. An object that cannot be read
/// is left out or stood in for, alone; see unreadable_objects. One strand.
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
        watch_options options = {},
        stand_in_maker<T> stand_in = {}
    )
        : decode_(std::move(decode)), stand_in_(std::move(stand_in)), optional_(options.optional),
          unreadable_(kind.kind, around.timers, around.log, around.metrics), delivery_(around, kind),
          signal_(around.timers.make_timer(around.executor)),
          watcher_(
              around.server, kind, std::move(which), *this, options, around.timers, around.log, around.metrics
          )
    {
        objects_.on_fault([this](const object_key& key, const std::string& what) {
            delivery_.note_fault(key, what);
        });
    }

    /// Called for each change, after the store has it. A handler that throws is called again for that object,
    /// later each time, from what it knew to what there is by then. Set before run().
    void on_change(handler of) { delivery_.add(std::move(of)); }

    boost::asio::awaitable<void> run() override { return run_both(watcher_.run(), delivery_.run()); }
    bool synced() const override { return synced_; }
    std::optional<std::chrono::seconds> disconnected_for() const override
    {
        return watcher_.disconnected_for();
    }
    const std::optional<std::string>& missing() const override { return watcher_.missing(); }
    void on_found(std::function<void()> hear) override { on_found_ = std::move(hear); }
    const resource& kind() const override { return watcher_.kind(); }

    boost::asio::awaitable<void> wait_synced() override
    {
        while (!synced_)
            co_await signal_->wait();
    }

    boost::asio::awaitable<void> wait_usable() override
    {
        while (!synced_ && !(optional_ && watcher_.missing()))
            co_await signal_->wait();
    }

    /// Takes what list_all() brings, for who does not watch: in place of run().
    watch_target& feed() { return *this; }

    const store<T>& objects() const { return objects_; }
    const typename store<T>::index& add_index(typename store<T>::index_function of)
    {
        return objects_.add_index(std::move(of));
    }

private:
    using pointer = typename store<T>::pointer;

    // An exception may be of the moment, such as a want of memory: so often the list is read again before
    // what throws counts as unreadable. Nobody's objects make every list come twice.
    static constexpr int most_rereads = 2;

    /// What the store is to have for an object; null: nothing.
    struct reading
    {
        pointer object;
        bool stands_in = false;
    };

    void on_list_begin() override
    {
        snapshot_.clear();
        stand_ins_.clear();
        list_threw_ = false;
        unreadable_.begin_list();
    }

    result<void> on_item(boost::json::object&& item, std::string_view cut) override
    {
        auto read = this->read(std::move(item), cut);
        if (!read)
            return read.error();
        if (!read->object)
            return {};
        if (read->stands_in)
            stand_ins_.insert(read->object->meta.key());
        snapshot_.push_back(std::move(read->object));
        return {};
    }

    void on_listed() override
    {
        unreadable_.end_list();
        if (!list_threw_)
            rereads_ = 0;
        tell(objects_.replace(std::exchange(snapshot_, {}), std::exchange(stand_ins_, {})));
        synced_ = true;
        signal_->cancel();
    }

    result<void> on_upsert(boost::json::object&& object, std::string_view cut) override
    {
        auto read = this->read(std::move(object), cut);
        if (!read)
            return read.error();
        if (read->object)
            tell(objects_.upsert(std::move(read->object), read->stands_in));
        else
            tell(objects_.remove(arriving_.key()));
        return {};
    }

    void on_removal(const object_key& key) override
    {
        unreadable_.forget(key);
        tell(objects_.remove(key));
    }

    void on_found_again() override
    {
        if (on_found_)
            on_found_();
    }
    void on_missing() override { signal_->cancel(); }

    /// An error only where the list should be read again.
    result<reading> read(boost::json::object&& raw, std::string_view cut)
    {
        read_identity(raw, arriving_);
        std::string why(cut);
        if (why.empty())
        {
            auto made = decode(raw, why);
            if (!made || *made)
                return made ? result<reading>(reading{std::move(*made)}) : made.error();
        }
        unreadable_.note(arriving_, why);
        return reading{stand_in(std::move(raw), why), true};
    }

    /// Null with a reason where it cannot be; what is left of `raw` then is the decoder's affair.
    result<pointer> decode(boost::json::object& raw, std::string& why)
    {
        try
        {
            auto made = decode_(std::move(raw));
            if (made)
            {
                if (unreadable_.size() > 0)
                    unreadable_.forget(arriving_.key());
                return std::move(*made);
            }
            why = made.error().message();
        }
        catch (...)
        {
            why = describe(std::current_exception());
            list_threw_ = true;
            if (rereads_ < most_rereads)
            {
                ++rereads_;
                return fail(errc::unavailable, "{}, while it was read: {}", arriving_.key().to_string(), why);
            }
        }
        return pointer();
    }

    pointer stand_in(boost::json::object&& raw, const std::string& why)
    {
        if (!stand_in_ || arriving_.name.empty())
            return nullptr;
        try
        {
            return stand_in_(arriving_, std::move(raw), why);
        }
        catch (...)
        {
            delivery_.note_fault(arriving_.key(), describe(std::current_exception()));
            return nullptr;
        }
    }

    void tell(const std::vector<change<T>>& changes)
    {
        for (const change<T>& each : changes)
            delivery_.tell(each);
    }

    decoder<T> decode_;
    stand_in_maker<T> stand_in_;
    bool optional_;
    std::function<void()> on_found_;
    store<T> objects_;
    unreadable_objects unreadable_;
    object_identity arriving_;  ///< of the object at hand
    int rereads_ = 0;           ///< in a row
    bool list_threw_ = false;

    // Of a list that is not complete yet.
    std::vector<pointer> snapshot_;
    std::set<object_key> stand_ins_;

    change_delivery<T> delivery_;
    std::unique_ptr<timer> signal_;
    bool synced_ = false;
    watcher watcher_;
};

/// Keeps objects whole but packed, and hands out each one as made anew: what stays in memory is a fifth, and
/// looking at one costs some microseconds. What cannot be read is there all the same, and says so:
/// object::unreadable.
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
              options,
              [this](const object_identity& which, boost::json::object&& raw, const std::string& why) {
                  auto made = pack(std::move(raw), names_, why);
                  return made ? std::move(*made) : pack_identity(which, names_, why);
              }
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
    boost::asio::awaitable<void> wait_usable() override { return kept_.wait_usable(); }
    std::optional<std::chrono::seconds> disconnected_for() const override { return kept_.disconnected_for(); }
    const std::optional<std::string>& missing() const override { return kept_.missing(); }
    void on_found(std::function<void()> hear) override { kept_.on_found(std::move(hear)); }
    const resource& kind() const override { return kept_.kind(); }

    /// As informer::feed().
    watch_target& feed() { return kept_.feed(); }

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
