#pragma once

#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/object.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace portitor::controller {

/// How many HTTPRoutes of one namespace are before the gateway at a time. Traefik writes a status to each
/// that has changed, five a second, before it serves any of them: without a bound the edits of one namespace
/// make the routes of all others late. Who finds no place stands in a line of his namespace. One strand.
class route_window
{
public:
    using time_point = timekeeper::time_point;

    /// For each namespace: what Traefik judges in a second.
    static constexpr std::size_t places = 5;
    /// A route that the gateway does not judge keeps its place so long.
    static constexpr std::chrono::seconds patience{5};

    /// How long the offer's next write has to wait at most; 0: not at all.
    std::chrono::milliseconds wait(const kube::object_key& offer, time_point now);

    /// The offer's HTTPRoute is about to be written: it leaves the line and has a place.
    void take(const kube::object_key& offer, time_point now);
    /// It would be, but has to wait: it stands in line.
    void stand(const kube::object_key& offer);
    /// It has nothing to write any more.
    void leave(const kube::object_key& offer, time_point now);

    /// The write that take() announced is done, with that generation. Nothing for one that failed: its place
    /// is free. @returns the offers that have a place now
    std::vector<kube::object_key>
    written(const kube::object_key& offer, std::optional<std::int64_t> generation, time_point now);
    /// The gateway has judged that generation of the offer's HTTPRoute; nothing: there is no HTTPRoute any
    /// more.
    /// @returns the offers that have a place now
    std::vector<kube::object_key>
    judged(const kube::object_key& offer, std::optional<std::int64_t> generation, time_point now);

private:
    struct place
    {
        time_point until;
        std::optional<std::int64_t> written;  ///< the generation; nothing: on its way
        std::int64_t judged = 0;              ///< the last generation that was
    };
    struct of_namespace
    {
        std::map<std::string, place> taken;          ///< by the offer's name
        std::map<std::uint64_t, std::string> line;   ///< by their turns
        std::map<std::string, std::uint64_t> turns;  ///< of who stands in it

        std::size_t free(time_point now);
        void leave(const std::string& offer);
    };

    of_namespace* find(const kube::object_key& offer);
    place* place_of(const kube::object_key& offer);
    std::vector<kube::object_key> give_up(const kube::object_key& offer, time_point now);

    std::map<std::string, of_namespace> namespaces_;
    std::uint64_t last_turn_ = 0;
};

}  // namespace portitor::controller
