#pragma once

#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/object.hpp>

#include <map>
#include <string>
#include <utility>

namespace portitor::registrar {

/// Whether a request still has something to wait for.
enum class progress
{
    open,
    done,    ///< Confirmed, Retired or OffChainOnly
    failed,  ///< by itself it gets no further
    stuck,   ///< it waits for somebody: for money, a key, a node
};

struct request_progress
{
    registrar::progress progress = registrar::progress::open;
    std::string why;  ///< in words, where it is neither open nor done
};

/// By its status alone, whoever wrote it. Pure.
request_progress judge_progress(const kube::object& request);

/// Tells when a process that runs to an end may end: as soon as nothing is open, and nothing has been stuck
/// for less than two minutes. One strand.
class completion
{
public:
    explicit completion(const timekeeper& time) : time_(time) {}

    /// The same, of a request that has been stuck for so long that nobody seems to help: failed then.
    request_progress look(const kube::object& request);

private:
    const timekeeper& time_;
    std::map<std::string, std::pair<std::string, timekeeper::time_point>>
        stuck_;  ///< by UID: why, and since when
};

}  // namespace portitor::registrar
