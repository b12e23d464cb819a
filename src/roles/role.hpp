#pragma once

#include "roles/process.hpp"

#include <boost/asio/awaitable.hpp>

namespace portitor::roles {

/// What one process does. Constructed with everything it needs; run() is its whole life.
class role
{
public:
    virtual ~role() = default;

    /// Works until process.stop is requested or there is nothing left to do, and returns when all that it
    /// started has ended. A value is the exit code; an error is one line for the user, and exit code 1.
    virtual boost::asio::awaitable<result<int>> run() = 0;
};

}  // namespace portitor::roles
