#include "chain_questions.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/evm/json_rpc.hpp>

#include <boost/json/object.hpp>

namespace portitor::registrar {

namespace json = boost::json;

chain_questions chain_questions::limited(std::size_t most) const
{
    chain_questions out = *this;
    out.left_ = most;
    return out;
}

chain_questions::answer<json::value> chain_questions::ask(std::string method, json::array params)
{
    if (left_ == 0)
        co_return evm::rpc_error(fail(errc::unavailable, "{}: the search takes too many questions", method));
    --left_;
    co_return co_await node_->call(std::move(method), std::move(params), timeout_);
}

chain_questions::answer<evm::bytes> chain_questions::call(evm::bytes data, std::string block)
{
    json::object transaction{{"to", registry_.to_string()}, {"data", evm::to_hex(data)}};
    const auto said = co_await ask("eth_call", evm::params_of(std::move(transaction), std::move(block)));
    if (!said)
        co_return said.error();
    co_return as_answer(evm::read_bytes(*said));
}

chain_questions::answer<std::uint64_t> chain_questions::nonces(evm::address account, std::string block)
{
    const auto said =
        co_await ask("eth_getTransactionCount", evm::params_of(account.to_string(), std::move(block)));
    if (!said)
        co_return said.error();
    co_return as_answer(evm::read_number(*said));
}

chain_questions::answer<std::optional<evm::block>> chain_questions::block_at(std::uint64_t number)
{
    const auto said = co_await ask("eth_getBlockByNumber", evm::params_of(evm::to_quantity(number), false));
    if (!said)
        co_return said.error();
    co_return as_answer(evm::read_block_at(*said, number));
}

}  // namespace portitor::registrar
