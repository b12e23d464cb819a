# Headers that most units include, of the standard library and of others, parsed once for all libraries. Sources
# include what they use all the same: clang-tidy reads them without any of this.
set(portitor_precompiled_headers
    <boost/asio/any_io_executor.hpp>
    <boost/asio/awaitable.hpp>
    <boost/asio/bind_cancellation_slot.hpp>
    <boost/asio/co_spawn.hpp>
    <boost/asio/experimental/awaitable_operators.hpp>
    <boost/asio/io_context.hpp>
    <boost/asio/ip/tcp.hpp>
    <boost/asio/post.hpp>
    <boost/asio/redirect_error.hpp>
    <boost/asio/ssl/context.hpp>
    <boost/asio/ssl/stream.hpp>
    <boost/asio/steady_timer.hpp>
    <boost/asio/this_coro.hpp>
    <boost/asio/use_awaitable.hpp>
    <boost/asio/write.hpp>
    <boost/beast/core/flat_buffer.hpp>
    <boost/beast/http/message.hpp>
    <boost/beast/http/parser.hpp>
    <boost/beast/http/string_body.hpp>
    <boost/json.hpp>
    <boost/multiprecision/cpp_int.hpp>
    <boost/system/result.hpp>
    <boost/url/url_view.hpp>
    <fmt/format.h>
    <algorithm> <array> <charconv> <chrono> <cstdint> <functional> <map> <memory> <optional> <random> <set> <span>
    <string> <string_view> <utility> <variant> <vector>)

# portitor_precompiled(TARGET HEADERS...): an object library whose precompiled headers others use.
function(portitor_precompiled target)
    add_library(${target} OBJECT ${PROJECT_SOURCE_DIR}/cmake/empty.cpp)
    target_link_libraries(${target} PRIVATE portitor_options)
    if(PORTITOR_PCH)
        target_precompile_headers(${target} PRIVATE ${ARGN})
    endif()
endfunction()

# portitor_use_precompiled(TARGET WHICH): TARGET uses the precompiled headers of WHICH.
function(portitor_use_precompiled target which)
    if(PORTITOR_PCH)
        target_precompile_headers(${target} REUSE_FROM ${which})
    endif()
endfunction()

portitor_precompiled(portitor_pch ${portitor_precompiled_headers})
# libstdc++ silences the warning about its own stable_sort where that is defined, but not where it is used.
target_compile_options(portitor_options INTERFACE -Wno-deprecated-declarations)
