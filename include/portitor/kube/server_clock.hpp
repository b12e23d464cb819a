#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/kube/api.hpp>

namespace portitor::kube {

/// The API server's clock: what times in objects are compared with, because it wrote them, or judges them.
/// The machine's where the server has not told its own. One strand; what it is made of outlives it.
class server_clock final : public clock
{
public:
    server_clock(const api& server, const clock& machine) : server_(server), machine_(machine) {}

    time_point now() const override { return server_.server_time().value_or(machine_.now()); }

private:
    const api& server_;
    const clock& machine_;
};

}  // namespace portitor::kube
