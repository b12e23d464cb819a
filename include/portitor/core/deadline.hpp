#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/task_group.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <variant>

namespace portitor {

/// Runs an operation that reports its failures as values, and cancels it when `timeout` ends first: nothing.
template <typename T>
boost::asio::awaitable<std::optional<T>>
unless(boost::asio::awaitable<void> timeout, boost::asio::awaitable<T> operation)
{
    using namespace boost::asio::experimental::awaitable_operators;
    try
    {
        auto race = co_await (std::move(operation) || std::move(timeout));
        if (race.index() == 1)
            co_return std::nullopt;
        co_return std::optional<T>(std::get<0>(std::move(race)));
    }
    catch (const boost::asio::multiple_exceptions& both)
    {
        // Both sides throw where the caller is canceled: that is one cancellation, not two exceptions.
        std::rethrow_exception(both.first_exception());
    }
}

/// The same for the time that passes on the machine's clock: errc::timed_out after `limit`.
template <typename T>
boost::asio::awaitable<result<T>>
with_deadline(boost::asio::awaitable<result<T>> operation, std::chrono::milliseconds limit, std::string what)
{
    auto answer = co_await unless(sleep_for(limit), std::move(operation));
    if (!answer)
        co_return fail(errc::timed_out, "{}: no answer within {} ms", what, limit.count());
    co_return std::move(*answer);
}

}  // namespace portitor
