#pragma once

#include <portitor/core/timekeeper.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace portitor::controller {

/// How many at a time. Where a namespace's share is limited, it never takes more than is left for all others
/// either: so there is a place left for one that comes, unless as many namespaces as places are there are
/// slow.
struct fair_shares
{
    static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

    std::size_t of_all = no_limit;
    std::size_t of_namespace = no_limit;
    std::size_t of_group = no_limit;  ///< of one namespace's that have the same group
};

/// What is to be done at which time, and what is next where not all that is due can be done at once: first
/// the namespaces that have the least under way, in turn, so that one with thousands of slow ones costs the
/// others nothing; within a namespace in order of time. Every call costs the logarithm of what it holds. One
/// strand.
class fair_schedule
{
public:
    using time_point = timekeeper::time_point;
    using id = std::uint64_t;

    /// What is waited for.
    struct item
    {
        std::vector<std::string> namespaces;  ///< on the share of any of these; each once, at least one
        std::string group = {};               ///< empty: only the namespace's share counts
        time_point due{};
    };

    /// What is under way: give_back() must follow.
    struct taken
    {
        id what = 0;
        std::string ns;
        std::string group;
        std::chrono::nanoseconds late{};  ///< after it was due
        bool own_share = false;           ///< it had to wait for others of its own namespace or group
    };

    explicit fair_schedule(fair_shares shares) : shares_(shares) {}

    /// Before anything is under way.
    void share_out(fair_shares shares) { shares_ = shares; }

    /// Instead of what waited under that id.
    void add(id what, item of);
    void remove(id what);

    /// The next one that is due and has a share left.
    std::optional<taken> take(time_point now);
    void give_back(const taken& done, time_point now);

    /// When take() has something again, should nothing be given back before.
    time_point next(time_point now);

private:
    using moment = std::pair<time_point, id>;

    struct group
    {
        std::set<moment> waiting;
        std::size_t under_way = 0;
        time_point full_at = time_point::min();  ///< the last time that it had its share
        std::optional<time_point> head;          ///< under which it stands in its lane
    };

    /// What one namespace waits for.
    struct lane
    {
        std::map<std::string, group> groups;
        std::set<std::pair<time_point, std::string>> heads;  ///< of groups with a share left
        std::size_t under_way = 0;
        time_point full_at = time_point::min();
        std::uint64_t turn = 0;          ///< when it was served last
        std::optional<time_point> head;  ///< under which it stands in waiting_
        bool ready = false;              ///< whether it stands in ready_
    };
    using lanes = std::map<std::string, lane>;

    std::size_t share_of(const std::string& group) const;
    void refresh(lanes::iterator at, const std::string& group);
    void stand(lanes::iterator at);
    void leave_lines(const std::string& ns, lane& of);
    bool may_take(const lane& of) const;
    void promote(time_point now);

    fair_shares shares_;
    std::size_t under_way_ = 0;
    std::map<id, item> items_;
    lanes lanes_;
    std::set<std::pair<time_point, std::string>> waiting_;  ///< lanes with a share left, by their first time
    /// Those that have something due, by what they have under way, then by turn.
    std::set<std::tuple<std::size_t, std::uint64_t, std::string>> ready_;
    std::uint64_t turns_ = 0;
};

}  // namespace portitor::controller
