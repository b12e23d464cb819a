#pragma once

#include <portitor/core/u256.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/evm/keccak.hpp>
#include <portitor/evm/rlp.hpp>

#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <vector>

/// What a node's answers hold, as Ethereum's execution API has it
/// (https://ethereum.github.io/execution-apis). errc::protocol where an answer is not what was asked for. Any
/// thread.
namespace portitor::evm {

struct block
{
    std::uint64_t number = 0;
    std::uint64_t timestamp = 0;   ///< Unix seconds
    std::optional<word> hash;      ///< not of a pending one
    std::optional<u256> base_fee;  ///< wei for a unit of gas; not before EIP-1559
};

/// Of eth_getBlockByNumber. errc::not_found where the node has no such block.
result<block> read_block(const boost::json::value& answer);

/// The same, where it was asked for by its number. Nothing where the node has no such block (yet).
result<std::optional<block>> read_block_at(const boost::json::value& answer, std::uint64_t number);

/// One event of a transaction.
struct log_entry
{
    address contract;
    std::vector<word> topics;
    bytes data;
    std::optional<word> transaction;
    std::optional<std::uint64_t> block;
    bool removed = false;  ///< by a reorganisation
};

/// Of eth_getLogs.
result<std::vector<log_entry>> read_logs(const boost::json::value& answer);

/// What became of a transaction in a block.
struct receipt
{
    bool succeeded = false;
    std::optional<std::uint64_t> block;
    std::optional<word> block_hash;
    u256 gas_used;
    u256 gas_price;  ///< wei for a unit, as it was charged
    u256 l1_fee;     ///< wei, of a rollup beside the gas; 0 where there is none
    std::vector<log_entry> logs;
};

/// Of eth_getTransactionReceipt for this transaction. errc::not_found where the node has none (yet).
result<receipt> read_receipt(const boost::json::value& answer, const word& transaction);

/// What a transaction calls.
struct sent_call
{
    address to;  ///< zero where it makes a contract
    bytes data;
};

/// Of eth_getTransactionByHash for this transaction. errc::not_found where the node has none.
result<sent_call> read_sent_call(const boost::json::value& answer, const word& transaction);

/// A QUANTITY of at most 64 bits, such as that of eth_blockNumber.
result<std::uint64_t> read_number(const boost::json::value& answer);

/// A QUANTITY, such as a balance.
result<u256> read_amount(const boost::json::value& answer);

/// DATA of any length, such as the result of eth_call.
result<bytes> read_bytes(const boost::json::value& answer);

}  // namespace portitor::evm
