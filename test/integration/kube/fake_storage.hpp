#pragma once

#include "server_under_test.hpp"

#include <portitor/kube/api_error.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::test {

/// What the API server would answer: a code and a document.
struct storage_answer
{
    unsigned code = 200;
    boost::json::object body;

    bool good() const { return code < 300; }
};

/// A metav1.Status that refuses.
storage_answer
refusal(unsigned code, std::string_view reason, const std::string& message, boost::json::array causes = {});

/// One change, as the history keeps it.
struct storage_event
{
    std::uint64_t version = 0;
    std::string kind;  ///< "group/version/plural"
    std::optional<boost::json::object> before;
    std::optional<boost::json::object> after;
};

/// Objects, versions and rules of an API server as far as the cases go: no I/O and no HTTP.
class fake_storage
{
public:
    /// A predicate on whole objects.
    using filter = std::function<bool(const boost::json::object&)>;

    explicit fake_storage(std::function<void()> on_change) : on_change_(std::move(on_change)) {}

    bool knows(const std::string& kind) const { return kinds_.contains(kind); }
    void add_kind(const std::string& kind) { kinds_.insert(kind); }
    /// All objects are deleted first, with events.
    void drop_kind(const std::string& kind);

    storage_answer get(const std::string& kind, const kube::object_key& key) const;
    storage_answer create(
        const std::string& kind, const std::string& ns, boost::json::object wanted, const std::string& manager
    );
    storage_answer replace(
        const std::string& kind,
        const kube::object_key& key,
        boost::json::object wanted,
        const std::string& manager
    );
    storage_answer patch(
        const std::string& kind,
        const kube::object_key& key,
        const boost::json::array& operations,
        const std::string& manager
    );
    storage_answer apply(
        const std::string& kind,
        const kube::object_key& key,
        boost::json::object wanted,
        const std::string& manager,
        bool status,
        bool force,
        bool dry_run
    );
    storage_answer
    remove(const std::string& kind, const kube::object_key& key, const boost::json::object& options);

    /// All objects of a kind that match, in order.
    std::vector<boost::json::object> list(const std::string& kind, const filter& which) const;

    const std::vector<storage_event>& history() const { return history_; }
    /// The first event after this version.
    std::size_t position_after(std::uint64_t version) const;
    std::uint64_t version() const { return version_; }
    std::uint64_t oldest() const { return oldest_; }

    /// The history is gone, and so much of it that no watch has seen it all.
    void compact();
    /// As after the restore of an old backup: versions that somebody has seen are in the future now.
    void turn_back(std::uint64_t to);

private:
    using objects = std::map<kube::object_key, boost::json::object>;
    /// Who owns which leaf, by its path.
    using ownership = std::map<std::string, std::set<std::string>>;

    storage_answer not_found(const std::string& kind, const kube::object_key& key) const;
    storage_answer
    put(const std::string& kind,
        const kube::object_key& key,
        boost::json::object after,
        const std::string& manager);
    void erase(const std::string& kind, kube::object_key key);
    void record(
        const std::string& kind,
        std::optional<boost::json::object> before,
        std::optional<boost::json::object> after
    );

    std::function<void()> on_change_;
    std::set<std::string> kinds_;
    std::map<std::string, objects> objects_;
    std::map<std::pair<std::string, kube::object_key>, ownership> owners_;
    std::vector<storage_event> history_;
    std::uint64_t version_ = 1000;
    std::uint64_t oldest_ = 1000;
    std::uint64_t last_uid_ = 0;
};

}  // namespace portitor::test
