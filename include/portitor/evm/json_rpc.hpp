#pragma once

#include <portitor/core/u256.hpp>
#include <portitor/evm/rpc_error.hpp>
#include <portitor/http/message.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace portitor::evm {

/// The positional parameters of a call (JSON-RPC 2.0 section 4.2), in their order.
template <typename... Values>
boost::json::array params_of(Values&&... each)
{
    boost::json::array out;
    (out.emplace_back(std::forward<Values>(each)), ...);
    return out;
}

/// An answer of a node that is longer is refused.
inline constexpr std::size_t max_rpc_answer = 256 * 1024;

/// Which URLs of a node are taken.
enum class rpc_transport
{
    https_only,
    http_too,  ///< also unencrypted: for a node on this machine or network
};

/// A node of a chain, asked over JSON-RPC 2.0 (https://www.jsonrpc.org/specification; the methods are those
/// of the Ethereum execution API). Its URL may hold a key, so no message names it; nor does any quote what
/// the node wrote. One strand, the client's; the client must outlive this.
class json_rpc
{
public:
    /// errc::invalid where the URL is none or of a scheme that is not taken.
    static result<json_rpc>
    make(http::client& client, std::string_view url, rpc_transport allowed = rpc_transport::https_only);

    /// Calls a method; ends by `timeout`. The result as the node gave it, null included. errc::refused: the
    /// node answered with an error, whose number the message tells. errc::unavailable: not reached, or
    /// overloaded (429, 5xx without a JSON-RPC answer). errc::timed_out: no answer in time. errc::protocol:
    /// an answer that is too long, or not one of JSON-RPC to this call.
    boost::asio::awaitable<result<boost::json::value>>
    call(std::string method, boost::json::array params, std::chrono::milliseconds timeout);

    /// The same, for who needs to know what a refusal means.
    boost::asio::awaitable<rpc_result<boost::json::value>>
    ask(std::string method, boost::json::array params, std::chrono::milliseconds timeout);

private:
    json_rpc(http::client& client, http::url where) : client_(&client), where_(std::move(where)) {}

    http::client* client_;
    http::url where_;
    std::uint64_t last_id_ = 0;
};

/// Reads a QUANTITY: "0x" and hexadecimal digits without leading zeros ("0x0" for zero), at most 256 bits.
/// errc::invalid otherwise.
result<u256> parse_quantity(std::string_view text);

/// A number as a QUANTITY.
std::string to_quantity(std::uint64_t number);

}  // namespace portitor::evm
