#pragma once

#include "sandbox/fields.hpp"
#include "sandbox/kinds.hpp"
#include "sandbox/status.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/selector.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::sandbox {

/// How much a storage takes.
struct storage_limits
{
    std::size_t objects = 50'000;
    std::size_t object_bytes = 3 * 512 * 1024;  ///< of one object as text: what etcd takes
    std::size_t history = 20'000;               ///< changes that a watch may go back
    std::size_t lists = 16;                     ///< of several pages, that may be read on
};

using shared_object = std::shared_ptr<const boost::json::object>;

/// One change, as the history keeps it. Without `before` it is new, without `after` it is gone.
struct stored_change
{
    std::uint64_t version = 0;
    std::string kind;  ///< the kind's id
    shared_object before;
    shared_object after;
};

/// A resourceVersion as a number; nothing where it is none.
std::optional<std::uint64_t> parse_version(std::string_view text);

/// One page of a list, or why there is none.
struct stored_page
{
    std::optional<answer> refused;
    std::uint64_t version = 0;
    std::vector<shared_object> items;
    std::string continue_token;  ///< empty on the last page
    std::size_t remaining = 0;
};

/// What an API server keeps, and its rules: objects, versions, who owns which field, and a history for
/// watches. No I/O; one strand. Kinds are named by their ids ("group/version/plural"); one that nobody has
/// added is answered with 404, like any path that leads nowhere.
///
/// Held to the real API server by the cases of test/integration/kube. Left out are: the schemas of CRDs and
/// admission (nothing is defaulted, pruned or validated, but for the members of spec that a kind names);
/// metadata.managedFields, generateName and the rules for names; namespaces as objects (any exists); "move"
/// and "copy" of JSON patches; the garbage collector, so that owner references and the propagation of a
/// deletion mean nothing; and rights.
class storage
{
public:
    /// `on_change` is called after each change, and when a kind goes. @pre `wall` outlives the storage
    explicit storage(const clock& wall, storage_limits limits = {}, std::function<void()> on_change = {});

    bool knows(const std::string& kind) const { return kinds_.contains(kind); }
    /// The kind of that id, or nullptr.
    const kind_info* find_kind(const std::string& kind) const;
    void add_kind(kind_info kind);
    /// All objects are deleted first, with events.
    void drop_kind(const std::string& kind);

    answer get(const std::string& kind, const kube::object_key& key) const;

    /// 409 AlreadyExists where the name is taken.
    answer create(
        const std::string& kind, const std::string& ns, boost::json::object wanted, const std::string& manager
    );

    /// 409 Conflict where the object has another resourceVersion or uid than it names, 422 where it names no
    /// resourceVersion, as of custom resources.
    answer replace(
        const std::string& kind,
        const kube::object_key& key,
        boost::json::object wanted,
        const std::string& manager
    );

    /// RFC 6902; 422 Invalid where an operation does not hold.
    answer patch(
        const std::string& kind,
        const kube::object_key& key,
        const boost::json::array& operations,
        const std::string& manager
    );

    /// Server-side apply (KEP-555): the fields of `wanted` are the manager's, those that it wanted before and
    /// nobody else does are gone. 409 with a FieldManagerConflict for each field of another one's that would
    /// change, unless `how.force`. Two names for one field, such as a list entry without its key, belong
    /// together instead of being refused.
    answer apply(
        const std::string& kind,
        const kube::object_key& key,
        boost::json::object wanted,
        const kube::apply_options& how
    );

    /// Deletes it, or marks it where it has finalizers. `options` are metav1.DeleteOptions, of which the
    /// preconditions count.
    answer
    remove(const std::string& kind, const kube::object_key& key, const boost::json::object& options = {});

    /// The first page as of now, or the one that a token names; of the same `limit`. All pages of a list are
    /// of one moment. 410 Expired for a token that newer lists have pushed out; 504 for a resourceVersion
    /// that nothing has yet.
    stored_page list(
        const std::string& kind,
        const kube::object_predicate& which,
        const kube::list_position& from,
        std::size_t limit
    );

    /// The first change after this version, whatever its kind; nullptr where there is none. It is good until
    /// the next one happens.
    const stored_change* next_change(std::uint64_t after) const;
    /// Whether a watch that has seen everything up to this version has missed nothing.
    bool remembers(std::uint64_t version) const { return version >= forgotten_; }

    std::uint64_t version() const { return version_; }
    /// A watch from a version before this one is refused with 410.
    std::uint64_t oldest() const { return std::max(oldest_, forgotten_); }

    /// The history is gone, and so much of it that no watch has seen it all.
    void compact();
    /// As after the restore of an old backup: versions that somebody has seen are in the future now.
    void turn_back(std::uint64_t to);
    /// Continue tokens are only good for a while.
    void expire_lists() { lists_.clear(); }

private:
    /// Who wrote a field; an apply takes back only what an apply of the same name wrote.
    struct owner
    {
        std::string manager;
        bool by_apply = false;

        auto operator<=>(const owner&) const = default;
    };
    using ownership = std::map<field_path, std::set<owner>>;

    struct entry
    {
        shared_object object;
        ownership owners;
    };
    using entries = std::map<kube::object_key, entry>;

    /// A list whose pages are being read.
    struct snapshot
    {
        std::uint64_t version = 0;
        std::vector<shared_object> items;
    };

    stored_page read_on(std::string_view token, std::size_t limit) const;
    stored_page page_of(std::uint64_t list, std::size_t place, std::size_t limit) const;

    const entry* find(const std::string& kind, const kube::object_key& key) const;
    static std::optional<answer>
    refuse_apply(const kind_info& of, const entry* live, const boost::json::object& wanted);
    /// Makes a manager an owner of what it wants; the causes of a conflict where that is another one's.
    static boost::json::array claim(
        ownership& owners,
        const std::vector<leaf>& wanted,
        const leaf_map& live,
        const std::string& manager,
        const std::string& api_version
    );

    /// What would be stored: with what only the server writes; or why it is refused.
    answer prepare(
        const kind_info& of, const kube::object_key& key, const entry* live, boost::json::object after
    ) const;
    /// Stores what was prepared.
    answer commit(const kind_info& of, const kube::object_key& key, answer prepared, ownership owners);
    /// The same for a write that is no apply: what it changes is the manager's.
    answer write(
        const kind_info& of,
        const kube::object_key& key,
        boost::json::object after,
        const std::string& manager
    );
    void erase(const std::string& kind, const kube::object_key& key);
    void record(const std::string& kind, shared_object before, shared_object after);

    const clock& wall_;
    storage_limits limits_;
    std::function<void()> on_change_;
    std::map<std::string, kind_info> kinds_;
    std::map<std::string, entries> objects_;
    std::size_t count_ = 0;
    std::deque<stored_change> history_;
    std::map<std::uint64_t, snapshot> lists_;  ///< by the number in their token
    std::uint64_t last_list_ = 0;
    std::uint64_t version_ = 1000;
    std::uint64_t oldest_ = 1000;
    std::uint64_t forgotten_ = 0;  ///< the last change that the history was too short for
    std::uint64_t last_uid_ = 0;
};

}  // namespace portitor::sandbox
