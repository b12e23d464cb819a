#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>

namespace portitor::test {

/// Runs one coroutine to its end on `context` and returns its value; throws what it throws, and when it has
/// not ended within five seconds.
template <typename T>
T run(boost::asio::io_context& context, boost::asio::awaitable<T> work)
{
    std::exception_ptr failure;
    std::optional<T> value;
    bool done = false;
    boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, T result) {
        failure = thrown;
        value.emplace(std::move(result));
        done = true;
    });
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    context.restart();
    while (!done && std::chrono::steady_clock::now() < deadline)
        context.run_one_for(std::chrono::milliseconds(100));
    if (failure)
        std::rethrow_exception(failure);
    if (!done)
        throw std::runtime_error("the coroutine did not end within five seconds");
    return std::move(*value);
}

inline void run(boost::asio::io_context& context, boost::asio::awaitable<void> work)
{
    auto wrapped = [](boost::asio::awaitable<void> inner) -> boost::asio::awaitable<bool> {
        co_await std::move(inner);
        co_return true;
    };
    run<bool>(context, wrapped(std::move(work)));
}

}  // namespace portitor::test
