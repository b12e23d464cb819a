#pragma once

#include <portitor/kube/object.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace portitor::registrar {

/// Which request may send the account's next transaction. One at a time; those that wait are served by
/// namespace in turn, and in a namespace in the order in which they came. It remembers who waits, has the
/// turn or holds a nonce, so whoever goes for whatever reason must leave(). No I/O.
class turn_queue
{
public:
    /// Whether it is this one's turn now; if not, it waits from now on. Asked again it keeps its place, and
    /// its turn.
    bool take(const kube::object_key& who);
    /// It holds a nonce that is not mined: it goes before all that wait, whatever turn there is. Several may,
    /// as after a takeover; nobody else gets a turn, or goes on with one, while any does.
    void hold(const kube::object_key& who);
    /// It needs no turn (any more). The next one whose turn it is then, if that is news.
    std::optional<kube::object_key> leave(const kube::object_key& who);
    /// How many wait for their turn.
    std::size_t waiting() const;

private:
    using line = std::map<std::uint64_t, std::string>;  ///< names by their tickets

    std::optional<kube::object_key> effective_turn() const;
    void give_turn();
    void leave_line(const kube::object_key& who);

    std::set<kube::object_key> holders_;
    std::optional<kube::object_key> turn_;               ///< stands back while there are holders
    std::optional<std::string> served_last_;             ///< the namespace
    std::map<std::string, line> lines_;                  ///< by namespace; none is empty
    std::map<kube::object_key, std::uint64_t> tickets_;  ///< of all who stand in a line
    std::uint64_t last_ticket_ = 0;
};

}  // namespace portitor::registrar
